"""What a person looks at after a test: figures and tables from what it left in files. Must not know training."""
