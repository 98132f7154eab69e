"""Report of versions, libraries and the instruction set in use."""

from __future__ import annotations

import platform

from ktc import _core
from ktc._base.files import VERSION


def show_config() -> dict[str, str]:
    """Report versions, libraries and the instruction set in use; include it in a bug report.

    Example:
        >>> import ktc
        >>> {"kernels", "openblas", "openblas core"} <= set(ktc.show_config())
        True
    """
    from importlib.metadata import version  # slow, and rarely needed

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
