"""The command line: ``ktc learn`` on a user's table, options, errors in one line, exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import struct
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest

import ktc
from ktc._commands.command_line import main
from ktc._commands.experiment import FIGURES, FITS

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
        [sys.executable, "-m", "ktc", "learn", "mine.csv", f"--replicas={REPLICAS}",
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
    """Independent columns of equal spread: all modes relax in about RC = 1 µs.

    What the note says is so: minimal dissipation arrives, within 5σ of 1/√N standard deviations.
    """
    assert "note:" not in finished[0].stdout
    path = tmp_path / "mine.csv"
    np.savetxt(path, np.random.default_rng(1).normal(size=(500, 2)), delimiter=",")
    options = ["--replicas=400", "--ticks=4", f"--out={tmp_path / 'out'}"]
    assert main(["learn", str(path), *options, "--duration=2e-5"]) == 0
    out = capsys.readouterr().out
    assert "note: a tick of 5e-06 s is longer than the relaxation time of the fastest mode" in out
    assert "Minimal dissipation accounts for it and reaches its target" in out
    assert re.search(r"about 2\d ticks are needed", out)
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    minimal = results["table"][0]
    assert minimal["final_error"] < 5 / np.sqrt(400)
    assert minimal["ratio"]["mean"] > 1 + 4 * minimal["ratio"]["stderr"]
    assert main(["learn", str(path), *options, "--duration=1e6"]) == 0
    assert "about 1.0e+12 ticks are needed" in capsys.readouterr().out


def small(tmp_path, values, *options, header=""):
    """A table and the arguments of a quick ``ktc learn`` of it."""
    path = tmp_path / "mine.csv"
    np.savetxt(path, values, delimiter=",", header=header, comments="", encoding="utf-8")
    out = f"--out={tmp_path / 'out'}"
    return ["learn", str(path), "--replicas=20", "--ticks=10", out, *options]


def test_a_cryostat_has_a_table_of_short_numbers(tmp_path, capsys):
    assert main(small(tmp_path, table()[:, :2], "--temperature=1e-3")) == 0
    out = capsys.readouterr().out
    assert "at 1 mK" in out
    assert "[rJ]" in out
    assert max(map(len, out.split("results in")[0].splitlines())) < 120


@pytest.mark.parametrize("name", ["US$^^ and A$", "温度"])
def test_any_name_of_a_column_can_be_drawn(name, tmp_path, capsys):
    """Warnings are errors here."""
    assert main(small(tmp_path, table()[:, :2], header=f"{name},b")) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["parameters"]["columns"] == [name, "b"]
    assert (tmp_path / "out" / FIGURES[0]).exists()


def test_one_column_is_one_cell(tmp_path, capsys):
    assert main(small(tmp_path, table()[:, :1])) == 0
    assert "on 1 RC cell of" in capsys.readouterr().out


@pytest.mark.parametrize("figure", ["means", "excess_over_duration", "side_by_side"])
def test_what_was_found_is_kept_where_a_figure_fails(figure, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("no ink")

    monkeypatch.setattr(f"ktc._learning.comparison_figure.{figure}", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        main(small(tmp_path, table()[:, :2]))
    kept = {path.name for path in (tmp_path / "out").iterdir()}
    assert kept >= {"results.json", *FITS}
    ktc.Fit.load(tmp_path / "out" / FITS[0])


def test_a_run_that_fails_leaves_no_empty_folder(tmp_path, monkeypatch, capsys):
    def fail(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr("ktc._commands.experiment.compare", fail)
    line = refused(small(tmp_path, table()[:, :2]), capsys)
    assert "not enough memory" in line
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    refused(small(tmp_path, table()[:, :2]), capsys)
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--temperature=1e-30", "--capacitance=1e-30", "--resistance=1e30"),
        ("--temperature=1e30", "--capacitance=1e30", "--resistance=1e30"),
        ("--duration=2e-24",),
        ("--duration=9e11",),
    ],
)
def test_the_ends_of_the_ranges_still_work(options, tmp_path):
    """Bounds and energies are finite numbers there, and no warning is given."""
    assert main(small(tmp_path, table()[:, :2], *options)) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    for point in results["scan"]:
        assert point["bound"]["J"] > 0
        assert point["ratio"]["mean"] + 5 * point["ratio"]["stderr"] > 1


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "ktc", "--version"], capture_output=True, encoding="utf-8"
    )
    assert (done.returncode, done.stdout) == (0, f"ktc {ktc.__version__}\n")


def test_the_script_is_this_one():
    (script,) = entry_points(group="console_scripts", name="ktc")
    assert script.value == "ktc._commands.command_line:main"


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
        (["demo", "--duration", "1e300"], ["duration must be between 1e-24 and 1e+12 s", "1e+300"]),
        (["demo", "--duration", "1e-300"], ["duration must be between", "nearer to RC = 1e-06 s"]),
        (["demo", "--temperature", "1e-300"], ["temperature must be between 1e-30 and 1e+30 K"]),
        (["demo", "--capacitance", "1e300"], ["capacitance must be between", "is 1e+300; choose"]),
        (["demo", "--resistance", "1e-40"], ["resistance must be between", "Ω", "1e-40"]),
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
        ("1,2\n1,2\n", ["all equal"]),
        ("1,1e300\n2,-1e300\n", ["column 2", "standard deviation overflows"]),
        ("1,1e-200\n2,2e-200\n", ["column 2", "standard deviation underflows", "smaller unit"]),
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


@contextlib.contextmanager
def watched(arguments, folder):
    """The command line whose standard error is a terminal: the process, and a reader of that."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    screen, terminal = pty.openpty()
    fcntl = pytest.importorskip("fcntl", reason="needs a pseudo-terminal")
    termios = pytest.importorskip("termios", reason="needs a pseudo-terminal")
    # Rows and columns; a new one has none of them, and no room for a bar.
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "ktc", *arguments],
        cwd=folder, stderr=terminal, stdout=subprocess.PIPE,
        # The tests may themselves run where Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    os.close(terminal)

    def read_until(text):
        said = b""
        # The end of a terminal is an error on Linux and an empty read elsewhere.
        with contextlib.suppress(OSError):
            while text is None or text not in said:
                if not (read := os.read(screen, 4096)):
                    break
                said += read
        return said

    with process:
        yield process, read_until
    os.close(screen)


def test_progress_is_shown_on_a_terminal(tmp_path):
    with watched(small(tmp_path, table()[:, :2]), tmp_path) as (process, read_until):
        said = read_until(None).decode()
        out = process.stdout.read().decode()
    assert process.returncode == 0
    assert "ktc learn:" in said
    assert "drawing" in said
    assert out.startswith("Mean of 60 rows")


def test_control_c_ends_it_in_one_line(tmp_path):
    """Sent while a long run is under way, as the progress bar says."""
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    arguments = ["demo", "--replicas=20000", "--ticks=100000"]
    with watched(arguments, tmp_path) as (process, read_until):
        said = read_until(b"minimal dissipation")
        process.send_signal(signal.SIGINT)
        rest = read_until(None)
        out = process.stdout.read()
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in said + rest
    assert rest.decode().rstrip().endswith("ktc: interrupted")
    assert not (tmp_path / "ktc-demo").exists()
