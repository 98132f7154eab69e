"""Tools without physics: validation, estimates, units, progress, storage, loading the core."""
