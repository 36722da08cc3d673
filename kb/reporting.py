"""Measurements as people and programs read them: a table for the terminal, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kb.records import Measurement

COLUMNS = ("call", "input", "params", "macs", "flops", "activations")
HEADER = ("call", "input", "params", "MACs", "FLOPs", "activations")
UNITS = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))


def report(measurements: Sequence[Measurement], form: str) -> str:
    """The measurements in a form: table, json or csv; all but the table are exact."""
    return {"table": as_table, "json": as_json, "csv": as_csv}[form](measurements)


def as_json(measurements: Sequence[Measurement]) -> str:
    """A list of objects, in the order given."""
    return json.dumps([data_of(each) for each in measurements], ensure_ascii=False, indent=2) + "\n"


def data_of(measurement: Measurement) -> dict[str, Any]:
    """A measurement as plain data: what it counts first, then the parts."""
    parts = asdict(measurement)
    parts.pop("fingerprint")
    first = {name: getattr(measurement, name) for name in COLUMNS}
    last = {name: parts.pop(name) for name in ("by_kind", "layers")}
    return {**first, **{name: value for name, value in parts.items() if name not in first}, **last}


def as_csv(measurements: Sequence[Measurement]) -> str:
    """A line per call, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(each, name) for name in COLUMNS] for each in measurements)
    return text.getvalue()


def as_table(measurements: Sequence[Measurement]) -> str:
    """An aligned table, figures to four digits with their units; what could not be counted is named below it."""
    if not measurements:
        return ""
    rows = [HEADER, *(row_of(each) for each in measurements)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = [line_of(row, widths) for row in rows]
    missing = [
        f"{each.call}: incomplete, not counted: {', '.join(each.incomplete)}"
        for each in measurements
        if each.incomplete
    ]
    return "\n".join([*lines, *missing]) + "\n"


def row_of(measurement: Measurement) -> tuple[str, ...]:
    """The cells of a measurement's row."""
    figures = (getattr(measurement, name) for name in COLUMNS[2:])
    return (measurement.call, measurement.input, *(with_unit(figure) for figure in figures))


def line_of(row: Sequence[str], widths: Sequence[int]) -> str:
    """A row, words to the left and figures to the right."""
    cells = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def with_unit(number: int) -> str:
    """Four significant digits and a unit: 300774272 is 300.8 M."""
    for unit, size in UNITS:
        if number >= size:
            digits = max(0, 3 - (len(str(number // size)) - 1))
            return f"{number / size:.{digits}f} {unit}"
    return f"{number}  "
