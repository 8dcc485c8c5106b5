"""What a person looks at before using recordings: check, survey, page. Must not know training."""
