"""What tests do with ensembles: make them from a reference, and compare samples with numbers.

A comparison within 4 standard errors fails by chance with probability 6.3e-5, within 4.5 with
6.8e-6 (two-sided normal, a comparison).
"""

from __future__ import annotations

import numpy as np
import scipy.stats

import ktc
from ktc._model.elements import CurrentSource, NoiseSource
from ktc._model.elements import Resistor as Element


def device(circuit, replicas, seed, quartic=None, **options):
    """The emulator of a reference circuit: one account a resistor."""
    inductive = circuit.interconnection.any()
    network = ktc.Network.of_elements(
        circuit.stiffness,
        [
            Element(r.direction, r.conductance, f"R{i}", emf=r.emf)
            for i, r in enumerate(circuit.resistors, 1)
        ],
        [r.kT for r in circuit.resistors],
        bias=circuit.bias,
        quartic=quartic,
        interconnection=circuit.interconnection if inductive else None,
        sources=[CurrentSource(a, current) for a, current in circuit.sources],
        noises=[
            NoiseSource(n.direction, n.density, n.rate / (2 * np.pi) if n.rate else None)
            for n in circuit.noises
        ],
    )
    return ktc.Emulator(network, replicas=replicas, seed=seed, **options)


def near(samples, expected, sigmas=4.0, bias=0.0, relative_bias=0.0):
    """Whether the means of columns are within so many standard errors, and a bias, of these."""
    samples = np.asarray(samples).reshape(len(samples), -1)
    scatter = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    bound = sigmas * scatter + bias + relative_bias * np.abs(expected)
    return np.all(np.abs(samples.mean(axis=0) - expected) < bound)


def covariance_near(samples, expected, sigmas=4.5, relative_bias=0.0):
    """Second moments about zero against a covariance: Var(xy) = P_ii P_jj + P_ij² for normals."""
    n = len(samples)
    scatter = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / n)
    bound = sigmas * scatter + relative_bias * np.sqrt(
        np.outer(np.diag(expected), np.diag(expected))
    )
    return np.all(np.abs(samples.T @ samples / n - expected) < bound)


def surprise(samples, x, weights, bins=24):
    """p value of χ² of samples among cells that each hold the same of what is expected."""
    edges = np.interp(np.arange(1, bins) / bins, np.cumsum(weights) - 0.5 * weights, x)
    cells = np.searchsorted(edges, x + 0.5 * (x[1] - x[0]))
    # Cells end between grid points, at the very places where the expectation is summed.
    edges = np.array([x[cells <= k].max() + 0.5 * (x[1] - x[0]) for k in range(bins - 1)])
    expected = np.array([weights[cells == k].sum() for k in range(bins)])
    counts = np.bincount(np.searchsorted(edges, samples), minlength=bins)
    return scipy.stats.chisquare(counts, expected * len(samples)).pvalue
