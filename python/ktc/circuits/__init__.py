"""Circuits: graphs of branches, netlists, and what they compile to."""
