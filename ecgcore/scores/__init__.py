"""Predictions in, named numbers with intervals out. Must not know models."""
