#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox"]
# ///
"""Tasks for contributors: ``nox -s tests``, ``nox -s checks``, ``nox -s everything``."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|venv"


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, with pytest's options after ``--``."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(default=False)
def checks(session: nox.Session) -> None:
    """Run the static checks of Python."""
    session.install(".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    for tool in ("layers", "conventions"):
        session.run("python", f"tools/{tool}.py")


@nox.session(default=False, venv_backend="none")
def everything(session: nox.Session) -> None:
    """Run all that must hold before a change lands."""
    session.run("bash", ".ci/run", external=True)


if __name__ == "__main__":
    nox.main()
