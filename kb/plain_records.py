"""Records as plain data, for JSON: what is written down between two runs is read back without running anything.

Between processes of one run they are pickled, and that is made quick here, too.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from operator import attrgetter
from typing import Any

from kb import records

_TYPES = {name: each for name in dir(records) if hasattr(each := getattr(records, name), "__dataclass_fields__")}
_NAMES = {each: tuple(field.name for field in fields(each)) for each in _TYPES.values()}
_PARTS = {each: attrgetter(*names) for each, names in _NAMES.items() if len(names) > 1}


def _as_call(record: object) -> tuple[type, Any]:
    return type(record), _PARTS[type(record)](record)


for _each in _PARTS:  # a frozen record is pickled field by field, in Python, unless it is told how
    copyreg.pickle(_each, _as_call)


def to_plain(value: object) -> object:
    """A record, or what records hold, as lists, mappings, texts, numbers, booleans and null."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Decimal):
        return {"Decimal": str(value)}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {"": [[key, to_plain(item)] for key, item in value.items()]}
    return {type(value).__name__: [to_plain(getattr(value, name)) for name in _NAMES[type(value)]]}


def from_plain(data: Any) -> Any:
    """What `to_plain` was given; lists come back as tuples."""
    if isinstance(data, list):
        return tuple(map(from_plain, data))
    if not isinstance(data, dict):
        return data
    ((name, parts),) = data.items()
    if name == "Decimal":
        return Decimal(parts)
    if name == "":
        return {key: from_plain(item) for key, item in parts}
    return _TYPES[name](*map(from_plain, parts))
