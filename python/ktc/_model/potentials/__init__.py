"""Potentials of single units."""
