"""Closed forms: free energies, spectra, metrics, bounds; no sampling and no learning."""
