"""The tool that guards the layers sees what goes upward, and this tree has none of it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
specification = importlib.util.spec_from_file_location("layers", ROOT / "tools" / "layers.py")
layers = importlib.util.module_from_spec(specification)
specification.loader.exec_module(layers)


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
            "python/ktc/network.py",
            "from ktc.emulation.emulator import Emulator",
            "lies above description",
        ),
        ("python/ktc/network.py", "from ktc.emulation import run", "lies above description"),
        ("python/ktc/network.py", "from .emulation.run import Run", "lies above description"),
        (
            "python/ktc/network.py",
            "def f():\n    import ktc.emulation.run",
            "lies above description",
        ),
        ("python/ktc/network.py", "import ktc", "lies above description"),
        (
            "python/ktc/learning/learner.py",
            "import matplotlib.pyplot as plt",
            "matplotlib may be known",
        ),
        ("python/ktc/learning/learner.py", "from tqdm import tqdm", "tqdm may be known only"),
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
            "python/ktc/emulation/emulator.py",
            "from ktc import _core\nfrom ktc.network import Network",
        ),
        ("python/ktc/plot/a.py", "import matplotlib\nfrom ktc.emulation.run import Run"),
    ],
)
def test_downward_import_passes(tmp_path, path, line):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(line + "\n", encoding="utf-8")
    assert layers.check(tmp_path) == []
