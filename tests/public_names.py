"""What `ktc` makes public: its modules, their names, and the ktc types that these mention."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, get_args, get_origin

import ktc

MODULES = [
    ktc,
    *(
        getattr(ktc, name)
        for name in ("lattices", "plot", "potentials", "presets", "schedules", "spectra", "theory")
    ),
]


def public_names() -> dict[str, Any]:
    """Every public object by its public name: ``ktc.Network``, ``ktc.theory.bennett``."""
    return {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in MODULES
        for name in module.__all__
        if not inspect.ismodule(getattr(module, name)) and not name.startswith("__")
    }


def all_modules() -> list[ModuleType]:
    """Every module of the package, private ones included."""
    names = [m.name for m in pkgutil.walk_packages(ktc.__path__, "ktc.")]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


@cache
def _imports_for_types(module: str) -> dict[str, str]:
    """Names that a module imports under TYPE_CHECKING, with the full name of each."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test).endswith("TYPE_CHECKING")
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _resolve(name: str, module: str) -> Any:
    found = getattr(sys.modules[module], name, None)
    if found is None and name in _imports_for_types(module):
        home, _, attribute = _imports_for_types(module)[name].rpartition(".")
        found = getattr(importlib.import_module(home), attribute, None)
    return found


def _classes_of(annotation: Any, module: str) -> Iterator[type]:
    """Classes in an annotation, which is text, a class, or an alias of several."""
    if isinstance(annotation, str):
        for node in ast.walk(ast.parse(annotation, mode="eval")):
            if isinstance(node, ast.Name):
                yield from _classes_of(_resolve(node.id, module), module)
    elif isinstance(annotation, type) and get_origin(annotation) is None:
        yield annotation
    else:
        for argument in get_args(annotation):
            if not isinstance(argument, str):
                yield from _classes_of(argument, module)


def _annotations(thing: Any) -> Iterator[tuple[Any, str]]:
    """Annotations that a user of a public object meets, each with the module to read it in."""
    if isinstance(thing, type):
        for base in thing.__mro__:
            if not base.__module__.startswith("ktc"):
                continue
            members = {k: v for k, v in vars(base).items() if not k.startswith("_")}
            members |= {k: v for k, v in vars(base).items() if k in ("__init__", "__call__")}
            for annotated, kind in getattr(base, "__annotations__", {}).items():
                if not annotated.startswith("_"):
                    yield kind, base.__module__
            for member in members.values():
                if dataclasses.is_dataclass(base) and member is base.__init__:
                    continue  # Its fields are above; private ones are nobody's business.
                yield from _annotations(member)
        return
    function = getattr(thing, "fget", None) or getattr(thing, "func", None) or thing
    function = inspect.unwrap(getattr(function, "__func__", function))
    if inspect.isfunction(function):
        for kind in function.__annotations__.values():
            yield kind, function.__module__


def mentioned(thing: Any) -> set[type]:
    """Classes of ktc that the annotations of a public object mention.

    Protocols are left out: they ask an argument for methods, not for a class.
    """
    return {
        found
        for annotation, module in _annotations(thing)
        if module in sys.modules and module.startswith("ktc")
        for found in _classes_of(annotation, module)
        if found.__module__.startswith("ktc") and not getattr(found, "_is_protocol", False)
    }
