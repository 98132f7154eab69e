"""Style, scales and names of figures."""
