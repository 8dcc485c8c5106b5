"""Searches on a SLURM cluster: one driver job, an elastic pool of worker jobs, files of the run folder between them."""
