"""Loads the core, and with it its own copy of OpenBLAS, told to use the processor's AVX-512.

OpenBLAS chooses its kernels once, when it is loaded, and takes the environment's word for it. NumPy
has a copy of its own, which is loaded first, so that its choice is not ours to make.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np  # noqa: F401  # before the core: NumPy's copy must choose for itself

VARIABLE = "OPENBLAS_CORETYPE"
AVX512_CORE = "SkylakeX"
# What the kernels of that core are compiled for.
AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
# On Intel's processors OpenBLAS sees AVX-512 itself, and may know better cores than this one.
OVERLOOKED = ("AuthenticAMD", "HygonGenuine")
# Enough for the first processor; with hundreds of them the whole file takes milliseconds.
FIRST_PROCESSOR = 8192


def core_type(cpuinfo: str) -> str | None:
    """OpenBLAS's name of the kernels for a processor, or None where the choice is OpenBLAS's own.

    Args:
        cpuinfo: what Linux says of it in /proc/cpuinfo.
    """
    lines = (line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines())
    facts = {name.strip(): value.strip() for name, _, value in lines}
    overlooked = facts.get("vendor_id") in OVERLOOKED
    return AVX512_CORE if overlooked and set(facts.get("flags", "").split()) >= AVX512 else None


@contextmanager
def chosen_kernels(core: str | None) -> Iterator[None]:
    """Tells a copy of OpenBLAS that is loaded meanwhile which kernels to use.

    What the user has set stands, and the environment is afterwards as it was before.
    """
    if core is None or VARIABLE in os.environ:
        yield
        return
    os.environ[VARIABLE] = core
    try:
        yield
    finally:
        del os.environ[VARIABLE]


def _cpuinfo() -> str:
    """What the system says of its first processor; nothing where it has no such file."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return file.read(FIRST_PROCESSOR)
    except OSError:
        return ""


with chosen_kernels(core_type(_cpuinfo())):
    if sys.platform == "win32":
        import scipy_openblas32  # noqa: F401  # the library that the core links
    from ktc import _core  # noqa: F401
