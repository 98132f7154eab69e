"""Every example of a docstring runs when it is pasted after ``import ktc``, and that alone."""

from __future__ import annotations

import doctest
import io

import pytest

import ktc
from public_names import all_modules


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in [ktc, *all_modules()]:
        # The globals of the example are those that the reader has: nothing of its own module.
        for test in finder.find(module, module.__name__, globs={"ktc": ktc}):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_can_be_pasted(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False).run(example, out=report.write)
    assert not report.getvalue(), report.getvalue()
