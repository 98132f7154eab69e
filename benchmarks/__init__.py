"""Rates of ktc and of other libraries: ``python -m benchmarks``. Nothing here is a test."""
