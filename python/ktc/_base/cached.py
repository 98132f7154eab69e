"""``functools.cached_property`` as of Python 3.12, without a lock.

Before, all instances of a class share one: a process that forks while another thread computes a
property of any instance leaves it locked in the child for ever.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property as cached_property
else:

    class cached_property:
        """A property whose value replaces it in the instance when it is first read."""

        def __init__(self, func):
            self.func = func
            self.__doc__ = func.__doc__

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            value = vars(instance)[self._name] = self.func(instance)
            return value
