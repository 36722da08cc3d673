"""GFM tables whose cells may hold `|`: inside math, code spans and `[[key|text]]` it splits nothing.

Each row knows its line, and each cell where it begins (`meta["column"]` of its inline token).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from kb.markdown_rules import math

_RULE_LINE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_OPAQUE = re.compile(r"\\.|(`+)(?!`)|\$+|\[\[[^\[\]\n]+\]\]|\|")
MAX_CELLS = 65_536  # of one table: rows that lack cells are filled up, which must not grow without bound


class Cell(NamedTuple):
    """A cell without the spaces around it: what the parser reads, where it begins in its line, and as it is written."""

    content: str
    column: int
    source: str = ""


def install(md: MarkdownIt) -> None:
    """Put this rule in the place of markdown-it's own."""
    md.block.ruler.at("table", table, {"alt": ["paragraph", "reference"]})
    md.enable("table")


def table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table: a row, a line of dashes for as many columns, and more rows up to a blank line or another block."""
    if start + 2 > end or state.sCount[start + 1] < state.blkIndent:
        return False
    if state.is_code_block(start) or state.is_code_block(start + 1):
        return False
    alignments = _alignments(_text(state, start + 1))
    if not alignments or "|" not in _text(state, start):
        return False
    header = split(_text(state, start), len(alignments))
    if len(header) != len(alignments):
        return False
    if not silent:
        _build(state, start, end, header, alignments)
    return True


def _alignments(line: str) -> list[str]:
    """How each column is aligned, from the line of dashes; empty if it is not one."""
    if not _RULE_LINE.fullmatch(line) or line == "-" or line.startswith(("- ", "-\t")):
        return []
    return [_alignment(part.strip()) for part in line.strip("|").split("|")]


def _alignment(dashes: str) -> str:
    if dashes.endswith(":"):
        return "center" if dashes.startswith(":") else "right"
    return "left" if dashes.startswith(":") else ""


def split(line: str, width: int) -> list[Cell]:
    """The cells of a row. A `|` within math, code or a wiki link splits only if the row lacks cells otherwise."""
    guarded = _cells(line, list(_bars(line, guarded=True)))
    if len(guarded) == width:
        return guarded
    plain = _cells(line, list(_bars(line, guarded=False)))
    return plain if len(plain) == width else guarded


def _bars(line: str, *, guarded: bool) -> Iterator[int]:
    """Where the bars stand that split a row."""
    position = 0
    while found := _OPAQUE.search(line, position):
        position = found.end()
        if found[0] == "|":
            yield found.start()
        elif guarded:
            position = _skip(line, found)


def _skip(line: str, found: re.Match[str]) -> int:
    """The end of the code span or formula that begins here, else of its mark alone."""
    if found[0].startswith("$"):
        formula = math.match(line, found.start(), len(line))
        return formula.end if formula else found.end()
    if found[1]:
        closing = re.compile(rf"(?<!`)`{{{len(found[1])}}}(?!`)").search(line, found.end())
        return closing.end() if closing else found.end()
    return found.end()


def _cells(line: str, bars: list[int]) -> list[Cell]:
    edges = [-1, *bars, len(line)]
    cells = [_cell(line, left + 1, right) for left, right in pairwise(edges)]
    if bars and not cells[0].content:
        cells = cells[1:]
    return cells[:-1] if bars and cells and not cells[-1].content else cells


def _cell(line: str, start: int, end: int) -> Cell:
    source = line[start:end]
    content = source.strip()
    return Cell(_unescape_bars(content), start + len(source) - len(source.lstrip()), content)


def _unescape_bars(source: str) -> str:
    """`\\|` is a bar, as in GFM, but in a formula, where it is the sign of a norm."""
    if "\\|" not in source:
        return source
    parts, position = [], 0
    for found in re.finditer(r"\$|\\\|", source):
        if found.start() < position:
            continue
        formula = math.match(source, found.start(), len(source)) if found[0] == "$" else None
        end = formula.end if formula else found.end()
        parts += [source[position : found.start()], "|" if found[0] == "\\|" else source[found.start() : end]]
        position = end
    return "".join(parts) + source[position:]


def _build(state: StateBlock, start: int, end: int, header: list[Cell], alignments: list[str]) -> None:
    outer, state.parentType = state.parentType, "table"
    opening = state.push("table_open", "table", 1)
    state.push("thead_open", "thead", 1).map = [start, start + 1]
    _row(state, start, header, alignments, "th")
    state.push("thead_close", "thead", -1)
    last = _body(state, start + 2, end, alignments)
    state.push("table_close", "table", -1)
    opening.map = [start, last]
    state.parentType, state.line = outer, last


def _body(state: StateBlock, first: int, end: int, alignments: list[str]) -> int:
    """The rows below the header; returns the line after them."""
    line, body = first, None
    while line < end and (line - first) * len(alignments) < MAX_CELLS and not _ends(state, line, end):
        body = body or state.push("tbody_open", "tbody", 1)
        _row(state, line, split(_text(state, line), len(alignments)), alignments, "td")
        line += 1
    if body:
        body.map = [first, line]
        state.push("tbody_close", "tbody", -1)
    return line


def _ends(state: StateBlock, line: int, end: int) -> bool:
    if state.sCount[line] < state.blkIndent or not _text(state, line) or state.is_code_block(line):
        return True
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("blockquote"))


def _row(state: StateBlock, line: int, cells: list[Cell], alignments: list[str], tag: str) -> None:
    state.push("tr_open", "tr", 1).map = [line, line + 1]
    begin = state.bMarks[line] + state.tShift[line]
    margin = begin - state.src.rfind("\n", 0, begin) - 1
    for number, alignment in enumerate(alignments):
        cell = cells[number] if number < len(cells) else Cell("", 0)
        opening = state.push(f"{tag}_open", tag, 1)
        if alignment:
            opening.attrs = {"style": f"text-align:{alignment}"}
        _inline(state, line, cell, margin)
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)


def _inline(state: StateBlock, line: int, cell: Cell, margin: int) -> None:
    token = state.push("inline", "", 0)
    token.map = [line, line + 1]
    token.content, token.children = cell.content, []
    token.meta = {"column": margin + cell.column}


def _text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip(" \t")
