"""Comparisons of an emulator's samples with what they should be.

A deviation of 4.5 standard errors is a false alarm of 7e-6 for every number compared.
"""

from __future__ import annotations

import numpy as np

SIGMAS = 4.5


def assert_mean(samples, expected, allowance=0.0):
    """Mean over the first axis within SIGMAS standard errors, and a stated systematic part."""
    error = SIGMAS * np.std(samples, axis=0) / np.sqrt(len(samples)) + allowance
    assert np.all(np.abs(np.mean(samples, axis=0) - expected) <= error), (
        np.mean(samples, axis=0),
        expected,
        error,
    )


def assert_variance(samples, expected):
    """Variance of normal samples: its relative standard error is √(2/N)."""
    ratio = np.var(samples, axis=0) / expected
    assert np.all(np.abs(ratio - 1) <= SIGMAS * np.sqrt(2 / len(samples))), ratio


def assert_closed(emulator):
    assert emulator.ledger.imbalance() <= 1e-12
