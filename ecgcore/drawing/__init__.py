"""A record as a picture: signals in, text or pixels out. Must not know files."""
