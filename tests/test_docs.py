"""What the documents name is there: files, functions in them, public names, and links."""

from __future__ import annotations

import re
import tokenize
from functools import reduce
from pathlib import Path

import pytest

import ktc
from project_tools import tool

layers = tool("layers")
ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FOLDERS = "cpp|bindings|python|tools|tests|docs|examples|benchmarks|third_party"
CODE = re.compile(r"```.*?```", re.DOTALL)
#: "`name` in `path`": the file at path must define or use the name.
PLACED = re.compile(rf"`([\w.:]+)(?:\([^`]*\))?`\s+in\s+`((?:{FOLDERS})/[\w./-]+)`")
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]+)`")
PUBLIC = re.compile(r"`ktc\.([A-Za-z][\w.]*)")


def prose(page):
    """The text of a page without its code blocks, and without names of earlier versions."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    return re.sub(r"^\|[^|]*\|", "|", text, flags=re.M) if page.name == "CHANGELOG.md" else text


def names_in(file):
    """All names in the code of a file: of Python and C++ without comments and docstrings."""
    if file.suffix == ".py":
        with file.open("rb") as read:
            return {t.string for t in tokenize.tokenize(read.readline) if t.type == tokenize.NAME}
    if file.suffix in (".hpp", ".cpp"):
        code = "\n".join(line for _, line in layers.cpp_lines(file))
        return set(re.findall(r"\w+", re.sub(r'"(?:\\.|[^"\\\n])*"', "", code)))
    return set(re.findall(r"\w+", file.read_text(encoding="utf-8"))) if file.is_file() else set()


pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pages
def test_named_files_exist(page):
    missing = [path for path in PATH.findall(prose(page)) if not (ROOT / path).exists()]
    assert not missing


@pages
def test_named_functions_are_in_the_named_files(page):
    missing = []
    for name, path in PLACED.findall(prose(page)):
        if re.split(r"[.:]+", name)[-1] not in names_in(ROOT / path):
            missing.append(f"{name} in {path}")
    assert not missing


def test_a_name_in_a_comment_is_not_in_the_code(tmp_path):
    for name, text in (
        ("a.py", '"""Told."""\nmade = 1  # said\n'),
        ("a.cpp", "/* Told\n */ int made;  // said\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert "made" in names_in(tmp_path / name)
        assert not {"Told", "said"} & names_in(tmp_path / name)


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
