"""Objects as records: trees of plain values and arrays, from which equal objects are made.

A record is made of None, bool, int, float, str, tuple, list, NumPy arrays, and dicts with str keys.
An object of a registered kind is a dict of its fields and the name of its kind. Each package
registers its own kinds, so that this module knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

KIND = "kind"
#: What can be raised by fields that do not fit together.
MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class RecordError(ValueError):
    """A record of which no object can be made; the message starts with the entry at fault."""


@dataclass(frozen=True)
class Kind:
    """A class of objects that can be recorded.

    Attributes:
        name: that of the class.
        type: the class.
        fields: takes an object apart into the values of which ``make`` makes it again.
        make: makes an object; checks its arguments as any constructor does.
        resumes: whether the object goes on with the same bits, which only one minor version of ktc
            promises.
    """

    name: str
    type: type
    fields: Callable[[Any], Mapping[str, object]]
    make: Callable[..., object]
    resumes: bool = False


_BY_TYPE: dict[type, Kind] = {}
_BY_NAME: dict[str, Kind] = {}


def register(
    cls: type[T],
    parts: Callable[[T], Mapping[str, object]] | tuple[str, ...] = (),
    make: Callable[..., T] | None = None,
    resumes: bool = False,
) -> None:
    """Make the objects of a class recordable; call it in the module that defines the class.

    Args:
        cls: the class itself; subclasses have kinds of their own.
        parts: names of the attributes to record, by default the arguments of a dataclass, or a
            function from an object to its fields by name.
        make: makes an object of the recorded fields as keyword arguments; the class by default.
        resumes: whether only the same minor version may make it again.
    """
    taken = parts if callable(parts) else _attributes(cls, parts)
    kind = Kind(cls.__name__, cls, taken, make or cls, resumes)
    _BY_TYPE[cls] = _BY_NAME[kind.name] = kind


def kind_named(name: object) -> Kind | None:
    """The kind of this name, or None where there is none."""
    return _BY_NAME.get(name) if isinstance(name, str) else None


def to_record(value: object, entry: str = "") -> object:
    """The record of a value; arrays are shared with it, not copied.

    Args:
        value: what to record.
        entry: where it lies in a larger record, for errors.

    Raises:
        TypeError: a part of the value that is of no registered kind.
    """
    if isinstance(value, np.generic):
        return value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value
    if isinstance(value, (tuple, list)) and type(value) in (tuple, list):
        return type(value)(to_record(part, f"{entry}/{k}") for k, part in enumerate(value))
    if isinstance(value, dict) and KIND not in value:
        return {name: to_record(part, _joined(entry, name)) for name, part in value.items()}
    kind = _BY_TYPE.get(type(value))
    if kind is None:
        raise TypeError(
            f"{entry or 'value'} cannot be saved or pickled, because it is a "
            f"{type(value).__qualname__}; use numbers, strings, arrays, or objects of ktc"
        )
    made_of = kind.fields(value)
    return {
        KIND: kind.name,
        **{name: to_record(part, _joined(entry, name)) for name, part in made_of.items()},
    }


def from_record(record: object, entry: str = "", **options: object) -> Any:
    """The value of a record.

    Args:
        record: what ``to_record`` returned.
        entry: where it lies in a larger record, for errors.
        **options: further arguments of the outermost object.

    Raises:
        RecordError: fields that are missing, of a wrong type, or of no such object.
    """
    if isinstance(record, (tuple, list)):
        return type(record)(from_record(part, f"{entry}/{k}") for k, part in enumerate(record))
    if not isinstance(record, dict):
        return record
    made_of = {
        name: from_record(part, _joined(entry, name))
        for name, part in record.items()
        if name != KIND
    }
    if KIND not in record:
        return made_of
    kind = kind_named(record[KIND])
    if kind is None:
        raise RecordError(f"{entry or 'record'}: unknown kind {record[KIND]!r}")
    try:
        return kind.make(**made_of, **options)
    except RecordError:
        raise
    except MISFITS as error:
        raise RecordError(f"{entry or kind.name}: {type(error).__name__}: {error}") from error


def same(one: object, other: object) -> bool:
    """Whether two values have equal records, arrays by their shape and all their numbers."""
    return _equal(to_record(one), to_record(other))


def _equal(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return one is other or np.array_equal(np.asarray(one), np.asarray(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, (tuple, list)) and type(one) is type(other):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _attributes(cls: type, names: tuple[str, ...]) -> Callable[[object], dict[str, object]]:
    chosen = names or tuple(field.name for field in fields(cls) if field.init)
    return lambda value: {name: getattr(value, name) for name in chosen}


def _joined(entry: str, name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{entry or 'value'} cannot be saved: {name!r} is no name of an entry")
    return f"{entry}/{name}" if entry else name
