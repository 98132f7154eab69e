"""The tool that guards the layers sees what goes upward, and this tree has none of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from project_tools import tool

ROOT = Path(__file__).resolve().parents[1]
layers = tool("layers")


def test_this_tree_has_no_upward_import():
    assert layers.check(ROOT) == []


@pytest.mark.parametrize(
    ("path", "line", "reason"),
    [
        ("cpp/ground/a.hpp", '#include "engine/engine.hpp"', "lies above ground"),
        ("cpp/motion/a.cpp", "#include <pybind11/pybind11.h>", "pybind11 may be known only"),
        ("cpp/motion/a.cpp", "#include <cblas.h>", "cblas.h may be known only"),
        ("cpp/motion/a.cpp", '#include "nowhere/a.hpp"', "is in no layer"),
        ("cpp/nowhere/a.cpp", "", "is in no layer"),
        (
            "python/ktc/_model/network.py",
            "from ktc._emulation.emulator import Emulator",
            "lies above model",
        ),
        ("python/ktc/_model/network.py", "from ktc._emulation import run", "lies above model"),
        ("python/ktc/_model/network.py", "from .._emulation.run import Run", "lies above model"),
        (
            "python/ktc/_model/network.py",
            "def f():\n    import ktc._emulation.run",
            "lies above model",
        ),
        ("python/ktc/_model/network.py", "import ktc", "lies above model"),
        (
            "python/ktc/_learning/learn.py",
            "import matplotlib.pyplot as plt",
            "matplotlib may be known",
        ),
        ("python/ktc/_learning/learn.py", "from tqdm import tqdm", "tqdm may be known only"),
        ("python/ktc/unheard.py", "", "is in no layer"),
    ],
)
def test_upward_import_is_refused(tmp_path, path, line, reason):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(line + "\n", encoding="utf-8")
    (complaint,) = layers.check(tmp_path)
    assert complaint.startswith(path)
    assert reason in complaint


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("cpp/engine/a.cpp", '#include "ground/dense.hpp"\n#include <vector>'),
        ("cpp/ground/dense.cpp", "#include <cblas.h>"),
        ("bindings/a.cpp", '#include "arrays.hpp"\n#include <pybind11/numpy.h>'),
        (
            "python/ktc/_emulation/emulator.py",
            "from ktc import _core\nfrom ktc._model.network import Network",
        ),
        ("python/ktc/_drawing/a.py", "import matplotlib\nfrom ktc._base.units import Units"),
    ],
)
def test_downward_import_passes(tmp_path, path, line):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(line + "\n", encoding="utf-8")
    assert layers.check(tmp_path) == []


@pytest.mark.parametrize("line", ["import ktc._model.b", "def f():\n    from ktc._model import b"])
def test_circles_of_modules_are_found_in_functions_too(tmp_path, line):
    folder = tmp_path / "python" / "ktc" / "_model"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(line + "\n", encoding="utf-8")
    (folder / "b.py").write_text("from ktc._model.a import A\n", encoding="utf-8")
    (complaint,) = layers.check(tmp_path)
    assert complaint == "circle of imports: ktc._model.a → ktc._model.b → ktc._model.a"


def test_types_of_one_package_may_know_each_other_but_not_those_above(tmp_path):
    folder = tmp_path / "python" / "ktc" / "_model"
    folder.mkdir(parents=True)
    guard = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
    (folder / "a.py").write_text(guard + "from ktc._model.b import B\n", encoding="utf-8")
    (folder / "b.py").write_text("from ktc._model.a import A\n", encoding="utf-8")
    assert layers.check(tmp_path) == []
    (folder / "a.py").write_text(guard + "from ktc._boards.board import B\n", encoding="utf-8")
    (complaint,) = layers.check(tmp_path)
    assert "lies above model" in complaint


def test_types_of_a_library_may_be_known_anywhere(tmp_path):
    file = tmp_path / "python" / "ktc" / "_learning" / "fit.py"
    file.parent.mkdir(parents=True)
    guard = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
    file.write_text(guard + "from matplotlib.figure import Figure\n", encoding="utf-8")
    assert layers.check(tmp_path) == []
