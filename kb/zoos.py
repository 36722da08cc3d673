"""Other people's lists of models: what a file prints of each, and where it stands. Tables are read here.

A number without a unit that ends in three zeros or more has been rounded to them, since such files have no other way to
say so: 1810000000 is read as 1.81 G.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from kb.calls import is_call
from kb.figures import COUNTS, SMALLEST, Column, is_unreadable, printed, read_header
from kb.problems import problem
from kb.records import Place, Printed, Problem

MOST_ENTRIES = 10_000
MOST_BYTES = 4 * 2**20  # of a file

_CALL_HEADER = re.compile(r"(?:model )?call|kb(?: call)?|调用")
_LABEL_HEADER = re.compile(
    r"(?:model |paper )?(?:name|label|id)|model|network|architecture|arch|backbone|名称|模型|网络"
)
_ROUNDED = re.compile(r"0{3,}$")


class Figure(NamedTuple):
    """A printed figure and its place in the file."""

    printed: Printed
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in a file. `call` is as written there, "" where there is none; `names` may be a factory's name."""

    label: str
    place: Place
    call: str = ""
    call_place: Place | None = None
    names: tuple[str, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)  # by column, as in ResultRow


@dataclass(frozen=True, slots=True)
class Zoo:
    """What a file holds, and what is wrong with it."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_cell(text: str, column: Column, place: Place) -> Figure | Problem | None:
    """The figure in a text; the problem of one that cannot be read; None where there is none."""
    found = printed(text, column, 0, 0, ())
    if found is None:
        return _unreadable(text, place) if is_unreadable(text, column) else None
    if lacks_unit(found, column):
        return problem("K502", place, f"`{text}` has no unit", f"write `{text} M`, or all its digits", severity="error")
    return Figure(_as_rounded(found), place)


def _unreadable(text: str, place: Place) -> Problem:
    hint = "write one figure with its unit, as in `4.2 M`, or `-` for none"
    return problem("K502", place, f"the figure `{text[:80]}` cannot be read", hint, severity="error")


def lacks_unit(figure: Printed, column: Column) -> bool:
    """Whether a count is so small that its unit must have been lost; zero needs none."""
    return column.metric in COUNTS and not figure.unit and 0 < abs(figure.value) < SMALLEST


def _as_rounded(figure: Printed) -> Printed:
    zeros = _ROUNDED.search(str(figure.value))
    if figure.unit or figure.step != 1 or not zeros:
        return figure
    return replace(figure, step=Decimal(10) ** len(zeros[0]))


def too_many(place: Place) -> Problem:
    """The problem of a file with more models than anybody can read the verdicts of."""
    return problem("K505", place, f"the file holds more than {MOST_ENTRIES:,} models", "divide it")


# ------------------------------------------------------------------------------------------------------- tables


class TableError(ValueError):
    """Why a row is none, and the line that it begins on."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Record(NamedTuple):
    """A row of a table: its line, its cells, and the column of the file in which each begins."""

    line: int
    cells: tuple[str, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Header:
    """What a table's columns hold, by index: figures under the names of their metrics, calls, and labels."""

    figures: Mapping[int, tuple[str, Column]]
    call: int | None
    label: int | None


def read_table(text: str, path: str) -> Zoo:
    """The models of a table with a header: columns divided by commas, semicolons or tabs."""
    try:
        records = list(islice(_records(text), MOST_ENTRIES + 2))
    except TableError as error:
        return _nothing(
            problem("K505", Place(path, error.line), f"the row cannot be read: {error}", "close its quotes")
        )
    if not records:
        return _nothing(problem("K505", Place(path), "the file is empty", "begin it with a line of headers"))
    if len(records) > MOST_ENTRIES + 1:
        return _nothing(too_many(Place(path)))
    header = _header(records[0].cells)
    if not any(column.metric in COUNTS for _, column in header.figures.values()):
        hint = "name one `params`, `MACs` or `FLOPs`, with its unit: `params (M)`"
        return _nothing(problem("K505", Place(path, records[0].line), "no column holds counts of a model", hint))
    return _zoo(header, records, path)


def _nothing(found: Problem) -> Zoo:
    return Zoo(problems=(found,))


def _records(text: str) -> Iterator[Record]:
    """The rows that hold anything. A cell's column is counted in the row's first line."""
    lines = text.split("\n")
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(lines), strict=True)
    first = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Record(first, tuple(cell.strip() for cell in cells), tuple(_columns(lines[first - 1], cells)))
            first = reader.line_num + 1
    except csv.Error as error:
        raise TableError(str(error), first) from None


