"""The bare kernel, compiled for this machine when it is first needed."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.work import UnavailableError

SOURCE = Path(__file__).parent / "cpp" / "bare.cpp"
FLAGS = ("-std=c++20", "-O3", "-march=native", "-fno-math-errno", "-w", "-shared", "-fPIC")
#: Output of Random123 at counter and key zero (Salmon et al., Proc. SC11, 2011).
PHILOX_OF_ZERO = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
#: Path of the library that the parent process compiled for all contenders.
VARIABLE = "KTC_BARE_LIBRARY"


def compiler() -> str | None:
    """CXX, or the first of the usual names that is on PATH."""
    names = (os.environ.get("CXX", ""), "c++", "g++", "clang++")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def compile_bare(folder: Path) -> Path:
    """Compile the bare kernel into a folder.

    Raises:
        UnavailableError: there is no compiler, or this processor has no AVX-512.
    """
    found = compiler()
    if found is None:
        raise UnavailableError("no C++ compiler (c++, g++ or clang++; or set CXX)")
    library = folder / "bare.so"
    done = subprocess.run(
        [found, *FLAGS, str(SOURCE), "-o", str(library)], capture_output=True, text=True
    )
    if done.returncode:
        if "the bare kernel needs AVX-512" in done.stderr:
            raise UnavailableError("no AVX-512")
        raise UnavailableError(f"{found} failed: {done.stderr.strip().splitlines()[-1]}")
    return library


class Bare:
    """The compiled kernel; calls release the interpreter lock."""

    def __init__(self) -> None:
        path = os.environ.get(VARIABLE)
        if path is None:
            with tempfile.TemporaryDirectory() as folder:
                self._library = ctypes.CDLL(str(compile_bare(Path(folder))))
        elif Path(path).is_file():
            self._library = ctypes.CDLL(path)
        else:
            raise UnavailableError(path)
        words = (ctypes.c_uint32 * 4)()
        self._library.bare_philox(words)
        if tuple(words) != PHILOX_OF_ZERO:
            raise UnavailableError(f"wrong Philox: {[hex(word) for word in words]}")

    def normals(self, out: np.ndarray[Any, Any], first: int) -> None:
        """Fill from counter ``first`` on, in multiples of 64; the remainder is unchanged."""
        call = self._library[f"bare_normals_{out.dtype.name}"]
        call(_pointer(out), ctypes.c_size_t(out.size), ctypes.c_uint64(first))

    def trap(
        self, work: np.ndarray[Any, Any], centre: np.ndarray[Any, Any], step: float, first: int
    ) -> None:
        """Work of each trajectory; ``centre`` has the start, one value a tick, and the end."""
        call = self._library[f"bare_trap_{work.dtype.name}"]
        call(
            _pointer(work),
            ctypes.c_size_t(work.size),
            _pointer(centre),
            ctypes.c_size_t(centre.size - 2),
            ctypes.c_double(step),
            ctypes.c_uint64(first),
        )


def _pointer(array: np.ndarray[Any, Any]) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def aligned(size: int, dtype: str) -> np.ndarray[Any, Any]:
    """Zeros aligned to a cache line."""
    item = np.dtype(dtype).itemsize
    raw = np.zeros(size * item + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * item].view(dtype)
