"""What a card says around a table: the paragraph above it, its number, and the cells of its rows as written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kb.records import Card
from kb.tables import tables

_NO_PARAGRAPH = ("|", "#", "```", "[^", "<")
_NUMBER = re.compile(r"\W*(?:table|tab\.|表)\s*(\d+)", re.IGNORECASE)
_QUOTED = re.compile(r"^[\s>]+", re.MULTILINE)


def source_above(card: Card, line: int) -> str:
    """The source of the part of a card that holds a line, as far as this line; "" where none holds it."""
    for text, first_line in parts(card):
        lines = text.split("\n")
        if first_line <= line < first_line + len(lines):
            return "\n".join(lines[: line - first_line])
    return ""


def parts(card: Card) -> Iterator[tuple[str, int]]:
    """The texts of a card, its introduction and its sections, each with the line that it begins on."""
    yield card.intro, card.intro_line
    yield from ((each.markdown, each.line + 1) for each in card.sections)


def paragraph_above(card: Card, table: int) -> str:
    """The source of the paragraph above a table; "" for what is none, as another table or a heading."""
    paragraph = source_above(card, table).rstrip().rpartition("\n\n")[2]
    return "" if paragraph.lstrip().startswith(_NO_PARAGRAPH) else paragraph


def table_number(paragraph: str) -> int | None:
    """The number that a caption begins with: 5 of `Table 5: …` and `表 5：…`."""
    found = _NUMBER.match(paragraph)
    return int(found[1]) if found else None


def cells(card: Card, table: int, row: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sources of the cells of a table's header, and of one of its rows; empty where they cannot be found."""
    for text, first_line in parts(card):
        lines = text.split("\n")
        if first_line <= table < row < first_line + len(lines):
            at = table - first_line
            source = "\n".join([*lines[at : at + 2], lines[row - first_line]])
            for header, *body in tables(_QUOTED.sub("", source), 1):
                return header.cells, body[0].cells if body else ()
    return (), ()
