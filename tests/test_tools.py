"""Tools that measure what documents claim."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_costs_of_learning_are_measured_at_reduced_size():
    command = [sys.executable, str(ROOT / "tools" / "learning_costs.py"), "--quick"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 9 and all(re.search(r"-?\d+\.\d+ (s|ms|GiB)\b", line) for line in lines)
    assert sum("products" in line for line in lines) == sum("matrices" in line for line in lines)
