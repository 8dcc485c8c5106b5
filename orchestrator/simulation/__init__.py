"""Searches replayed on recorded learning curves: what would another way to search have found? Must not know Ray."""
