"""Where a card names models, and the results tables whose figures they are compared with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it.token import Token

from kb.calls import is_call
from kb.expressions import MARKS
from kb.figures import Column, is_unreadable, printed, read_header
from kb.markdown import code_spans, parse, plain_text
from kb.problems import problem
from kb.records import ModelRef, Place, Printed, Problem, ResultRow, Section

MODELS_SECTION = "models"

_FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a card that may hold tables: a section's id, its text, and the line that this begins on."""

    section: str
    text: str
    first_line: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a Markdown table: its line in the file, and the sources of its cells."""

    line: int
    cells: tuple[str, ...]


def model_references(sections: Sequence[Section]) -> Iterator[ModelRef]:
    """The list items of the reference-models section: the paper's label for a call, and the call."""
    for section in sections:
        if section.id == MODELS_SECTION:
            yield from _references(section.markdown, section.line + 1)


def _references(text: str, first_line: int) -> Iterator[ModelRef]:
    spans = [span for span in code_spans(text, first_line) if not span[0].startswith(MARKS)]
    for token in _items(parse(text)):
        start, end = (first_line + line for line in token.map or (0, 0))
        label = _label_text(token.content.partition("`")[0])
        for content, line, column in spans:
            if start <= line < end:
                yield ModelRef(content.strip(), label, line, column)
                label = ""


def _items(tokens: Sequence[Token]) -> Iterator[Token]:
    """The texts that stand in list items."""
    depth = 0
    for token in tokens:
        depth += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if depth and token.type == "inline":
            yield token


def _label_text(source: str) -> str:
    text = re.sub(r"^\[[ xX]\]\s+", "", source.strip())
    return plain_text(text).strip().rstrip(":：=→-—– ").strip()


def results(
    parts: Sequence[Part], models: Sequence[ModelRef], definitions: Mapping[str, str], path: str
) -> tuple[tuple[ResultRow, ...], list[Problem]]:
    """The rows of all results tables, with calls as they are written, and figures that cannot be read."""
    labels = {normal_label(model.label): model.call for model in reversed(models) if model.label}
    rows: list[ResultRow] = []
    problems: list[Problem] = []
    for part in parts:
        for header, *body in tables(part.text, part.first_line):
            table = _Table(part, header, _columns(header, body), labels, definitions, path)
            if table.columns:
                rows += (row for each in body if (row := table.row(each)))
                problems += (found for each in body for found in table.problems(each))
    return tuple(rows), problems


def tables(text: str, first_line: int) -> Iterator[list[Row]]:
    """The tables in a text, each a list of rows, the header first."""
    rows: list[Row] = []
    cells: list[str] = []
    line = 0
    for token in parse(text):
        if token.type == "tr_open":
            line, cells = first_line + (token.map or [0])[0], []
        elif token.type == "inline" and token.level and rows is not None:
            cells.append(token.content)
        elif token.type == "tr_close":
            rows.append(Row(line, tuple(cells)))
        elif token.type == "table_close":
            yield rows
            rows = []


def _columns(header: Row, body: Sequence[Row]) -> dict[int, Column]:
    """The columns of figures by index: their headers name a metric, and a cell below is a figure, or ought to be."""
    named = {index: read_header(_read(_bare(cell))) for index, cell in enumerate(header.cells)}
    return {
        index: column
        for index, column in named.items()
        if column and any(_is_figure(row, index, column) for row in body)
    }


def _is_figure(row: Row, index: int, column: Column) -> bool:
    """Whether a cell can be read; one beside a model's call, in a column of counts, is meant to be."""
    text = _cell_text(row, index)
    if printed(text, column, 0, 0, ()):
        return True
    return is_unreadable(text, column) and any(_calls_in(cell) for cell in row.cells)


