"""docs/results.md: its commands exist, and its tables agree with runs at reduced size.

Estimates are compared at five standard errors, doubled as a shared controller makes runs scatter by
up to twice that of independent replicas: some 250 numbers, a false alarm of 2e-4. Exact numbers
are compared to their printed digits.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
sys.path.append(str(ROOT / "tools"))
from results import PAGE, results  # noqa: E402

RESULTS = {one.name: one for one in results(PAGE.read_text(encoding="utf-8"))}
SHARED = {"drawing", "harness"}
ELSEWHERE = {"linear_algebra"}
# Of one run, or of a search, without an error bar of its own.
NOISY = {"own b", "rate", "off", "window"}
UNITS = ("quartic", "shallow wells", "deep wells")

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def quick():
    """Table of an experiment at reduced size, run once."""
    sys.path.insert(0, str(EXAMPLES))
    tables = {}

    def run(name):
        if name not in tables:
            tables[name], figure = importlib.import_module(name).experiment(seed=1, quick=True)
            assert all(ax.has_data() for ax in figure.axes)
        return tables[name]

    yield run
    sys.path.remove(str(EXAMPLES))


def test_every_experiment_is_on_the_page():
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    assert scripts - SHARED - ELSEWHERE == set(RESULTS)


@pytest.mark.parametrize("name", sorted({path.stem for path in EXAMPLES.glob("*.py")}))
def test_a_script_is_short(name):
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.parametrize("name", RESULTS)
def test_its_command_is_complete(name):
    script, *options = RESULTS[name].words
    assert (ROOT / script).exists()
    named = dict(zip(options[::2], options[1::2], strict=True))
    assert set(named) == {"--seed", "--figure"} and int(named["--seed"]) >= 0
    figure = ROOT / named["--figure"]
    assert figure.exists() and figure.stat().st_size < 150_000
    assert f"](images/{figure.name})" in PAGE.read_text(encoding="utf-8")


def cells(line):
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def number(cell):
    """Value and standard error of a printed cell."""
    value, _, error = cell.partition("±")
    return float(value), float(error) if error else 0.0


@pytest.mark.parametrize("name", RESULTS)
def test_its_table_agrees_with_a_run_at_reduced_size(name, quick):
    table = quick(name)
    heading, *lines = map(cells, RESULTS[name].table.splitlines())
    few_heading, *few_lines = map(cells, str(table).splitlines())
    assert heading == few_heading
    page = {tuple(line[: table.named]): line[table.named :] for line in lines}
    assert len(page) == len(lines) >= len(few_lines) > 0
    for line in few_lines:
        names, values = tuple(line[: table.named]), line[table.named :]
        for column, told, found in zip(heading[table.named :], page[names], values, strict=True):
            if column in NOISY:
                continue
            (told, first), (found, second) = number(told), number(found)
            allowed = 10 * np.hypot(first, second) + 1e-3 * abs(told) + 1e-5
            assert abs(found - told) <= allowed, (names, column, told, found)


def test_likelihood_bias_is_excess_work(quick):
    assert max(quick("likelihood_bias").column("difference")) < 1e-12


def test_minimal_dissipation_lies_on_the_bound_and_nothing_below(quick):
    table = quick("excess_work_against_duration")
    ratios = table.column("exact/bound", schedule="minimal dissipation")
    assert ratios == pytest.approx([1.0, 1.0], abs=1e-3)
    assert min(table.column("exact/bound")) > 1 - 1e-9
    for exact, sampled in zip(table.column("exact"), table.column("sampled")):
        assert abs(sampled.mean - exact.mean) < 10 * sampled.stderr


def test_the_matrix_rate_is_straight_and_others_are_not(quick):
    table = quick("matrix_rate")
    straight = table.column("bend", rate="matrix") + table.column("speed", rate="matrix")
    assert max(straight) < 1e-3
    assert [cost.mean for cost in table.column("exact/bound", rate="matrix")] == pytest.approx(
        [1.0, 1.0], abs=2e-3
    )
    for rate in ("scalar of traces", "natural gradient", "constant"):
        assert table.column("bend", rate=rate, condition="30")[0] > 0.01
        assert table.column("exact/bound", rate=rate, condition="30")[0].mean > 1.1


def test_more_replicas_lose_less_likelihood(quick):
    table = quick("gaussian_against_maximum_likelihood")
    for learned in ("bias", "bias and stiffness"):
        many = [float(cell) for cell in table.column("nats lost", learned=learned)]
        assert many == sorted(many, reverse=True) and 0 <= many[-1] < 1e-3


def test_transport_alone_is_at_the_bound_of_any_control(quick):
    table = quick("any_gaussian_at_the_bound")
    spent = [cost.mean for cost in table.column("completed", rule="transport")]
    bound = table.column("bound", rule="transport")
    assert spent == pytest.approx(bound, rel=1e-4)
    for rule in ("present F and ζ", "natural gradient"):
        costs = [cost.mean for cost in table.column("completed", rule=rule)]
        assert min(np.divide(costs, bound)) > 1.5


def test_the_default_costs_no_more_than_the_best_constant_rate(quick):
    """Within three standard errors, for each of two problems: a false alarm of 3e-3."""
    for ratio in quick("twenty_problems").column("ratio"):
        assert ratio.mean < 1 + 3 * ratio.stderr


def test_a_controller_in_the_loop_absorbs_mismatch(quick):
    table = quick("joules")
    learned, programmed = (
        table.column(kind, varied="mismatch", value="0.03")[0]
        for kind in ("nats lost", "programmed")
    )
    assert 10 * learned.mean < programmed.mean
    coarse, fine = (
        table.column("zJ each", varied="DAC bits", value=bits)[0] for bits in ("3", "6")
    )
    assert coarse.mean > 2 * fine.mean


def test_runs_spend_and_lose_what_is_expected(quick):
    """Eight standard errors over eight runs, 9e-5 of a false alarm for each of twelve numbers, and
    a tenth for the mismatch and the DAC.
    """
    table = quick("joules")
    for varied in ("replicas", "ADC noise", "budget [aJ]"):
        for told, expected in (("zJ each", "zJ expected"), ("nats lost", "nats expected")):
            pairs = zip(table.column(told, varied=varied), table.column(expected, varied=varied))
            for found, mean in pairs:
                assert abs(found.mean - mean) < 8 * found.stderr + 0.1 * mean
    noisy, clear = (table.column("nats lost", varied="ADC noise", value=v)[0] for v in ("10", "0"))
    assert noisy.mean > 5 * clear.mean


def test_the_rule_beyond_the_harmonic_unit(quick):
    """The quartic table's value; in deep wells a constant rate costs less, anticipating no more."""
    table = quick("quartic_and_double_well")
    rule, ahead, constant = (
        {unit: table.column("completed", unit=unit, drive=drive)[0] for unit in UNITS}
        for drive in ("the rule", "anticipating", "constant")
    )
    assert rule["quartic"].mean == pytest.approx(1.538, abs=0.05 + 10 * rule["quartic"].stderr)
    assert rule["quartic"].mean < constant["quartic"].mean
    assert constant["deep wells"].mean < rule["deep wells"].mean
    for unit in UNITS:
        assert ahead[unit].mean < constant[unit].mean + 5 * constant[unit].stderr
    assert ahead["deep wells"].mean < rule["deep wells"].mean
    for unit in UNITS:
        bound = table.column("bound", unit=unit, drive="the rule")[0]
        assert rule[unit].mean > bound - 5 * rule[unit].stderr


