"""The benchmarks' contenders do the work, and their reports say what was measured.

No rate is tested. Checks are the benchmarks' own, at five standard errors of a fixed seed's draws.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "benchmarks" / "__main__.py").is_file():
    pytest.skip("the benchmarks are not beside the tests", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from benchmarks import bare, figure, measure, normals, report, trap, trap_drive  # noqa: E402
from benchmarks.__main__ import chosen, entrants, main  # noqa: E402
from benchmarks.catalogue import WORKS  # noqa: E402
from benchmarks.quartic_network import Played  # noqa: E402
from benchmarks.quartic_network import check as check_quartic  # noqa: E402
from benchmarks.work import (  # noqa: E402
    UnavailableError,
    WrongResultError,
    close,
    shares,
)

#: What needs nothing beside ktc and NumPy. Starting is not among them: it takes seconds.
CONTENDERS = [
    ("trap", "ktc"),
    ("trap", "numpy"),
    ("normals", "ktc"),
    ("normals", "numpy"),
    ("linear", "ktc"),
    ("driven", "undriven"),
    ("driven", "EMFs"),
    ("driven", "currents"),
    ("driven", "two temperatures"),
    ("driven", "white noise"),
    ("driven", "filtered noise"),
    ("quartic", "ktc"),
    ("quartic", "numpy"),
    ("quartic", "numpy, columns"),
    ("quartic", "product, ktc's kernel"),
    ("quartic", "product, ktc's library"),
    ("quartic", "product, NumPy's library"),
    ("inference", "ktc"),
    ("inference", "one bias for all"),
    ("inference", "one emulator per input"),
    ("spice", "ktc"),
    ("controller", "rounds"),
    ("controller", "play"),
    ("controller", "moments"),
    ("replicas", "ktc, linear"),
    ("replicas", "ktc, quartic"),
    ("sparse", "ktc"),
]


#: Kernels by themselves.
IN_TESTING_BUILDS = {("normals", "ktc"), ("quartic", "product, ktc's kernel")}


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize(("work", "name"), CONTENDERS)
def test_contenders_do_the_work(work, name, cores):
    if (work, name) in IN_TESTING_BUILDS:
        import core_testing  # noqa: F401  # skips where the build has none
    played, reasons = [], []
    for case in WORKS[work].cases(quick=True):
        small = {**case, "cores": cores, "replicas": min(case.get("replicas", 0), 1024)}
        try:
            prepared = WORKS[work].contender(name).prepare(small)
        except UnavailableError as error:
            # Single precision, or sparse couplings, that this build does not have.
            reasons.append(str(error))
            continue
        for _ in range(2):
            played.append(prepared.check(prepared.run()))
        assert prepared.amount > 0
    assert all(reasons)
    assert played or work == "sparse"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_bare_kernel_does_the_work(dtype):
    try:
        kernel = bare.Bare()
    except UnavailableError as error:
        pytest.skip(str(error))
    work = bare.aligned(4096, dtype)
    kernel.trap(work, trap_drive.CENTRE, trap_drive.STEP, 0)
    trap_drive.check_work(work)
    noise = bare.aligned(65536, dtype)
    kernel.normals(noise, 1 << 40)
    normals.check_normals(noise)
    # Box–Muller's pairs, and the packs that one call of the generator fills, are uncorrelated.
    for lag in (1, 8, 16, 32):
        assert abs(np.mean(noise[lag:] * noise[:-lag], dtype=float)) < 5 / math.sqrt(65536)


def test_nobody_wins_by_computing_nothing():
    with pytest.raises(WrongResultError, match="mean work 0"):
        trap_drive.check_work(np.zeros(4096))
    with pytest.raises(WrongResultError, match="nan"):
        trap_drive.check_work(np.full(4096, np.nan))
    with pytest.raises(WrongResultError, match="variance"):
        trap_drive.check_work(np.full(4096, trap_drive.LEAST_WORK))
    with pytest.raises(WrongResultError, match="virial"):
        check_quartic(Played(lambda: np.zeros((512, 4)), np.ones(512), np.eye(4), 0.0))
    # x² + x⁴ = 1, the right virial, but no work.
    states = np.full((512, 4), np.sqrt((np.sqrt(5) - 1) / 2))
    with pytest.raises(WrongResultError, match="must cost"):
        check_quartic(Played(lambda: states, np.zeros(512), np.eye(4), 0.0))
    with pytest.raises(WrongResultError, match="mean"):
        normals.check_normals(np.ones(100))


def test_the_drive_is_the_least_work_drive():
    """λ jumps by μτ/(T + 2τ) at both ends (Schmiedl, Seifert 2007): 5/3, and from 10/3 to 5."""
    assert trap_drive.CENTRE[0] == 0 and trap_drive.CENTRE[-1] == 5
    assert trap_drive.CENTRE[1] == pytest.approx(5 / 3, abs=1e-3)
    assert trap_drive.CENTRE[-2] == pytest.approx(10 / 3, abs=1e-3)
    assert pytest.approx(25 / 3) == trap_drive.LEAST_WORK
    assert len(trap_drive.CENTRE) == trap_drive.TICKS + 2


def test_close_and_shares():
    assert close("mean", 1.0, 1.1, 0.2) == "mean 1 (theory 1.1 ± 0.2)"
    assert shares(10, 3) == [slice(0, 3), slice(3, 6), slice(6, 10)]
    assert shares(256, 3, multiple=64) == [slice(0, 64), slice(64, 128), slice(128, 256)]
    assert shares(1, 2) == [slice(0, 1)]


def outcome(contender, rates, cores=1, state="measured", replicas=20_000):
    case = {"label": "double", "dtype": "float64", "cores": cores, "replicas": replicas}
    return measure.Outcome(
        "trap", case, cores, contender, state, 0.5, 0.25, "fine", 123.0, rates, [1.0] * len(rates)
    )


def made_up():
    return [
        outcome("ktc", [4e8, 5e8, 3e8]),
        outcome("numpy", [1e8, 1e8, 1.1e8]),
        outcome("jax", [], state="not installed (jax)"),
        outcome("bare", [5e8, 5e8, 5e8]),
    ]


def test_a_table_has_medians_ratios_and_what_is_missing():
    lines = report.table(trap.WORK, made_up()).splitlines()
    assert "one core" in lines[0] and "trajectory-steps/s" in lines[1]
    start = ["0.50", "0.25", "123", "100%"]
    assert lines[2].split() == ["ktc", "4e+08", "-25%", "+25%", "0.80", *start]
    assert lines[3].split() == ["numpy", "1e+08", "+0%", "+10%", "4", "0.20", *start]
    assert lines[4].split() == ["jax", "not", "installed", "(jax)"]
    assert lines[5].split() == ["bare", "5e+08", "+0%", "+0%", *start]


def test_a_table_of_nothing_but_absences():
    lines = report.table(trap.WORK, [outcome("jax", [], state="failed: no memory")]).splitlines()
    assert lines[-1].split() == ["jax", "failed:", "no", "memory"]


def test_times_where_they_say_more_than_rates():
    case = {"label": "double", "cores": 1}
    rates = {"rounds": 1e4, "play": 2e4, "moments": 1e5}
    outcomes = [
        measure.Outcome("controller", case, 1, name, rates=[rate], loads=[1.0])
        for name, rate in rates.items()
    ]
    text = report.table(WORKS["controller"], outcomes)
    assert "100 µs" in text and "overhead 40.0 µs a round" in text
    assert [report.duration(t) for t in (2.5, 0.0123, 4.2e-6, 3e-9)] == [
        "2.5 s",
        "12.3 ms",
        "4.2 µs",
        "3 ns",
    ]


def test_scaling_is_of_ours_with_many_replicas():
    outcomes = [*made_up(), outcome("ktc", [7.6e8], cores=2), outcome("numpy", [2e8], cores=2)]
    assert report.scaling(outcomes) == ["trap, double, ktc: 2 cores / one 1.90"]
    few = [outcome("ktc", [1.0], replicas=10), outcome("ktc", [2.0], cores=2, replicas=10)]
    assert report.scaling(few) == []


def test_the_record_is_json_and_the_figure_is_drawn(tmp_path):
    text = json.dumps(report.record(made_up(), {"repeats": "5"}))
    read = json.loads(text)
    assert read["outcomes"][0]["rate"] == 4e8 and read["outcomes"][2]["rate"] is None
    assert read["ktc"]["ktc"] and read["versions"]["numpy"] and read["machine"]["cores"] >= 1
    figure.draw(tmp_path / "rates.png", WORKS, made_up())
    assert (tmp_path / "rates.png").stat().st_size > 10_000


def test_what_is_not_installed_is_said():
    work = WORKS["trap"]
    absent = type(work.contenders[0])("absent", lambda case: None, ("no_such_module",))
    (found,) = measure.measure(
        work, {"label": "x"}, [0], [absent], measure.Effort(5, 0.0, 1.0, "wall")
    )
    assert found.state == "not installed (no_such_module)" and found.rate is None


def test_options(capsys):
    assert [work.name for work in chosen("normals,trap")] == ["normals", "trap"]
    names = [one.name for one in entrants(WORKS["quartic"], "torch")]
    assert names == ["ktc", "torch", "torch, columns", "bare"]
    assert [one.name for one in entrants(WORKS["trap"], "none")] == ["ktc", "bare"]
    assert [one.name for one in entrants(WORKS["trap"], "torch")] == ["ktc", "torch", "bare"]
    assert len(entrants(WORKS["linear"], "thermox")) == 3
    assert len(entrants(WORKS["controller"], "none")) == 3
    for wrong in (["--works", "nothing"], ["--repeats", "4"]):
        assert main(wrong) == 2
        assert wrong[0] in capsys.readouterr().err


def test_a_contender_in_a_process_of_its_own():
    """The whole way, with rounds of no length: nothing depends on how long they take."""
    work = WORKS["trap"]
    case = work.cases(quick=True)[0]
    core = measure.all_cores()[:1]
    effort = measure.Effort(repeats=2, seconds=0.0, patience=120.0, clock="wall")
    found = measure.measure(work, case, core, entrants(work, "numpy")[:2], effort)
    assert [one.state for one in found] == ["measured", "measured"]
    for one in found:
        assert len(one.rates) == 2 and one.rate > 0 and one.peak > 1
        assert "mean work" in one.check
