"""Programs in processes of their own, which tests kill, limit and interrupt."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

#: For a program that has imported what it needs: open files until the system has no handle left.
STARVED = """
def hold_all_handles():
    import os, resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return held
"""


def reported(program: str, *arguments: Any, timeout: float = 240) -> Any:
    """Run a program; return what it printed as JSON. ``given`` holds the arguments in it."""
    head = "import json, sys\ngiven = json.loads(sys.argv[1])\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(program), json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])
