"""The tool that guards the layers sees what goes upward, and this tree has none of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from project_tools import tool

ROOT = Path(__file__).resolve().parents[1]
layers = tool("layers")
TYPES = "from typing import TYPE_CHECKING\n"


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
        ("cpp/ground/a.hpp", "#include <engine/engine.hpp>", "lies above ground"),
        ("cpp/ground/a.hpp", '#include /* b */ "engine/engine.hpp"', "lies above ground"),
        ("cpp/ground/a.hpp", '#include /*\n*/ "engine/engine.hpp"', "lies above ground"),
        ("cpp/ground/a.hpp", '#include \\\n "engine/engine.hpp"', "lies above ground"),
        ("cpp/ground/a.hpp", '#include "kernels/pack.hpp"', "lies above ground"),
        ("cpp/ground/a.hpp", "#include HEADER", "as its path in quotes or angles"),
        ("cpp/ground/a.hpp", 'import "engine/engine.hpp";', "include a header"),
        ("cpp/ground/a.hpp", "#include <../cpp/engine/engine.hpp>", "write the path from cpp/"),
        ("cpp/ground/a.h", "", "neither in .hpp nor in .cpp"),
        ("cpp/ground/a.cxx", "", "neither in .hpp nor in .cpp"),
        ("cpp/ground/a.inc", "", "neither in .hpp nor in .cpp"),
        (
            "bindings/a.cpp",
            'auto m = py::module_::import("ktc._learning.learn");',
            "C++ may import no Python module",
        ),
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
        *(
            ("python/ktc/_model/network.py", line, reason)
            for line, reason in [
                ("from importlib import import_module", "importlib.import_module may hide"),
                ("import importlib", "importlib may hide an import"),
                ("__import__('ktc._learning.learn')", "__import__ may hide an import"),
                ("exec('import ktc._learning.learn')", "exec may hide an import"),
                ("import sys\nsys.modules['ktc._learning.learn']", "sys.modules may hide"),
                ("import sys\nsys.modules.get('ktc._learning')", "sys.modules may hide"),
                ("from sys import modules", "sys.modules may hide"),
                (TYPES + "if not TYPE_CHECKING:\n    import tqdm", "tqdm may be known only"),
                (TYPES + "if TYPE_CHECKING:\n    pass\nelse:\n    import tqdm", "tqdm may be"),
                (TYPES + "if 1 or TYPE_CHECKING:\n    import tqdm", "tqdm may be known only"),
            ]
        ),
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
        ("cpp/ground/a.cpp", '// #include "engine/engine.hpp"\n/*\n#include HEADER\n*/'),
        ("cpp/ground/a.cpp", '#include "ground/a.hpp"  // a\nconst char* c = "// #include X";'),
        ("python/ktc/_base/a.py", "import sys\nsys.modules.get('numpy.ma')"),
        ("python/ktc/_base/a.py", "from importlib.metadata import version"),
        ("python/ktc/_base/lazy_imports.py", "from importlib import import_module"),
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


@pytest.mark.parametrize("head", ["if not TYPE_CHECKING:", "if TYPE_CHECKING:\n    pass\nelse:"])
def test_circles_hide_behind_no_check_for_types(tmp_path, head):
    folder = tmp_path / "python" / "ktc" / "_model"
    folder.mkdir(parents=True)
    guarded = f"{TYPES}{head}\n    from ktc._model.z import Z\n"
    (folder / "y.py").write_text(guarded, encoding="utf-8")
    (folder / "z.py").write_text("from ktc._model.y import Y\n", encoding="utf-8")
    (complaint,) = layers.check(tmp_path)
    assert complaint == "circle of imports: ktc._model.y → ktc._model.z → ktc._model.y"


@pytest.mark.parametrize("line", ['#include "ground/b.hpp"', '#include "b.hpp"'])
def test_circles_of_headers_are_found(tmp_path, line):
    folder = tmp_path / "cpp" / "ground"
    folder.mkdir(parents=True)
    (folder / "a.hpp").write_text(line + "\n", encoding="utf-8")
    (folder / "b.hpp").write_text("#include <ground/a.hpp>\n", encoding="utf-8")
    (complaint,) = layers.check(tmp_path)
    assert complaint == (
        "circle of includes: cpp/ground/a.hpp → cpp/ground/b.hpp → cpp/ground/a.hpp"
    )


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
