"""Style, scales and names of figures; the only package that knows matplotlib."""
