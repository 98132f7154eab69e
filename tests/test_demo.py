"""``ktc demo`` as a user runs it, small; and what its parts write and say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

import ktc
from ktc import theory
from ktc._base.estimate import Estimate
from ktc._base.validation import seeds_of
from ktc._commands import demo as demo_module
from ktc._commands import report
from ktc._commands.demo import demo
from ktc._commands.experiment import FIGURES, FITS, Settings
from refusal import refused

pytest.importorskip("sklearn", reason="needs scikit-learn")

REPLICAS, TICKS, CELLS = 400, 200, 64


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small demo in a folder of its own: what the process said, and the folder."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ktc",
            "demo",
            f"--replicas={REPLICAS}",
            f"--ticks={TICKS}",
        ],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done, folder / "ktc-demo"


@pytest.fixture(scope="module")
def results(finished):
    return json.loads((finished[1] / "results.json").read_text(encoding="utf-8"))


def test_the_files_are_there_and_the_figures_show_something(finished):
    from matplotlib.image import imread

    folder = finished[1]
    assert sorted(p.name for p in folder.iterdir()) == sorted([*FIGURES, *FITS, "results.json"])
    for name in FIGURES:
        image = imread(folder / name)[..., :3]
        assert min(image.shape[:2]) > 200
        # White paper with black ink on it.
        assert image.min() < 0.1
        assert np.mean(image > 0.99) > 0.4


def test_the_table_tells_what_the_results_file_holds(finished, results):
    out = finished[0].stdout
    for row in results["table"]:
        (line,) = (line for line in out.splitlines() if line.startswith(row["schedule"]))
        cells = re.split(r"\s{2,}", line)
        completed = row["completed_excess_work"]
        shown = [float(cell.split(" ± ")[0]) for cell in cells[1:]]
        # As many digits as the error bar has, hence its two first digits.
        assert shown[0] == pytest.approx(row["excess_work"]["J"] * 1e21, abs=completed["J"] * 1e19)
        assert shown[2] == pytest.approx(completed["J"] * 1e21, rel=5e-3)
        assert shown[3] == pytest.approx(completed["kT"], rel=5e-3)
        assert shown[4] == pytest.approx(row["ratio"]["mean"], rel=5e-3)
        assert shown[5] == pytest.approx(row["final_error"], abs=6e-4)
    assert "[zJ]" in out
    assert "300 K" in out
    assert "10 µs" in out


def test_nothing_is_shown_where_nobody_watches(finished):
    """Standard error is a pipe here; test_cli has a terminal."""
    assert finished[0].stderr == ""


def test_minimal_dissipation_meets_the_bound_and_the_best_constant_rate_does_not(results):
    """The ratio is 1 within 4σ, which fails by chance at 6.3e-5, and the bias of one to three kT/N
    a mode that a controller shared by N replicas adds."""
    minimal, constant = (row["ratio"] for row in results["table"])
    bias = 3 * CELLS / REPLICAS / results["table"][0]["bound"]["kT"]
    assert bias < 0.03
    assert -4 * minimal["stderr"] < minimal["mean"] - 1 < bias + 4 * minimal["stderr"]
    assert constant["mean"] > 1.5
    assert constant["mean"] - 1 > 4 * constant["stderr"]
    for point in results["scan"]:
        # 25 points at 4σ: a false alarm at 1.6e-3.
        above = point["ratio"]["mean"] - 1
        assert above > -4 * point["ratio"]["stderr"]
        if point["rate"] is not None:
            assert above > 4 * point["ratio"]["stderr"]


def test_the_bound_falls_with_the_duration_as_theory_says(finished, results):
    fit = ktc.Fit.load(finished[1] / FITS[0])
    target = fit.start.network.stiffness @ (fit.data_mean / fit.start.scale)
    durations = sorted({point["duration"] for point in results["scan"]})
    np.testing.assert_allclose(durations, 1e-5 * np.array([0.25, 0.5, 1, 2, 4]), rtol=1e-12)
    for point in results["scan"]:
        expected = theory.least_excess_work(fit.start, target, point["duration"])
        assert point["bound"]["J"] == pytest.approx(expected, rel=1e-9)


def test_the_digit_is_learned(results):
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    mean = images[digits == 3].mean(axis=0)
    np.testing.assert_allclose(results["data_mean"], mean, atol=1e-9)
    minimal, constant = results["table"]
    errors = []
    for row in (minimal, constant):
        rms = np.sqrt(np.mean((np.array(row["learned_mean"]) - mean) ** 2))
        errors.append(row["final_error"])
        assert rms == pytest.approx(row["final_error"] * results["parameters"]["data_sd"], rel=1e-9)
    # The mean of N replicas scatters by a standard deviation/√N a pixel, by no more than twice
    # that here, and is short of the target by nothing.
    assert errors[0] < 2 / np.sqrt(REPLICAS)
    assert errors[1] > 5 * errors[0]


def test_the_fits_are_those_of_the_table(finished, results):
    for name, row in zip(FITS, results["table"], strict=True):
        fit = ktc.Fit.load(finished[1] / name)
        assert fit.schedule.name == row["schedule"]
        assert fit.seed == row["seed"]
        assert fit.excess_work.mean == row["excess_work"]["J"]
        assert fit.completed_excess_work.mean == row["completed_excess_work"]["J"]
        assert fit.kT == pytest.approx(1.380649e-23 * 300, rel=1e-12)
        assert fit.history.time.shape == (TICKS + 1,)


def test_every_run_has_a_seed_of_its_own(results):
    """Runs of one seed deviate from the bound together; these are determined by the seed given."""
    seeds = [point["seed"] for point in results["table"] + results["scan"]]
    assert len(set(seeds)) == len(seeds) == 27
    assert set(seeds) < set(islice(seeds_of(results["seed"]), 43))
    neighbour = islice(seeds_of(results["seed"] + 1), 43)
    assert not set(seeds) & set(neighbour)


def test_the_results_tell_how_they_came_about(results):
    assert results["ktc"] == ktc.__version__
    assert results["command"] == "demo"
    assert results["seed"] == Settings().seed
    chosen = results["parameters"]
    assert (chosen["replicas"], chosen["ticks"], chosen["digit"]) == (REPLICAS, TICKS, 3)
    assert chosen["duration"] == pytest.approx(1e-5)
    names = [point["schedule"] for point in results["scan"]]
    assert set(names) == {
        "MinimalDissipation", "ContinuousMinimalDissipation", "Constant", "Exponential", "Cosine",
    }  # fmt: skip
    assert len(names) == 25
    # The learner that knows the target pays for its first displacement: more than the bound.
    assert results["table"][0]["rate"] is None


def test_the_same_seed_gives_the_same_files(tmp_path):
    """The largest seed there is, after which the seeds of search and scan start again at 0."""
    texts = []
    for name in ("a", "b"):
        settings = Settings(replicas=20, ticks=10, seed=2**64 - 1, out=tmp_path / name)
        demo(settings, digit=7)
        texts.append((tmp_path / name / "results.json").read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    results = json.loads(texts[0])
    assert (results["seed"], results["parameters"]["digit"]) == (2**64 - 1, 7)


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setattr(demo_module, "find_spec", lambda name: None)
    with refused(ModuleNotFoundError, "scikit-learn", "pip install 'ktc[demo]'"):
        demo(Settings(out=tmp_path / "new"))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("mean", "stderr", "text"),
    [
        (20.4517, 0.1481, "20.45 ± 0.15"),
        (1234.5, 21.3, "1234 ± 21"),
        (0.0123456, 0.00012, "0.01235 ± 0.00012"),
        (1234.5, 213.0, "1234 ± 213"),
        (2.0, 0.0, "2"),
        (2.0, np.inf, "2"),
        (1e-26, 2.1e-27, "(1.00 ± 0.21)e-26"),
        (0.012345, 0.0000101, "0.012345 ± 0.000010"),
        (0.012345, 0.00000101, "(1.23450 ± 0.00010)e-02"),
        (-2.5e-9, 4e-8, "(-0.2 ± 4.0)e-08"),
        (9_999_999.0, 123.0, "9999999 ± 123"),
        (1.6834e9, 6.6e8, "(1.68 ± 0.66)e+09"),
        (1e300, 1e-300, "(1.000000000000000 ± 0.000000000000000)e+300"),
    ],
)
def test_numbers_show_the_digits_that_their_errors_allow(mean, stderr, text):
    assert report.with_error(Estimate(mean, stderr, method="")) == text
