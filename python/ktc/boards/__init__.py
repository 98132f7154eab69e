"""Boards of cells: drawn ones, real ones with imperfections, and their emulators."""
