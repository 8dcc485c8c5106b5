"""Heads: features in, one logit a class out. A head stage trains these alone."""

from torch import nn


def linear_head(features: int, *, classes: int, dropout: float) -> nn.Sequential:
    """Dropout and one linear layer: (batch, features) to (batch, classes)."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, classes))


def hidden_head(features: int, *, hidden: int, classes: int, dropout: float) -> nn.Sequential:
    """One hidden layer: (batch, features) to (batch, classes)."""
    return nn.Sequential(nn.Linear(features, hidden), nn.Dropout(dropout), nn.ReLU(), nn.Linear(hidden, classes))
