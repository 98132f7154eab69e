"""The command line: ``ktc learn`` on a user's table, options, errors in one line, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest

import ktc
from ktc.cli import main
from ktc.experiment import FIGURES, FITS

REPLICAS = 400


def table(rows=60, seed=2):
    """Three correlated columns of very different size, and a constant one."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3)) @ [[1.0, 0.8, 0.1], [0.0, 0.6, -0.5], [0.0, 0.0, 1.0]]
    return np.column_stack([values * [1e-3, 1.0, 1e6] + [5e-3, -2.0, 1e7], np.full(rows, 7.0)])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small ``ktc learn`` in a folder of its own: what the process said, and the folder."""
    folder = tmp_path_factory.mktemp("learn")
    np.savetxt(
        folder / "mine.csv", table(), fmt="%.17g", delimiter=";",
        header='width;"a; b";cost;constant', comments="",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "ktc.cli", "learn", "mine.csv", f"--replicas={REPLICAS}",
         "--ticks=500", "--seed=4", "--temperature=77", "--resistance=1e5", "--capacitance=1e-13",
         "--duration=2e-7", "--out=there/results"],
        cwd=folder, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done, folder / "there" / "results"


def test_learning_a_table_writes_its_folder(finished):
    done, folder = finished
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert sorted(p.name for p in folder.iterdir()) == sorted([*FIGURES, *FITS, "results.json"])
    assert results["seed"] == 4
    chosen = results["parameters"]
    assert chosen["columns"] == ["width", "a; b", "cost", "constant"]
    assert (chosen["temperature"], chosen["resistance"], chosen["duration"]) == (77.0, 1e5, 2e-7)
    assert results["kT"] == pytest.approx(1.380649e-23 * 77, rel=1e-12)
    assert "60 rows of mine.csv" in done.stdout
    assert "100 kΩ and 100 fF at 77 K, in 200 ns" in done.stdout
    fit = ktc.Fit.load(folder / FITS[0])
    np.testing.assert_allclose(fit.start.network.friction.diagonal(), 1e5)


def test_learning_a_table_meets_the_bound_and_finds_the_mean(finished):
    """The ratio within 4σ, false alarms at 6.3e-5, and the bias of at most 3 kT/N a column."""
    results = json.loads((finished[1] / "results.json").read_text(encoding="utf-8"))
    minimal, constant = results["table"]
    bias = 3 * 4 / REPLICAS / minimal["bound"]["kT"]
    error = minimal["ratio"]["stderr"]
    assert -4 * error < minimal["ratio"]["mean"] - 1 < bias + 4 * error
    assert constant["ratio"]["mean"] - 1 > 4 * constant["ratio"]["stderr"]
    data = table()
    np.testing.assert_allclose(results["data_mean"], data.mean(axis=0), rtol=1e-9)
    # The learned mean scatters by about 1/√N standard deviations a column; the constant one was
    # given a width of 1.
    widths = np.append(data.std(axis=0)[:3], 1.0)
    miss = (np.array(minimal["learned_mean"]) - data.mean(axis=0)) / widths
    assert np.abs(miss).max() < 5 / np.sqrt(REPLICAS)
    assert minimal["final_error"] == pytest.approx(np.sqrt(np.mean(miss**2)), rel=1e-9)


def test_ticks_that_are_too_long_are_told(finished, tmp_path, capsys):
    """Independent columns of equal spread: all modes relax in about RC = 1 µs."""
    assert "note:" not in finished[0].stdout
    path = tmp_path / "mine.csv"
    np.savetxt(path, np.random.default_rng(1).normal(size=(500, 2)), delimiter=",")
    options = ["--replicas=20", "--ticks=4", "--duration=2e-5", f"--out={tmp_path / 'out'}"]
    assert main(["learn", str(path), *options]) == 0
    out = capsys.readouterr().out
    assert "note: a tick of 5e-06 s is longer than the fastest mode's relaxation time" in out
    assert "below 2" in out


def test_the_script_is_this_one():
    (script,) = entry_points(group="console_scripts", name="ktc")
    assert script.value == "ktc.cli:main"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--version"], [f"ktc {ktc.__version__}"]),
        (["--help"], ["demo", "learn"]),
        (["demo", "--help"], ["--digit", "--duration SECONDS", "default: 10 RC", "ktc-demo"]),
        (["learn", "--help"], ["FILE", "--replicas", "--seed", "--out FOLDER", "ktc-learn"]),
    ],
)
def test_help_and_version(arguments, parts, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for part in parts:
        assert part in out


def refused(arguments, capsys):
    """The one line that a refused command says."""
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    (line,) = said.err.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["required: {demo,learn}", "see ktc --help"]),
        (["lern"], ["lern"]),
        (["learn"], ["required: FILE", "see ktc learn --help"]),
        (["demo", "--digit", "12"], ["--digit", "12"]),
        (["demo", "--digit", "x"], ["--digit", "'x'"]),
        (["demo", "--duration", "0"], ["--duration", "must be a positive number, but is '0'"]),
        (["demo", "--duration", "nan"], ["--duration", "'nan'"]),
        (["demo", "--temperature", "-4"], ["--temperature", "'-4'"]),
        (["demo", "--capacitance", "inf"], ["--capacitance", "'inf'"]),
        (["demo", "--resistance", "one"], ["--resistance", "'one'"]),
        (["demo", "--replicas", "1"], ["--replicas", "at least 2, but is '1'"]),
        (["demo", "--ticks", "2.5"], ["--ticks", "at least 1, but is '2.5'"]),
        (["demo", "--seed", str(2**64)], ["--seed", str(2**64)]),
        (["demo", "--bogus"], ["--bogus"]),
    ],
)
def test_options_that_make_no_sense(arguments, parts, capsys):
    line = refused(arguments, capsys)
    assert line.startswith("ktc")
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["mine.csv is empty"]),
        ("a,b\n1,2\n3,\n", ["line 3, column 2 ('b')", "missing"]),
        ("a,b\n1,2\n3,four\n", ["line 3, column 2 ('b')", "'four'"]),
        ("1,2\n", ["one row", "at least two"]),
        ("1,2\n1,2\n", ["all alike"]),
        ("1,1e300\n2,-1e300\n", ["column 2", "standard deviation overflows"]),
    ],
)
def test_tables_that_cannot_be_learned(content, parts, tmp_path, capsys):
    path = tmp_path / "mine.csv"
    path.write_text(content, encoding="utf-8")
    line = refused(["learn", str(path), "--out", str(tmp_path / "out")], capsys)
    for part in parts:
        assert part in line
    assert not (tmp_path / "out").exists()


def test_files_and_folders_that_are_not_there(tmp_path, capsys):
    line = refused(["learn", str(tmp_path / "none.csv")], capsys)
    assert "none.csv: No such file" in line
    path = tmp_path / "mine.csv"
    path.write_text("1,2\n3,5\n", encoding="utf-8")
    line = refused(["learn", str(path), "--out", str(path)], capsys)
    assert "out must be a folder" in line
    line = refused(["learn", str(path), "--out", str(path / "below")], capsys)
    assert "below" in line


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_control_c_ends_it_in_one_line(tmp_path):
    """Sent while a long run is under way, as the progress bar says."""
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    process = subprocess.Popen(
        [sys.executable, "-m", "ktc.cli", "demo", "--replicas=20000", "--ticks=100000"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        # The tests may themselves run where Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    said = b""
    while b"minimal dissipation" not in said and (read := os.read(process.stderr.fileno(), 4096)):
        said += read
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate()
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in said + rest
    assert rest.decode().rstrip().endswith("ktc: interrupted")
