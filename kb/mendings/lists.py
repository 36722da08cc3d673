"""List indentation: what stands in an item begins where the item's text does, one space behind its mark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from kb.mendings.source import Edit, Source

_ITEM = re.compile(r"(?P<indent>[ \t]*)(?P<mark>[-*+]|\d{1,9}[.)])(?P<gap>[ \t]+|$)(?P<text>.*)")
_TAB = 4
_CODE = 5  # columns behind a mark from which on an item begins with indented code


@dataclass(frozen=True, slots=True)
class _Item:
    """An item: its lines, from 0, and the column at which its text begins, before and after."""

    first: int
    end: int
    old: int
    new: int
    line: str


def indentation(source: Source) -> Iterator[Edit]:
    """One edit for each outermost list that is indented otherwise."""
    depth, first = 0, 0
    for index, token in enumerate(source.outside_quotes):
        if token.type.endswith("_list_open"):
            first, depth = (first if depth else index), depth + 1
        elif token.type.endswith("_list_close"):
            depth -= 1
            if not depth:
                yield from _list_edit(source.outside_quotes[first:index], source.lines)


def _list_edit(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Edit]:
    start, end = tokens[0].map or [0, 0]
    items = _items(tokens, lines)
    if items is None:
        return
    made = {number: _moved(lines[number], item) for item in items for number in range(item.first + 1, item.end)}
    made |= {item.first: item.line for item in items}
    new = tuple(made.get(number, lines[number]) for number in range(start, end))
    if new != tuple(lines[start:end]):
        yield Edit(start, end, new)


def _items(tokens: Sequence[Token], lines: Sequence[str]) -> list[_Item] | None:
    """The items of a list, outer ones first; None where one cannot be moved, as it begins within another's line."""
    items: list[_Item] = []
    above: list[_Item] = []
    for token in tokens:
        if token.type == "list_item_open" and token.map:
            item = _item(token.map, lines, above[-1].new if above else 0)
            if item is None or any(each.first == item.first for each in above):
                return None
            items.append(item)
            above.append(item)
        elif token.type == "list_item_close":
            above.pop()
    return items


def _item(span: Sequence[int], lines: Sequence[str], outer: int) -> _Item | None:
    found = _ITEM.fullmatch(lines[span[0]])
    if found is None:
        return None
    begin = _columns(found["indent"] + found["mark"])
    gap = _columns(found["indent"] + found["mark"] + found["gap"]) - begin
    if gap >= _CODE and found["text"]:
        return None
    line = f"{' ' * outer}{found['mark']} {found['text']}" if found["text"] else f"{' ' * outer}{found['mark']}"
    old = begin + (gap if found["text"] else 1)
    return _Item(span[0], span[1], old, outer + len(found["mark"]) + 1, line)


def _moved(line: str, item: _Item) -> str:
    """A later line of an item, moved with the item's text; one that goes on with a paragraph from the margin stays."""
    if not line.strip() or line[0] not in " \t":
        return line
    position = column = 0
    while position < len(line) and line[position] in " \t" and column < item.old:
        column += _TAB - column % _TAB if line[position] == "\t" else 1
        position += 1
    return " " * (item.new + max(0, column - item.old)) + line[position:]


def _columns(text: str) -> int:
    return len(text.expandtabs(_TAB))
