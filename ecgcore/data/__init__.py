"""A source becomes a store, a store becomes batches; who is in which part; the sealed part. Must not know models."""