def test_measured_friction_of_double_wells_is_that_of_quadrature(quick):
    table = quick("friction_of_double_wells")
    for kT in ("1", "0.5"):
        off = [abs(float(cell)) for cell in table.column("off", kT=kT)]
        assert max(off) < 5
        windows = table.column("window", kT=kT)
        assert len(set(windows)) == 1 and float(windows[0]) > 0


def test_erasing_a_bit_costs_more_than_landauers_bound(quick):
    table = quick("bit_erasure")
    for memory in ("quartic", "parabolas", "cosine"):
        works = table.column("work/kT", memory=memory)
        errors = table.column("error", memory=memory)
        for work, error in zip(works, errors, strict=True):
            kept = [p * np.log(p) for p in (error.mean, 1 - error.mean) if p > 0]
            assert work.mean > np.log(2) + sum(kept)
        assert works[1].mean < 0.5 * works[0].mean and errors[1].mean < 0.03


def test_couplings_of_digits_cost_little_but_for_noise(quick):
    pytest.importorskip("sklearn")
    table = quick("couplings_of_digits")
    few, infinite = table.column("zJ each", schedule="minimal dissipation")
    bound = table.column("bound")[-1]
    assert bound < infinite.mean < 1.15 * bound < few.mean
    assert 0 < table.column("nats left")[-1] < 1e-3 < table.column("nats left")[0] < 1.0
