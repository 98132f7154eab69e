"""``ktc._core.testing``: what a build with ``-Ccmake.define.KTC_TESTING=ON`` has for tests.

Without it the files of tests/core are skipped, and say so; where ``KTC_TESTING=1`` is set, as
``.ci/run`` does, they fail.
"""

import os

import pytest

from ktc import _core

if not hasattr(_core, "testing") and os.environ.get("KTC_TESTING") != "1":
    pytest.skip("needs a build with -Ccmake.define.KTC_TESTING=ON", allow_module_level=True)
testing = _core.testing
