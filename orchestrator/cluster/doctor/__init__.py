"""`orchestrate doctor`: what would go wrong on a cluster, found before a job of a run is queued. Knows no run."""
