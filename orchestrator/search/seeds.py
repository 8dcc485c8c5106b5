"""Seeds: every random number of a search comes from one that is made of what it is for, and of nothing else."""

import hashlib


def draw_seed(*parts: object) -> int:
    """Return a 32-bit seed that depends on every part and on nothing else."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big")
