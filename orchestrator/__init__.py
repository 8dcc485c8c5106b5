"""Searches anything behind one small protocol, and forgets nothing."""
