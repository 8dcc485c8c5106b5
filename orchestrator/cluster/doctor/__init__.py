"""What would go wrong on a cluster, found before anything is queued."""
