"""Mendings of running text: `[toc]`, spaces at the ends of lines, the end of the file."""

from __future__ import annotations

from collections.abc import Iterator

from kb.markdown_rules.callouts import CONTENTS
from kb.mendings.source import Edit, Source, line_edit


def contents(source: Source) -> Iterator[Edit]:
    """`[toc]`, which pages leave out, and a blank line with it. Above several cards it stays: editors show it there."""
    for number, line in enumerate(source.lines):
        if CONTENTS.fullmatch(line.strip()) and number not in source.verbatim and _may_go(number, source):
            blank = number + 1 < len(source.lines) - 1 and not source.lines[number + 1].strip()
            yield Edit(number, number + 1 + blank, ())


def _may_go(number: int, source: Source) -> bool:
    """Whether a line has no text beside it, and stands in a card or in a note of one card."""
    beside = (number - 1, number + 1)
    alone = not any(_is_text(line, source) for line in beside)
    return alone and (len(source.cards) < 2 or _in_card(number, source))


def _is_text(number: int, source: Source) -> bool:
    inside = source.front <= number < len(source.lines)
    return inside and bool(source.lines[number].strip()) and not source.lines[number].startswith("#")


def _in_card(line: int, source: Source) -> bool:
    return any(each.heading.line < line < each.end for each in source.cards)


def spaces_at_ends(source: Source) -> Iterator[Edit]:
    """Spaces at the ends of lines, but for two within a paragraph, which break the line there."""
    breaks = _breaks(source)
    for number, line in enumerate(source.lines):
        if number not in source.verbatim and number not in breaks:
            yield from line_edit(number, line, line.rstrip(" \t"))


def _breaks(source: Source) -> frozenset[int]:
    """The lines with another line of the same paragraph below them that end in two spaces."""
    spans = (token.map for token in source.tokens if token.type == "inline" and token.map)
    inner = (number for first, end in spans for number in range(first, end - 1))
    return frozenset(number for number in inner if source.lines[number].endswith("  "))


def end_of_file(source: Source) -> Iterator[Edit]:
    """One line feed at the end, and no blank lines before it."""
    end = len(source.lines)
    while end and not source.lines[end - 1].strip():
        end -= 1
    if end and source.lines[end:] != [""]:
        yield Edit(end, len(source.lines), ("",))
