"""One run from beginning to end: a search, a chain of stages, a final, a plan of them. Must not know SLURM."""
