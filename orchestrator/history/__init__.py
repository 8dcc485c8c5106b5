"""What a run remembers, and where it lies: journal, records, ledger, folder, lock. Must not decide anything."""
