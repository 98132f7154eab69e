"""Runs keep the figures that ``reference_runs.json`` records: the same seed gives the same bits.

``reference_runs`` lists the runs, what the bits of each depend on, and how to make a new record.
"""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from reference_figures import difference, environment, figures_of, text_of
from reference_runs import RUNS, changes, record


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", RUNS)
def test_figures_are_those_of_the_record(name, threads):
    """The same bits where they are promised, rounding elsewhere; on any number of threads.

    Of ktc and of BLAS alike, which follows the number of cores.
    """
    with threadpool_limits(threads, user_api="blas"):
        lines = changes(name, threads)
    if lines:
        told = [f"{name!r} on {threads} threads differs from the record:", *lines]
        pytest.fail("\n  ".join(told), pytrace=False)


def test_record_has_all_runs_and_no_others():
    assert list(record()[1]) == list(RUNS)


def test_one_bit_is_a_difference():
    """Of any number; and text keeps all bits."""
    figure = np.array([1.0, -3.0e-20, 0.1, 0.0])
    assert figures_of(text_of({"figure": figure}))["figure"].tobytes() == figure.tobytes()
    assert difference(figure, figure, 0.0, 1.0) is None
    for number in range(4):
        changed = figure.copy()
        changed[number] = np.nextafter(changed[number], 2.0)
        assert f"number {number} is" in difference(figure, changed, 0.0, 1.0)
        assert difference(figure, changed, 1e-10, 1.0) is None
    assert difference(figure, np.full(4, np.nan), 1e-10, 1.0) is not None


def test_bits_that_are_promised():
    """In one environment all of them, but of what agrees to rounding; elsewhere of our kernels."""
    here = {**environment(), "kernels": "v4"}
    other = {**here, "numpy": "another"}
    for name, run in RUNS.items():
        rounding = 1e-4 if run.single else 1e-10
        kept = rounding if run.bits == "rounding" else 0
        assert run.tolerance("work", here, here) == kept, name
        assert run.tolerance("excess_work", here, here) == rounding
        elsewhere = {"kernels": 0, "factors": np.inf}.get(run.bits, rounding)
        assert run.tolerance("state", other, here) == elsewhere
        assert run.tolerance("state", {**other, "kernels": "v3"}, here) == elsewhere
        assert run.tolerance("state", {**here, "kernels": "plain"}, here) in (rounding, np.inf)
