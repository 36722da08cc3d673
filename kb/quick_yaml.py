"""YAML as PyYAML writes it with indented lists, a hundred times as fast where the data are plain, as cards are.

Texts of several lines stand in block scalars. Whatever is out of the ordinary is left to the library, scalar by scalar
or as a whole, so that the two can never differ: tests/test_serialise.py holds them against each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import yaml

WIDTH = 10**6  # no line is broken

_INDICATOR = re.compile(r"""[#,\[\]{}&*!|>'"%@`]|[?:-](?: |\Z)|---|\.\.\.""")  # what begins no plain text
_WITHIN = re.compile(r":(?: |\Z)| #")  # what no plain text holds
_DECIMAL = re.compile(r"-?\d+\.\d+")
_RESOLVERS = yaml.SafeDumper.yaml_implicit_resolvers


class _UnusualError(Exception):
    """Data that are left to the library."""


def dump(data: object) -> str:
    """The data as a YAML document."""
    try:
        return _after_key(data, 0).removeprefix("\n").removeprefix(" ") + "\n"
    except _UnusualError:
        return dump_anything(data)


def dump_anything(data: object) -> str:
    """The same by the library alone."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)


def _after_key(data: object, indent: int) -> str:
    """What follows `key:` or a list's mark; lines of its own are so far to the right."""
    if isinstance(data, str):
        return _block(data, indent) if "\n" in data else " " + _scalar(data)
    if isinstance(data, Mapping) and data:
        return "".join(f"\n{' ' * indent}{entry}" for entry in _entries(data, indent))
    if isinstance(data, Sequence) and data:
        return "".join(f"\n{' ' * indent}-{_item(item, indent + 2)}" for item in data)
    if data is None or isinstance(data, bool | int | dict | list):
        return " " + _constant(data)
    if isinstance(data, float):
        return " " + _float(data)
    raise _UnusualError


def _item(item: object, indent: int) -> str:
    """An item of a list: a mapping begins on the line of its mark."""
    if isinstance(item, Mapping) and item:
        return " " + f"\n{' ' * indent}".join(_entries(item, indent))
    if isinstance(item, str):
        return _after_key(item, indent)
    raise _UnusualError


def _entries(data: Mapping[str, object], indent: int) -> list[str]:
    if any(len(key) > 100 or _scalar(key) != key for key in data):  # the library may set it behind a question mark
        raise _UnusualError
    return [f"{key}:{_after_key(value, indent + 2)}" for key, value in data.items()]


def _constant(data: object) -> str:
    if data is None or isinstance(data, bool):
        return {None: "null", True: "true", False: "false"}[data]
    return str(data) if isinstance(data, int) else "{}" if isinstance(data, Mapping) else "[]"


def _float(value: float) -> str:
    text = repr(value)
    return text if _DECIMAL.fullmatch(text) else _by_library(value)


def _block(text: str, indent: int) -> str:
    """A text of several lines as a block scalar."""
    shown = text.replace("\n", "").replace("\t", "")
    if not shown.isprintable() or not shown.strip() or text.endswith("\n\n"):
        raise _UnusualError
    hints = ("2" if text[0] in " \n" else "") + ("" if text.endswith("\n") else "-")
    lines = text.removesuffix("\n").split("\n")
    return f" |{hints}" + "".join(f"\n{' ' * indent}{line}" if line else "\n" for line in lines)


@lru_cache(maxsize=4096)
def _scalar(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip():
        return _by_library(text)
    return text if _is_plain(text) else "'" + text.replace("'", "''") + "'"


def _is_plain(text: str) -> bool:
    """Whether a printable text of one line stands for itself, and for nothing but a text."""
    if _INDICATOR.match(text) or _WITHIN.search(text):
        return False
    return not any(pattern.match(text) for _, pattern in _RESOLVERS.get(text[0], ()))


def _by_library(value: str | float) -> str:
    return dump_anything([value]).removeprefix("  - ").removeprefix("- ").removesuffix("\n")


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as block scalars, also those with spaces at the ends of lines."""

    def analyze_scalar(self, scalar: str) -> Any:
        analysis = super().analyze_scalar(scalar)
        if analysis.multiline:
            plain = all(letter.isprintable() or letter in "\n\t" for letter in scalar)
            analysis.allow_block = plain and bool(scalar.strip())
            analysis.allow_single_quoted = plain  # a break other than a line feed would come back as one
        return analysis

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless  # list items stand deeper than the key above them
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
