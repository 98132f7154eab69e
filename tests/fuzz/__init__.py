"""Fuzzers: whatever a user hands over, a call succeeds or says what is wrong.

``python -m tests.fuzz`` runs them for a given time; ``test_fuzzers.py`` runs a few inputs of each.
"""
