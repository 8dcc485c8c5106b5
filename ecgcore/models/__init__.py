"""Networks: signals in, logits out. Must not know data."""
