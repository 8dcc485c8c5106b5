"""Decisions: which configuration, which fit, who is stopped, what is spent, who won. Must not know Ray."""
