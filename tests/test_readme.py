"""Every Python block of the README and the docs runs, and prints what the block after it says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def blocks():
    for page in PAGES:
        for number, (code, output) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            yield pytest.param(code, output, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize(("code", "output"), list(blocks()))
def test_block_runs_as_written(code, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "block", "exec"), {"__name__": "block"})
    assert printed.getvalue() == output
