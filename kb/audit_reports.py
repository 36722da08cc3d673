"""An audit as people and programs read it: a table for the terminal, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from kb.auditing import Audit, AuditedFigure, AuditedModel
from kb.explaining import AROUND
from kb.figures import COUNTS
from kb.judging import base_metric
from kb.problems import shown
from kb.records import Verdict
from kb.telling import MARKS, convention_words, difference
from kb.texts import Texts

COLUMNS = (
    *("label", "call", "metric", "printed", "unit", "value", "measured", "counted", "verdict", "conventions"),
    *(
        "difference",
        "nearest",
        "nearest_count",
        "low",
        "high",
        "reason",
        "chosen",
        "provisional",
        "path",
        "line",
        "column",
    ),
)
NUMBERS = (2, 3)  # columns of the terminal's table that are set to the right
LONGEST = 48  # of a label in the terminal


def report(audit: Audit, form: str, texts: Texts) -> str:
    """The audit in a form: table, json or csv; all but the table are exact and complete."""
    return {"table": as_table, "json": as_json, "csv": as_csv}[form](audit, texts)


# ---------------------------------------------------------------------------------------------------- programs


def as_json(audit: Audit, _: Texts) -> str:
    """A list of objects, one for each figure, in the order of the file; a model without figures has one, too."""
    return json.dumps(list(_data(audit)), ensure_ascii=False, indent=2) + "\n"


def as_csv(audit: Audit, _: Texts) -> str:
    """A line for each figure, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_plain(each[name]) for name in COLUMNS] for each in _data(audit))
    return text.getvalue()


def _plain(value: object) -> object:
    return "; ".join(value) if isinstance(value, list) else value


def _data(audit: Audit) -> Iterator[dict[str, Any]]:
    for model in audit.models:
        for figure in model.figures:
            yield _model_data(model) | _figure_data(figure)
        if not model.figures:
            place = model.place
            yield _model_data(model) | {"path": place.path, "line": place.line, "column": place.column}


def _model_data(model: AuditedModel) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS) | {"label": model.label, "call": model.call, "conventions": [], "chosen": []}


def _figure_data(figure: AuditedFigure) -> dict[str, Any]:
    verdict, place = figure.verdict, figure.place
    return {
        "metric": figure.column,
        "printed": verdict.printed.printed,
        "unit": verdict.printed.unit,
        "value": _number(verdict.printed.value),
        "measured": verdict.measured,
        "counted": figure.verdict.counted,
        "verdict": verdict.status,
        "conventions": list(verdict.conventions),
        "difference": _relative(figure),
        "nearest": figure.nearest,
        "nearest_count": figure.nearest_count,
        "low": _number(verdict.low),
        "high": _number(verdict.high),
        "reason": verdict.reason,
        "chosen": list(verdict.chosen),
        "provisional": figure.provisional,
        "path": place.path,
        "line": place.line,
        "column": place.column,
    }


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _relative(figure: AuditedFigure) -> float | None:
    """How far the model's count lies from the printed figure, relative to it."""
    value = figure.verdict.printed.value
    return None if figure.verdict.counted is None or not value else round(float(figure.verdict.counted / value) - 1, 6)


# ------------------------------------------------------------------------------------------------------ people


def as_table(audit: Audit, texts: Texts) -> str:
    """An aligned table of the counts; below it how each column was read, and how all figures came out."""
    rows = [row for model in audit.models for row in _rows(model, texts)]
    if not rows:
        return ""
    rows.insert(0, tuple(texts(f"audit.{name}") for name in ("model", "figure", "printed", "measured", "verdict")))
    widths = [max(_width(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([*lines, "", *_readings(audit, texts), *_summary(audit, texts)]) + "\n"


def _rows(model: AuditedModel, texts: Texts) -> Iterator[tuple[str, ...]]:
    """A model's counts; its label stands beside the first of them."""
    label = _short(shown(model.label or model.call) or texts("audit.no_name"))
    counts = [figure for figure in model.figures if base_metric(figure.column) in COUNTS]
    if not counts:
        yield label, "", "", "", texts("audit.no_counts")
    for figure in counts:
        printed = shown(f"{figure.verdict.printed.printed} {figure.verdict.printed.unit}".strip())
        counted = "" if figure.verdict.counted is None else f"{figure.verdict.counted:,}"
        yield label, _column(figure.column, texts), printed, counted, _verdict(figure, texts)
        label = ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _column(column: str, texts: Texts) -> str:
    metric, _, number = column.partition(" ")
    return f"{texts.named('metric', metric)} {number}".strip()


def _verdict(figure: AuditedFigure, texts: Texts) -> str:
    verdict = figure.verdict
    words = f"{MARKS[verdict.status]} {_words(figure, texts)}"
    return f"{words} ({texts('witness.provisional')})" if figure.provisional else words


def _words(figure: AuditedFigure, texts: Texts) -> str:
    verdict = figure.verdict
    if verdict.status in ("not_measurable", "unmeasured"):
        return texts(f"audit.reason.{verdict.reason}")
    if verdict.status == "unexplained" and verdict.counted is not None:
        gap = difference(verdict.counted, verdict.printed.value)
        return f"{texts('verdict.unexplained')}, {gap}{_near(figure, texts)}"
    return texts(f"verdict.{verdict.status}")


def _near(figure: AuditedFigure, texts: Texts) -> str:
    """The convention that comes nearer than the column's own; one that lies far off as well says nothing."""
    verdict, count = figure.verdict, figure.nearest_count
    value = verdict.printed.value
    if count is None or count == figure.verdict.counted or abs(count - value) > AROUND * value:
        return ""
    words = convention_words(figure.nearest.removesuffix("_truncated"), verdict.metric, texts)
    return texts("audit.nearest", conventions=words, count=f"{count:,}", difference=difference(count, value))


def _readings(audit: Audit, texts: Texts) -> Iterator[str]:
    """How each column was counted, as a whole."""
    judged = [figure for figure in audit.figures if figure.verdict.counted is not None]
    for column in dict.fromkeys(figure.column for figure in judged):
        verdict = next(figure.verdict for figure in judged if figure.column == column)
        words = texts("list.separator").join(_conventions(verdict, texts))
        yield texts("audit.reading", column=_column(column, texts), conventions=words)


def _conventions(verdict: Verdict, texts: Texts) -> list[str]:
    return [convention_words(name, verdict.metric, texts) for name in verdict.conventions or ("plain",)]


def _summary(audit: Audit, texts: Texts) -> Iterator[str]:
    """How many figures came out in each way, and what else the file prints."""
    counts = [figure for figure in audit.figures if base_metric(figure.column) in COUNTS]
    by_status = [(status, sum(each.verdict.status == status for each in counts)) for status in MARKS]
    tally = (f"{MARKS[name]} {number} {texts(f'audit.{name}')}" for name, number in by_status if number)
    yield texts("audit.summary", models=len(audit.models), figures=len(counts), tally=texts("list.comma").join(tally))
    others = sorted(base_metric(each.column) for each in audit.figures if base_metric(each.column) not in COUNTS)
    names = [
        f"{texts.named('metric', name)}{texts('figures.count', count=len(list(group)))}"
        for name, group in groupby(others)
    ]
    if any(figure.provisional for figure in counts):
        yield texts("legend.column", metric=texts("witness.provisional"), conventions=texts("audit.provisional"))
    if names:
        yield texts("audit.others", names=texts("list.comma").join(names))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        " " * (width - _width(cell)) + cell if index in NUMBERS else cell + " " * (width - _width(cell))
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """The columns of a terminal that a text takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
