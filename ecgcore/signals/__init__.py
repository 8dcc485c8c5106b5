"""Numbers in, numbers out: arithmetic on signals. Must not know files."""
