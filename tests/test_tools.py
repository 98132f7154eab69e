"""Tools that measure what documents claim."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from project_tools import tool

ROOT = Path(__file__).parents[1]


def test_costs_of_learning_are_measured_at_reduced_size():
    command = [sys.executable, str(ROOT / "tools" / "learning_costs.py"), "--quick"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 9 and all(re.search(r"-?\d+\.\d+ (s|ms|GiB)\b", line) for line in lines)
    assert sum("products" in line for line in lines) == sum("matrices" in line for line in lines)


def test_floors_are_those_of_the_project_file():
    floors = tool("floors")
    declared = floors.floors((ROOT / "pyproject.toml").read_text(encoding="utf-8"), ["test"])
    names = {line.partition("==")[0] for line in declared}
    assert {"numpy", "scipy", "matplotlib", "tqdm", "scipy-openblas32", "pytest"} <= names


def test_a_dependency_without_a_floor_is_refused():
    text = '[project]\ndependencies=["a>=1.2", "b"]\n[project.optional-dependencies]\nx=["c>=3"]\n'
    with pytest.raises(SystemExit, match="'b' has no floor"):
        tool("floors").floors(text, [])
    assert tool("floors").floors(text.replace('"b"', '"b>=0.1.0"'), ["x"]) == [
        "a==1.2",
        "b==0.1.0",
        "c==3",
    ]


def test_quick_tests_exist():
    """``pytest @tests/quick.txt`` runs them: on the floors of the dependencies, for example."""
    listed = (ROOT / "tests" / "quick.txt").read_text(encoding="utf-8").split()
    assert listed == sorted(set(listed)) and all((ROOT / name).exists() for name in listed)


def test_arrows_of_the_architecture_leave_out_what_others_imply():
    found = {"low": {}, "middle": {"low": False}, "top": {"low": False, "middle": True}}
    assert tool("architecture").needed(found) == [("top", "middle"), ("middle", "low")]
