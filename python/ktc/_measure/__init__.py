"""What replicas measure: F, zeta, free energies, and convergence with the step."""
