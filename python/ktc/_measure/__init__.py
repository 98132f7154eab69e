"""Estimates from replicas: F, zeta, free energies, convergence with the time step."""
