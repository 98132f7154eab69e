"""Every example of a docstring runs when it is pasted after ``import ktc``, and that alone."""

from __future__ import annotations

import doctest
import io

import pytest

import ktc
from public_names import all_modules, public_names


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    # The globals of an example are those that the reader has: nothing of its own module.
    own = {"ktc": ktc}
    found = [test for each in all_modules() for test in finder.find(each, each.__name__, globs=own)]
    # A public class reports another module than its methods do, so that it is searched apart.
    for name, thing in public_names().items():
        found += finder.find(thing, name, module=False, globs=own)
    found += finder.find(ktc, globs=own)
    each_once = {test.docstring: test for test in found if test.examples}
    return [pytest.param(test, id=test.name) for test in each_once.values()]


@pytest.mark.parametrize("example", examples())
def test_an_example_can_be_pasted(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False).run(example, out=report.write)
    assert not report.getvalue(), report.getvalue()
