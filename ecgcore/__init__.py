"""Model, data and loss of ECG classifiers. Knows nothing of searches, and imports nothing that searches."""
