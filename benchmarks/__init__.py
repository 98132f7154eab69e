"""Rates of ktc beside those of its peers: ``python -m benchmarks``. Nothing here is a test."""
