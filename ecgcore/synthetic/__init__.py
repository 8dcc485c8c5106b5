"""Made-up hearts, written as real recordings. Must not know stores."""
