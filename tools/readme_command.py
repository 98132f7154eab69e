"""Print a command of README.md: the code block after the comment `<!-- NAME command -->`.

Usage: python3 tools/readme_command.py NAME; so that CI runs what the README says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def command(name: str, text: str) -> str:
    """The code block directly after the marker; raises where there is not exactly one."""
    blocks = re.findall(
        rf"^<!-- {re.escape(name)} command -->\s*^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )
    if len(blocks) != 1:
        raise SystemExit(
            f"README.md has {len(blocks)} blocks marked <!-- {name} command -->, not 1"
        )
    return str(blocks[0]).strip()


if __name__ == "__main__":
    print(command(sys.argv[1], README.read_text(encoding="utf-8")))
