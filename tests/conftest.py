"""Test tiers: what is marked slow runs only where KTC_SLOW=1. Examples are drawn alike always."""

from __future__ import annotations

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("ktc", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("ktc")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("KTC_SLOW") == "1":
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: set KTC_SLOW=1 to run it"))
