"""One file a network, with its own hyperparameters. Must not know one another."""
