"""Objects as records, a tree of plain values and the arrays in it, from which equal ones are made.

Each package registers its own kinds of objects, so that this module knows none of them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from inspect import get_annotations
from typing import Any, NamedTuple, TypeAlias, TypeVar, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

KIND, ARRAY, TUPLE, NAN = "kind", "array", "tuple", "nan"
#: Entry of an array that has NaN or infinite numbers; no other array may have them.
NOT_FINITE = "not finite"
#: What an object keeps of its state in a file, by name.
Saved: TypeAlias = Mapping[str, Any]
PLAIN = (type(None), bool, int, float, str)
#: Errors of fields that do not fit together.
MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Record(NamedTuple):
    """An object, taken apart.

    Attributes:
        tree: None, bool, int, float, str, lists, and dicts with str keys, as JSON has them. The
            entry "kind" of a dict marks an array, a tuple, NaN, or an object of that registered
            kind.
        arrays: the arrays, by their place in the tree, such as "network/stiffness".
    """

    tree: object
    arrays: Mapping[str, NDArray[np.generic]]


class RecordError(ValueError):
    """A record of which no object can be made; the message starts with the entry at fault."""


@dataclass(frozen=True)
class Kind:
    """A class of objects that can be recorded; ``register`` has the meaning of the fields."""

    type: type
    parts: Callable[[Any], Mapping[str, object]]
    make: Callable[..., object]
    resumes: bool


_KINDS: dict[str, Kind] = {}
_NAMES: dict[type, str] = {}


def register(
    cls: type[T],
    parts: Callable[[T], Mapping[str, object]] | tuple[str, ...] = (),
    make: Callable[..., T] | None = None,
    resumes: bool = False,
    name: str | None = None,
) -> None:
    """Make the objects of a class recordable; call it in the module that defines the class.

    A class of a user may replace one of the same name, but none of ktc.

    A subclass is a kind of its own. ``parts`` returns the fields of an object by name, or names the
    attributes to record, by default the arguments of a dataclass. ``make`` takes and checks the
    fields. An object that ``resumes`` goes on with the same bits in one minor version of ktc.
    ``name`` is that of the kind in files, by default that of the class.
    """
    name = name or cls.__name__
    known = _KINDS.get(name)
    home = known.type.__module__ if known else ""
    if home.startswith("ktc.") and home != cls.__module__:
        raise ValueError(
            f"{name} is the name of a class of ktc in files; give the class of "
            f"{cls.__module__} another name"
        )
    taken = parts if callable(parts) else _attributes(cls, parts)
    _NAMES[cls] = name
    _KINDS[name] = Kind(cls, taken, make or cls, resumes)


def kind_named(name: object) -> Kind | None:
    """Return the kind of this name, or None where there is none."""
    return _KINDS.get(name) if isinstance(name, str) else None


@contextmanager
def entry(place: str) -> Iterator[None]:
    """Name the entry in errors of a block that makes something of it."""
    try:
        yield
    except MISFITS as error:
        told = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise RecordError(f"{place}: {told}{error}") from error


def kind_of(value: object) -> tuple[str, Mapping[str, object]]:
    """Name of the kind of an object, and its parts."""
    name = _NAMES[type(value)]
    return name, _KINDS[name].parts(value)


def to_record(value: object) -> Record:
    """Take an object apart; arrays are shared with it, not copied."""
    arrays: dict[str, NDArray[np.generic]] = {}
    return Record(_tree(value, "", arrays), arrays)


def from_record(record: Record, **options: object) -> Any:
    """Make the object of a record; ``options`` are further arguments of the outermost object."""
    return _value(record.tree, "", record.arrays, options)


def same(one: object, other: object) -> bool:
    """Whether two objects have equal records, arrays by their shape and all their numbers."""
    first, second = to_record(one), to_record(other)
    return first.tree == second.tree and all(
        array is second.arrays[place] or np.array_equal(array, second.arrays[place])
        for place, array in first.arrays.items()
    )


def _tree(value: object, place: str, arrays: dict[str, NDArray[np.generic]]) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in PLAIN:
        return _plain(value)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return _placed(value, place, arrays)
    if type(value) in (tuple, list) and isinstance(value, (tuple, list)):
        items = [_tree(part, f"{place}/{k}", arrays) for k, part in enumerate(value)]
        return items if isinstance(value, list) else {KIND: TUPLE, "items": items}
    tree: dict[str, object]
    name = _NAMES.get(type(value), "")
    kind = kind_named(name)
    if kind is not None and kind.type is type(value):
        tree, parts = {KIND: name}, kind.parts(value)
    elif isinstance(value, dict) and KIND not in value:
        tree, parts = {}, value
    else:
        raise TypeError(
            f"{place or 'value'} cannot be saved or pickled, because it is a "
            f"{type(value).__qualname__}; use numbers, strings, arrays, or objects of ktc"
        )
    return tree | {k: _tree(v, _joined(place, k), arrays) for k, v in parts.items()}


def _plain(value: object) -> object:
    return {KIND: NAN} if value != value else value  # NaN


def _placed(
    array: NDArray[np.generic], place: str, arrays: dict[str, NDArray[np.generic]]
) -> dict[str, object]:
    if place in arrays:
        raise ValueError(f"two arrays have the same entry {place!r}; rename one of them")
    arrays[place] = array
    return {KIND: ARRAY} if _finite(array) else {KIND: ARRAY, NOT_FINITE: True}


def _value(
    tree: object,
    place: str,
    arrays: Mapping[str, NDArray[np.generic]],
    options: Mapping[str, object],
) -> object:
    if isinstance(tree, list):
        return [_value(part, f"{place}/{k}", arrays, {}) for k, part in enumerate(tree)]
    if not isinstance(tree, dict):
        if tree != tree:
            raise RecordError(f"{place}: NaN, where a number was saved")
        return tree
    name = tree.get(KIND)
    if name == NAN:
        return math.nan
    if name == ARRAY:
        array = arrays[place]
        if NOT_FINITE not in tree and not _finite(array):
            raise RecordError(f"{place}: NaN or infinite numbers, where finite ones were saved")
        return array
    if name == TUPLE:
        return tuple(_value(list(tree["items"]), place, arrays, {}))  # type: ignore[arg-type]
    parts = {k: _value(v, _joined(place, k), arrays, {}) for k, v in tree.items() if k != KIND}
    if KIND not in tree:
        return parts
    return _made(name, place, parts, options)


def _made(
    name: object, place: str, parts: Mapping[str, object], options: Mapping[str, object]
) -> object:
    kind = kind_named(name)
    if kind is None:
        raise RecordError(
            f"{place or 'record'}: unknown kind {name!r}; import its module first if it is yours"
        )
    hints = _hints(kind)
    for key, part in parts.items():
        if not _fits(part, hints.get(key)):
            raise RecordError(f"{_joined(place, key)}: {type(part).__name__} does not fit there")
    try:
        return kind.make(**parts, **options)
    except RecordError:
        raise
    except MISFITS as error:
        raise RecordError(f"{place or name}: {type(error).__name__}: {error}") from error


def require_alike(
    value: object, pattern: object, place: str, other_shapes: tuple[str, ...] = ()
) -> None:
    """Refuse saved values that have not the entries, types and shapes of a pattern's.

    Arrays of the names ``other_shapes`` may have any shape.
    """
    if isinstance(pattern, Mapping):
        fits = isinstance(value, Mapping) and value.keys() == pattern.keys()
        for key, part in value.items() if fits else ():  # type: ignore[attr-defined]
            require_alike(part, pattern[key], f"{place}/{key}", other_shapes)
    elif isinstance(pattern, np.ndarray):
        fits = isinstance(value, np.ndarray) and (
            value.dtype.kind == pattern.dtype.kind
            and (value.shape == pattern.shape or place.endswith(other_shapes or "//"))
        )
    elif isinstance(value, (int, float)) and isinstance(pattern, (int, float, type(None))):
        fits = abs(value) <= sys.float_info.max
    elif value is None:
        fits = isinstance(pattern, (float, type(None)))
    else:
        fits = type(value) is type(pattern)
    if not fits:
        raise RecordError(f"{place}: {type(value).__name__} of another size or type than is right")


@cache
def _hints(kind: Kind) -> dict[str, object]:
    """Types of the fields of a kind, where its class or its maker states them."""
    found: dict[str, object] = {}
    stated: dict[str, object] = {}
    for source in (*reversed(kind.type.__mro__), vars(kind.type).get("__init__"), kind.make):
        scope = vars(sys.modules.get(getattr(source, "__module__", ""), sys))
        for name, hint in get_annotations(source).items() if callable(source) else ():
            if stated.get(name) == hint:
                continue  # a dataclass repeats what it inherits, whose names its module has not
            stated[name] = hint
            try:
                found[name] = eval(hint, scope) if isinstance(hint, str) else hint
            except NameError:  # imported for type checkers alone
                found.pop(name, None)
    return found


def _fits(value: object, hint: object) -> bool:
    """Whether a value is of a type, as far as types of records go; None for any."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is not None:
        return _fits_parts(value, origin, arguments)
    if hint is float:
        return type(value) in (int, float)
    if hint in PLAIN:
        return type(value) is hint
    if not isinstance(hint, type) or hint.__module__ == "typing" or hasattr(hint, "_is_protocol"):
        return True
    return isinstance(value, hint)


def _fits_parts(value: object, origin: object, arguments: tuple[object, ...]) -> bool:
    """Whether a value is of a type with arguments, such as ``tuple[int, ...]``."""
    if origin is np.ndarray:
        number = get_args(arguments[1]) or np.generic
        return isinstance(value, np.ndarray) and issubclass(value.dtype.type, number)
    if origin in (tuple, list):
        if type(value) is not origin:
            return False
        if origin is list or arguments[-1] is Ellipsis:
            arguments = arguments[:1] * len(value)
        return len(value) == len(arguments) and all(map(_fits, value, arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(v, arguments[1]) for v in value.values())
    return not arguments or any(_fits(value, one) for one in arguments)  # a union


def _finite(array: NDArray[np.generic]) -> bool:
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _attributes(cls: type, names: tuple[str, ...]) -> Callable[[object], dict[str, object]]:
    chosen = names or tuple(field.name for field in fields(cls) if field.init)
    return lambda value: {name: getattr(value, name) for name in chosen}


def _joined(place: str, name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{place or 'value'} cannot be saved: {name!r} is no name of an entry")
    return f"{place}/{name}" if place else name
