"""Literals as calls write them: read off a syntax tree, compared, and written in one normal form."""

from __future__ import annotations

import ast
import json
import math

EXACT_INTEGERS = 2**53  # floats below this that equal an integer are that integer and no other


def read_literal(node: ast.expr) -> object:
    """The value of a literal: a number, a string, True, False, None, or a tuple or list of those.

    Raises ValueError for any other expression. Floats that equal an integer come back as the integer.
    """
    if isinstance(node, ast.Tuple | ast.List):
        values = [read_literal(element) for element in node.elts]
        return tuple(values) if isinstance(node, ast.Tuple) else values
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _signed(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
        return _plain_number(node.value)
    raise ValueError(f"`{ast.unparse(node)}` is not a literal")


def _signed(node: ast.UnaryOp) -> object:
    value = read_literal(node.operand)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return -value if isinstance(node.op, ast.USub) else value
    raise ValueError(f"`{ast.unparse(node)}` is not a literal")


def _plain_number(value: object) -> object:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("the number is too large")
        if value.is_integer() and abs(value) < EXACT_INTEGERS:
            return int(value)
    return value


def write_literal(value: object) -> str:
    """The normal form of a literal: `0.5` for `0.50`, `1` for `1.0`, strings in double quotes."""
    if isinstance(value, str):
        return _write_string(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(write_literal, value)) + "]"
    if isinstance(value, tuple):
        inner = ", ".join(map(write_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def _write_string(text: str) -> str:
    """In double quotes; characters that cannot be seen are escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in quoted)


def same_literal(one: object, other: object) -> bool:
    """Whether two literals are written alike: `1` and `1.0` are, `1` and `True` are not."""
    return write_literal(one) == write_literal(other)
