"""What this build is, and what of it runs here."""

from __future__ import annotations

import platform

from ktc import _core
from ktc._base.files import VERSION


def show_config() -> dict[str, str]:
    """Version, instruction set of the kernels in use, and the libraries, for a report of a problem.

    Example:
        >>> {"kernels", "openblas", "openblas core"} <= set(show_config())
        True
    """
    from importlib.metadata import version  # takes a while, and few ask

    return {
        "ktc": VERSION,
        "kernels": _core.instruction_set(),
        "kernels available": ", ".join(_core.instruction_sets()),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "openblas": version("scipy-openblas32"),
        "openblas core": _core.library_core(),
    }
