"""What the documents name is there: files, functions in them, public names, and links."""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path

import pytest

import ktc

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FOLDERS = "cpp|bindings|python|tools|tests|docs|examples|benchmarks|third_party"
CODE = re.compile(r"```.*?```", re.DOTALL)
#: "`name` in `path`": the file at path must define or use the name.
PLACED = re.compile(rf"`([\w.:]+)(?:\([^`]*\))?`\s+in\s+`((?:{FOLDERS})/[\w./-]+)`")
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]+)`")
PUBLIC = re.compile(r"`ktc\.([A-Za-z][\w.]*)")


def prose(page):
    """The text of a page without its code blocks."""
    return CODE.sub("", page.read_text(encoding="utf-8"))


pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pages
def test_named_files_exist(page):
    missing = [path for path in PATH.findall(prose(page)) if not (ROOT / path).exists()]
    assert not missing


@pages
def test_named_functions_are_in_the_named_files(page):
    missing = []
    for name, path in PLACED.findall(prose(page)):
        file = ROOT / path
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        if not re.search(rf"\b{re.escape(re.split(r'[.:]+', name)[-1])}\b", text):
            missing.append(f"{name} in {path}")
    assert not missing


@pages
def test_public_names_exist(page):
    for dotted in PUBLIC.findall(prose(page)):
        reduce(getattr, dotted.rstrip(".").split("."), ktc)


@pages
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_documents_named_in_the_code_exist():
    for folder in ("cpp", "bindings", "python", "tools", "tests"):
        for path in [
            p for p in (ROOT / folder).rglob("*.?*") if p.suffix in (".py", ".hpp", ".cpp")
        ]:
            for name in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text(encoding="utf-8")):
                assert (ROOT / name).exists(), f"{path.relative_to(ROOT)}: {name}"
