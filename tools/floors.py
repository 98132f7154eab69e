"""Print the lowest version of every dependency that pyproject.toml admits, as pip constraints.

Usage: python tools/floors.py [EXTRA ...] > floors.txt; pip install -c floors.txt 'ktc[test]'

The versions come from pyproject.toml itself, so that the tested floors are the declared ones.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def floors(text: str, extras: list[str]) -> list[str]:
    """``name==version`` of each requirement; raises where one has no lower bound."""
    project = tomllib.loads(text)["project"]
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    found = []
    for requirement in requirements:
        parts = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement)
        if not parts:
            raise SystemExit(f"{requirement!r} has no floor: write it as 'name>=version'")
        found.append(f"{parts[1]}=={parts[2]}")
    return sorted(set(found))


if __name__ == "__main__":
    print("\n".join(floors(PROJECT.read_text(encoding="utf-8"), sys.argv[1:])))
