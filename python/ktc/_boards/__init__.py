"""Boards of RC cells in SI units: topology, imperfections, converters, limits."""
