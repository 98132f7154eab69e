"""F and zeta of a model: exact, by products, or measured on calibration replicas."""
