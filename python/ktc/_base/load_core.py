"""Load the core with its own copy of OpenBLAS, which uses AVX-512 where the processor has it.

OpenBLAS chooses its kernels once, when it is loaded; an environment variable overrides the choice.
NumPy's copy of OpenBLAS is loaded first, so that its choice is not affected.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np  # noqa: F401  # before the core, so that NumPy's copy is not affected

VARIABLE = "OPENBLAS_CORETYPE"
AVX512_CORE = "SkylakeX"
# Extensions that the kernels of that core need.
AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
# Vendors whose AVX-512 OpenBLAS overlooks. On Intel processors it detects better cores itself.
OVERLOOKED = ("AuthenticAMD", "HygonGenuine")
# Bytes that hold the first processor; reading hundreds of processors takes milliseconds.
FIRST_PROCESSOR = 8192


def core_type(cpuinfo: str) -> str | None:
    """Return OpenBLAS's name of the kernels to use, or None to leave the choice to OpenBLAS."""
    lines = (line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines())
    facts = {name.strip(): value.strip() for name, _, value in lines}
    overlooked = facts.get("vendor_id") in OVERLOOKED
    return AVX512_CORE if overlooked and set(facts.get("flags", "").split()) >= AVX512 else None


@contextmanager
def chosen_kernels(core: str | None) -> Iterator[None]:
    """Set the kernels of a copy of OpenBLAS that is loaded inside the block.

    A choice of the user has priority, and the environment is restored at the end.
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
    """Return the description of the first processor; empty where the system has none."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return file.read(FIRST_PROCESSOR)
    except OSError:
        return ""


with chosen_kernels(core_type(_cpuinfo())):
    if sys.platform == "win32":
        import scipy_openblas32  # noqa: F401  # the library that the core links
    from ktc import _core  # noqa: F401
