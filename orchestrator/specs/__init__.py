"""What YAML may say, read strictly, as frozen values. Must not know runs."""
