"""Measurements as people and programs read them: a table for the terminal, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kb.records import KindTotal, Measurement

COLUMNS = ("call", "input", "params", "macs", "flops", "activations")
HEADER = ("call", "input", "params", "MACs", "FLOPs", "activations")
KINDS_HEADER = ("kind", "params", "", "MACs", "")
Units = tuple[tuple[str, int], ...]
UNITS: Units = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))
PARAMS_UNITS: Units = (("B", 10**9), *UNITS[2:])  # people count parameters in billions


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
    first = {name: getattr(measurement, name) for name in (*COLUMNS, "arithmetic_intensity")}
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
    """An aligned table, figures to four digits with their units; of a single measurement also its parts.

    What could not be counted is named below it. Where nothing was measured there is no table.
    """
    if not measurements:
        return ""
    missing = [
        f"{each.call}: incomplete, not counted: {', '.join(each.incomplete)}"
        for each in measurements
        if each.incomplete
    ]
    parts = parts_of(measurements[0]) if len(measurements) == 1 else []
    return "\n".join([*aligned([HEADER, *map(row_of, measurements)], words=2), *missing, *parts]) + "\n"


def row_of(measurement: Measurement) -> tuple[str, ...]:
    """The cells of a measurement's row."""
    figures = (with_unit(getattr(measurement, name)) for name in COLUMNS[3:])
    return (measurement.call, measurement.input, with_unit(measurement.params, PARAMS_UNITS), *figures)


def parts_of(measurement: Measurement) -> list[str]:
    """What a measurement is made of: a table of the kinds of layers, then a line for each of the smaller figures."""
    kinds = sorted(measurement.by_kind.items(), key=lambda item: (-item[1].macs, -item[1].params))
    rows = [KINDS_HEADER, *(kind_row(measurement, kind, total) for kind, total in kinds)]
    return ["", *aligned(rows, words=1), "", *aligned(smaller_figures(measurement), words=2)]


def kind_row(measurement: Measurement, kind: str, total: KindTotal) -> tuple[str, ...]:
    """The cells of a kind of layer: its parameters and multiply-adds, and their shares."""
    return (
        kind,
        with_unit(total.params, PARAMS_UNITS),
        share(total.params, measurement.params),
        with_unit(total.macs),
        share(total.macs, measurement.macs),
    )


def smaller_figures(measurement: Measurement) -> list[tuple[str, str]]:
    """What there is beside the headline figures, as name and words."""
    groups = {name: getattr(measurement, name) for name in ("weights", "biases", "normalisation")}
    peak = f"{bytes_with_unit(measurement.peak_activation_bytes)} of activations alive at once"
    largest = f"the largest has {with_unit(measurement.largest_activation).strip()} elements"
    moved = "as if each parameter and activation moved once, at 32 bits"
    return [
        ("parameters", with_units(groups, PARAMS_UNITS)),
        ("memory", f"{peak} at most; {largest}"),
        ("intensity", f"{measurement.arithmetic_intensity:.1f} FLOPs per byte, {moved}"),
        *([("classifier", measurement.classifier)] if measurement.classifier else []),
        ("not in MACs", f"{with_units(measurement.extras)} elements" if measurement.extras else "nothing"),
    ]


def with_units(figures: Mapping[str, int], units: Units = UNITS) -> str:
    """Named figures in one line."""
    return ", ".join(f"{name} {with_unit(figure, units).strip()}" for name, figure in figures.items())


def bytes_with_unit(number: int) -> str:
    """A number of bytes for people."""
    return f"{number / 2**20:,.2f} MiB" if number >= 2**20 else f"{number / 2**10:.2f} KiB"


def share(part: int, whole: int) -> str:
    """A part in per cent; nothing where there is none, and a tiny one is not shown as nothing."""
    return "" if not part else f"{100 * part / whole:.1f} %" if part / whole >= 0.0005 else "< 0.1 %"


def aligned(rows: Sequence[Sequence[str]], words: int) -> list[str]:
    """The rows as lines: the first columns hold words and stand to the left, the others figures, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cells_of(row, widths, words)).rstrip() for row in rows]


def cells_of(row: Sequence[str], widths: Sequence[int], words: int) -> Iterator[str]:
    """A row's cells, each as wide as its column."""
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if column < words else cell.rjust(width)


def with_unit(number: int, units: Units = UNITS) -> str:
    """Four significant digits and a unit: 300774272 is 300.8 M."""
    for unit, size in units:
        if number >= size:
            digits = max(0, 3 - (len(str(number // size)) - 1))
            return f"{number / size:.{digits}f} {unit}"
    return f"{number}  "
