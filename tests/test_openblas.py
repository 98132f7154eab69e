"""Which kernels our copy of OpenBLAS uses, and what loading it leaves behind."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys

import pytest

import ktc
from ktc._base.load_core import AVX512, VARIABLE, chosen_kernels, core_type

ORDINARY = "fpu sse sse2 avx avx2 fma"


def cpuinfo(vendor: str, flags: str, processors: int = 2) -> str:
    """A made-up /proc/cpuinfo."""
    lines = [
        f"vendor_id\t: {vendor}",
        "model name\t: A: B",
        f"flags\t\t: {flags}",
        "power management:",
    ]
    return "".join(f"processor\t: {i}\n" + "\n".join(lines) + "\n\n" for i in range(processors))


@pytest.mark.parametrize("vendor", ["AuthenticAMD", "HygonGenuine"])
def test_processors_whose_avx512_may_be_overlooked_are_told(vendor: str) -> None:
    every = " ".join([ORDINARY, *sorted(AVX512)])
    assert core_type(cpuinfo(vendor, every)) == "SkylakeX"
    for missing in AVX512:
        some = " ".join([ORDINARY, *sorted(AVX512 - {missing})])
        assert core_type(cpuinfo(vendor, some)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "processor : 0",
        cpuinfo("GenuineIntel", " ".join([ORDINARY, *AVX512])),
        cpuinfo("AuthenticAMD", ORDINARY),
        "processor\t: 0\nCPU implementer\t: 0x41\nFeatures\t: fp asimd\n",
        # The flags of another processor than the first are not its own.
        cpuinfo("AuthenticAMD", ORDINARY, 1) + cpuinfo("AuthenticAMD", " ".join(AVX512), 1),
    ],
)
def test_others_choose_for_themselves(text: str) -> None:
    assert core_type(text) is None


def test_a_text_cut_off_within_the_second_processor_is_enough() -> None:
    text = cpuinfo("AuthenticAMD", " ".join(AVX512))
    assert core_type(text[: len(text) * 2 // 3]) == "SkylakeX"


@pytest.mark.parametrize("before", [None, "Haswell", ""])
def test_the_environment_is_as_it_was(monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    if before is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, before)
    known = dict(os.environ)
    with chosen_kernels("SkylakeX"):
        assert os.environ[VARIABLE] == ("SkylakeX" if before is None else before)
    assert dict(os.environ) == known
    with pytest.raises(ImportError), chosen_kernels("SkylakeX"):
        raise ImportError
    assert dict(os.environ) == known
    with chosen_kernels(None):
        assert dict(os.environ) == known


def run(script: str, **environment: str) -> str:
    """What a process of its own prints."""
    unset = {name: value for name, value in os.environ.items() if name != VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**unset, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


CORE = "import os, ktc; print(ktc.show_config()['openblas core'], os.environ.get('{}'))"


def test_importing_leaves_no_trace_in_the_environment() -> None:
    assert run(CORE.format(VARIABLE)).endswith(" None")


@pytest.mark.skipif(
    ktc.show_config()["machine"] not in ("x86_64", "AMD64"), reason="its cores are of x86-64"
)
def test_the_kernels_that_the_user_asks_for_are_used() -> None:
    assert run(CORE.format(VARIABLE), OPENBLAS_CORETYPE="Nehalem") == "Nehalem Nehalem"


def test_numpy_is_loaded_before_the_choice_is_made() -> None:
    script = """
import os, sys
seen = []
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "ktc._core"):
            seen.append((name, "{0}" in os.environ))
sys.meta_path.insert(0, Finder())
import ktc
print(seen)
"""
    loaded = eval(run(script.format(VARIABLE)))
    assert [name for name, _ in loaded] == ["numpy", "ktc._core"]
    assert loaded[0] == ("numpy", False)


def test_importing_loads_neither_pictures_nor_what_few_need() -> None:
    loaded = run("import sys, ktc; print(*sys.modules)").split()
    heavy = {"matplotlib", "sklearn", "tqdm", "importlib.metadata", "scipy.stats", "scipy.linalg"}
    assert not heavy & set(loaded)


def test_the_core_knows_the_version_of_the_package() -> None:
    assert ktc.__version__ == importlib.metadata.version("ktc")
