"""Emulators: ensembles in motion, their books, and what a run gives."""
