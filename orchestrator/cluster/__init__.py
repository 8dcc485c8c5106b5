"""SLURM: a run on a cluster, from its profile to the last job. Nothing below knows that there is a cluster."""
