"""One fit, from its configuration to its last checkpoint. Must not know readers."""
