"""A record as a picture: signals in, text out. Must not know files."""
