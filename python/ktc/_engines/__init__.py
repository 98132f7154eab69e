"""Engines that move an ensemble: the sampling core, exact moments, and densities."""
