"""The emulator, its ledger, runs, records and statistics."""
