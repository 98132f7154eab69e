"""The tool that checks conventions of the source finds what breaks them."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from project_tools import ROOT, tool

conventions = tool("conventions")


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("path", ["cpp/engine/a.cpp", "bindings/a.hpp", "python/ktc/_model/a.py"])
def test_long_files_are_refused(tmp_path, path):
    write(tmp_path, path, "\n" * 400)
    assert conventions.check(tmp_path) == []
    write(tmp_path, path, "\n" * 401)
    assert conventions.check(tmp_path) == [f"{path}: 401 lines; split it below 400"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("isinstance(self._engine, MomentsEngine)", "isinstance of MomentsEngine outside"),
        ("isinstance(engine, (int, _core.Engine))", "isinstance of Engine outside"),
        ("isinstance(engine, int | DensityEngine)", "isinstance of DensityEngine outside"),
        ("getattr(device, 'limits', None)", "getattr of device"),
        ("hasattr(self._device, 'settle')", "hasattr of self._device"),
        ("type(engine) is MomentsEngine", "isinstance of MomentsEngine outside"),
        ("engine.__class__ == _engines.MomentsEngine", "isinstance of MomentsEngine outside"),
        ("issubclass(type(engine), MomentsEngine)", "isinstance of MomentsEngine outside"),
        ("getattr(given, 'limits', None)", "getattr of given"),
        ("hasattr(made_of, 'settle')", "hasattr of made_of"),
        ("getattr(one, 'limits')", "getattr of one"),
        ("getattr(device, name)", "getattr of device"),
        ("'settle' in vars(one)", "vars of one"),
        ("type(given) is Emulator", "class Emulator compared"),
        ("isinstance(device, Limited)", None),
        ("type(bias) is np.ndarray", None),
        ("{**vars(self)}", None),
        ("getattr(fit, name)", None),
    ],
)
def test_engines_and_devices_are_not_asked_what_they_are(tmp_path, code, reason):
    write(tmp_path, "python/ktc/_learning/a.py", f"def f():\n    return {code}\n")
    found = conventions.check(tmp_path)
    assert len(found) == (reason is not None)
    if reason:
        assert found[0].startswith("python/ktc/_learning/a.py:2: ") and reason in found[0]


@pytest.mark.parametrize("name", ["MomentsEngine", "Emulator"])
def test_patterns_do_not_ask_for_a_class_either(tmp_path, name):
    code = f"def f(given):\n    match given:\n        case {name}():\n            return 1\n"
    write(tmp_path, "python/ktc/_learning/a.py", code)
    (found,) = conventions.check(tmp_path)
    assert found.startswith("python/ktc/_learning/a.py:3: ") and name in found


def test_the_factory_may_ask_for_the_class_of_an_engine(tmp_path):
    code = "def f(engine):\n    return isinstance(engine, MomentsEngine)\n"
    write(tmp_path, conventions.FACTORY, code)
    assert conventions.check(tmp_path) == []
    write(tmp_path, "python/ktc/_engines/a.py", code)
    assert len(conventions.check(tmp_path)) == 1


def test_ceilings_of_any_only_fall(tmp_path):
    text = "import typing\nfrom typing import Any\n\n\ndef f(x: Any) -> typing.Any:\n    return x\n"
    write(tmp_path, "python/ktc/a.py", text)
    assert conventions.counts(tmp_path) == {"python/ktc/a.py": 2}

    def ceiling(most):
        write(tmp_path, conventions.CEILINGS, json.dumps({"python/ktc/a.py": most}))

    ceiling(1)
    assert conventions.check(tmp_path) == [
        "python/ktc/a.py: Any 2 times; tools/any_ceilings.json allows 1"
    ]
    conventions.lower(tmp_path)
    assert conventions.ceilings(tmp_path) == {"python/ktc/a.py": 1}
    ceiling(3)
    assert "--lower" in conventions.check(tmp_path)[0]
    conventions.lower(tmp_path)
    assert conventions.check(tmp_path) == []


def test_hooks_have_the_versions_of_the_checks():
    """What decides whether a check passes has one version, wherever it is run."""
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = dict(
        re.findall(r"([\w-]+)==([\d.]+)", " ".join(extra["optional-dependencies"]["dev"]))
    )
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    for repository, name in (
        ("ruff-pre-commit", "ruff"),
        ("mirrors-clang-format", "clang-format"),
        ("mirrors-mypy", "mypy"),
    ):
        assert re.search(rf"/{repository}\s+rev: v(\S+)", hooks)[1] == pinned[name]