def _delimiter(lines: Sequence[str]) -> str:
    """What divides the header's columns."""
    header = next((line for line in lines if line.strip()), "")
    return max(",;\t", key=header.count)


def _columns(line: str, cells: Sequence[str]) -> Iterator[int]:
    end = 0
    for cell in cells:
        start = max(line.find(cell.strip(), end), end)
        yield start + 1
        end = start + len(cell.strip())


def _header(cells: Sequence[str]) -> _Header:
    """`param_count` and `infer_gmacs` are read as words, too."""
    words = [cell.replace("_", " ") for cell in cells]
    figures: dict[int, tuple[str, Column]] = {}
    for index, column in enumerate(map(read_header, words)):
        if column:
            number = 1 + sum(other.metric == column.metric for _, other in figures.values())
            figures[index] = (column.metric if number == 1 else f"{column.metric} {number}", column)
    others = {index: word.strip().casefold() for index, word in enumerate(words) if index not in figures}
    call = next((index for index, word in others.items() if _CALL_HEADER.fullmatch(word)), None)
    labels = [index for index, word in others.items() if index != call and _LABEL_HEADER.fullmatch(word)]
    return _Header(figures, call, next(iter(labels), None))


def _zoo(header: _Header, records: Sequence[Record], path: str) -> Zoo:
    """All rows as entries. A column without any unit is one mistake, not one in each of its cells."""
    first, *body = records
    lacking = [index for index, (_, column) in header.figures.items() if _lack_units(index, column, body)]
    kept = replace(header, figures={index: each for index, each in header.figures.items() if index not in lacking})
    problems = [_no_units(first, index, path) for index in lacking]
    problems += [found for record in body if (found := _too_long(record, first, path))]
    rows = [_row(kept, record, path) for record in body]
    return Zoo(
        tuple(entry for entry, _ in rows), (*problems, *(found for _, all_of_row in rows for found in all_of_row))
    )


def _row(header: _Header, record: Record, path: str) -> tuple[Entry, list[Problem]]:
    places = [Place(path, record.line, column) for column in record.columns]
    cells = list(zip(record.cells, places, strict=True))
    read = {
        name: read_cell(cells[index][0], column, cells[index][1])
        for index, (name, column) in header.figures.items()
        if index < len(cells)
    }
    figures = {name: found for name, found in read.items() if isinstance(found, Figure)}
    problems = [found for found in read.values() if isinstance(found, Problem)]
    return _entry(header, cells, figures), problems


def _entry(header: _Header, cells: Sequence[tuple[str, Place]], figures: Mapping[str, Figure]) -> Entry:
    """The call is the cell below its header, else the first that looks like one; the label is any other's."""
    texts = {index: (text.strip("`").strip(), place) for index, (text, place) in enumerate(cells)}
    others = {index: cell for index, cell in texts.items() if index not in header.figures and cell[0]}
    calls = [header.call] if header.call is not None else [index for index in others if is_call(others[index][0])]
    call, call_place = others.get(next(iter(calls), -1), ("", None))
    named = [header.label, *(index for index in others if index not in calls)]
    label, place = next((others[index] for index in named if index in others), (call, cells[0][1]))
    return Entry(label, place, call, call_place, () if label == call else (label,), figures)


def _too_long(record: Record, header: Record, path: str) -> Problem | None:
    more = len(header.cells)
    if len(record.cells) <= more:
        return None
    message = f"the row has {len(record.cells)} cells, and the header {more}"
    place = Place(path, record.line, record.columns[more])
    return problem("K505", place, message, "put a cell that holds the dividing mark in quotes")


def _no_units(header: Record, index: int, path: str) -> Problem:
    name = header.cells[index]
    message = f"the figures of the column `{name}` have no unit"
    place = Place(path, header.line, header.columns[index])
    return problem("K502", place, message, f"name it `{name} (M)`, or write all their digits", severity="error")


def _lack_units(index: int, column: Column, records: Sequence[Record]) -> bool:
    """Whether a column has two figures or more, and none of them a unit."""
    cells = (record.cells[index] for record in records if index < len(record.cells))
    found = [figure for cell in cells if (figure := printed(cell, column, 0, 0, ()))]
    return len(found) > 1 and all(lacks_unit(figure, column) for figure in found)