@dataclass(frozen=True, slots=True)
class _Table:
    """A results table: what its columns hold, and what its rows' labels stand for."""

    part: Part
    header: Row
    columns: Mapping[int, Column]
    labels: Mapping[str, str]  # normal label → call
    definitions: Mapping[str, str]
    path: str

    def row(self, row: Row) -> ResultRow | None:
        """The row's figures and what it is tied to; None for a row without figures."""
        metrics = dict(self._figures(row))
        if not metrics:
            return None
        label, call = self._tie(row)
        footnotes = dict.fromkeys(name for figure in metrics.values() for name in figure.footnotes)
        calls = {name: self._footnote_spans(name) for name in footnotes}
        return ResultRow(label, call, row.line, self.header.line, self.part.section, metrics, calls)

    def problems(self, row: Row) -> Iterator[Problem]:
        """Cells in a column of counts that hold digits, but no figure that can be read."""
        for index, column in self.columns.items():
            text = _cell_text(row, index)
            if not printed(text, column, 0, 0, ()) and is_unreadable(text, column):
                hint = "write one figure with its unit, as in `4.2 M`, or `-` for none"
                place = Place(self.path, row.line, self._column(row, index))
                yield problem("K502", place, f"the figure `{text}` cannot be read", hint)

    def _column(self, row: Row, index: int) -> int:
        """Where a cell's text begins in its line."""
        line = self.part.text.split("\n")[row.line - self.part.first_line]
        before = sum(len(cell) for cell in row.cells[:index])  # at least as much stands before the cell
        return max(line.find(row.cells[index], before), 0) + 1

    def _figures(self, row: Row) -> Iterator[tuple[str, Printed]]:
        seen: dict[str, int] = {}
        for index, column in self.columns.items():
            seen[column.metric] = number = seen.get(column.metric, 0) + 1
            footnotes = tuple(_FOOTNOTE.findall(row.cells[index])) if index < len(row.cells) else ()
            figure = printed(_cell_text(row, index), column, row.line, index, footnotes)
            if figure:
                yield column.metric if number == 1 else f"{column.metric} {number}", figure

    def _tie(self, row: Row) -> tuple[str, str]:
        """The row's label, and the call in one of its code spans, else the one that a label stands for."""
        cells = [cell for index, cell in enumerate(row.cells) if index not in self.columns]
        written = next((span.strip() for cell in row.cells for span in _calls_in(cell)), "")
        texts = [text for cell in cells if (text := _without_calls(cell))]
        label = next((text for text in texts if normal_label(text) in self.labels), "") or next(iter(texts), written)
        return label, written or self.labels.get(normal_label(label), "")

    def _footnote_spans(self, name: str) -> tuple[str, ...]:
        source = self.definitions.get(f"^{name}", "")
        return tuple(content for content, _, _ in code_spans(source.partition("]:")[2], 1))


def normal_label(text: str) -> str:
    """A label without what makes no difference: markup, width, case, runs of spaces."""
    return " ".join(unicodedata.normalize("NFKC", _read(text)).casefold().split())


def _calls_in(cell: str) -> list[str]:
    return [span for span in _spans_in(cell) if is_call(span)]


def _spans_in(cell: str) -> list[str]:
    return [span for span, _, _ in code_spans(cell, 1)] if "`" in cell else []


@lru_cache(maxsize=256)
def _without_calls(cell: str) -> str:
    """A cell's text without calls and expressions: `ResNet-50 (`resnet(depth=50)`)` is ResNet-50."""
    source = _bare(cell)
    for span in _spans_in(source):
        if is_call(span) or span.startswith(MARKS):
            source = re.sub(rf"[(（]?`+\s*{re.escape(span)}\s*`+[)）]?", "", source)
    return _read(source)


def _read(source: str) -> str:
    """What readers see of a cell."""
    return plain_text(source).strip()


def _bare(cell: str) -> str:
    return _FOOTNOTE.sub("", cell)


def _cell_text(row: Row, index: int) -> str:
    return _without_calls(row.cells[index]) if index < len(row.cells) else ""
