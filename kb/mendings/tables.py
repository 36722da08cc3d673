"""Table alignment: columns as wide as their widest cell, ideographs counting two; cells stay as they are.

A table that is written without any padding, `| a | b |` over `|---|---|`, is in order, too, and a table that would be
too wide is written so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from kb.markdown_rules.tables import split
from kb.mendings.source import Edit, Source

WIDEST = 120
_CLOSE_RULE = re.compile(r"\|(?: ?:?-+:? ?\|)+")
_ITEM_MARK = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")


def alignment(source: Source) -> Iterator[Edit]:
    """One edit for each table that is in neither form."""
    tokens = source.outside_quotes
    for index, token in enumerate(tokens):
        if token.type == "table_open" and token.map:
            first, end = token.map
            width = _width_of(tokens, index)
            lines = source.lines[first:end]
            if not _ITEM_MARK.match(lines[0]):
                new = _in_order(lines, width)
                if new != lines:
                    yield Edit(first, end, tuple(new))


def _width_of(tokens: Sequence[object], index: int) -> int:
    """The number of columns of the table that opens at an index."""
    count = 0
    for token in tokens[index:]:
        kind = getattr(token, "type", "")
        if kind == "tr_close":
            break
        count += kind == "th_open"
    return count


def _in_order(lines: Sequence[str], width: int) -> list[str]:
    margin = lines[0][: len(lines[0]) - len(lines[0].lstrip(" \t"))]
    rows = [_row(line, width) for line in lines]
    rule = [_aligned(cell) for cell in rows.pop(1)]
    if _is_close(lines, rows):
        return list(lines)
    widths = [max(3, *(shown(row[column]) for row in rows)) for column in range(width)]
    table = [_line(_padded(row, widths, rule)) for row in rows]
    table.insert(1, _line([_dashes(*each) for each in zip(widths, rule, strict=True)]))
    if max(map(shown, table)) > WIDEST:
        table = [_close(row) for row in rows]
        table.insert(1, f"|{'|'.join(_dashes(3, each) for each in rule)}|")
    return [margin + line for line in table]


def _row(line: str, width: int) -> list[str]:
    cells = [cell.source for cell in split(line.strip(" \t"), width)]
    return cells + [""] * (width - len(cells))


def _aligned(cell: str) -> str:
    return (":" if cell.startswith(":") else "") + "-" + (":" if cell.endswith(":") else "")


def _is_close(lines: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table is written without padding."""
    bare = [line.strip(" \t") for line in lines]
    return bool(_CLOSE_RULE.fullmatch(bare.pop(1))) and bare == [_close(row) for row in rows]


def _close(cells: Sequence[str]) -> str:
    """A row without padding."""
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _padded(row: Sequence[str], widths: Sequence[int], rule: Sequence[str]) -> list[str]:
    pairs = zip(row, widths, rule, strict=False)
    return [*(_pad(cell, width - shown(cell), dash) for cell, width, dash in pairs), *row[len(widths) :]]


def _pad(cell: str, space: int, dash: str) -> str:
    """A cell with its space where the column's alignment wants it."""
    before = {"-:": space, ":-:": space // 2}.get(dash, 0)
    return " " * before + cell + " " * (space - before)


def _dashes(width: int, dash: str) -> str:
    return dash.replace("-", "-" * (width - len(dash) + 1))


def shown(text: str) -> int:
    """How many columns a text takes in a terminal or an editor."""
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
