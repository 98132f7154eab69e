"""Write reference.json, the values of ngspice: ``python -m tests.netlists.reference``.

It has one line per file, with ten digits of each value.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from .collection import ACCEPTED, FOLDER, Case
from .ngspice import values, version

PATH = FOLDER / "reference.json"


def reference() -> dict[str, Any]:
    """The stored values by names of files; "version" is that of ngspice."""
    return json.loads(PATH.read_text())


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.10g}")


def found(case: Case, folder: Path) -> dict[str, Any]:
    """The values of ngspice as they are stored."""
    return _rounded(values(case, folder))


def main() -> None:
    lines = [f'"version": {json.dumps(version())}']
    with tempfile.TemporaryDirectory() as folder:
        for case in ACCEPTED:
            lines.append(f"{json.dumps(case.path.name)}: {json.dumps(found(case, Path(folder)))}")
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
