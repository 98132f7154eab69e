"""F and ζ of a model: in closed form, by quadrature, or measured on calibration replicas."""
