"""What this build is, and what of it runs here."""

from __future__ import annotations

import platform
from importlib.metadata import version

from ktc import _core
from ktc.storage import VERSION


def show_config() -> dict[str, str]:
    """Version, instruction set of the kernels in use, and the libraries, for a report of a problem.

    Example:
        >>> sorted(show_config())
        ['kernels', 'kernels available', 'ktc', 'machine', 'numpy', 'openblas', 'python']
    """
    return {
        "ktc": VERSION,
        "kernels": _core.kernel_level(),
        "kernels available": ", ".join(_core.kernel_levels()),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "openblas": version("scipy-openblas32"),
    }
