"""The compare page's rows as files for others to use: JSON and CSV, whose addresses carry the format's version."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from kb.pages.comparing import Reported, Row, kinds
from kb.records import NUMBERS
from kb.texts import Texts

FORMAT = 1
JSON = f"data/models.v{FORMAT}.json"
CSV = f"data/models.v{FORMAT}.csv"
REPORTED_CSV = f"data/reported.v{FORMAT}.csv"

MOST_ON_PAGE = 300  # rows; with more, the page holds the first ones, and its script fetches all

REPORTED_COLUMNS = (
    "call",
    "metric",
    "value",
    "printed",
    "error",
    "column",
    "dataset",
    "stated",
    "citekey",
    "label",
    "href",
)


def files(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """The data files by their paths on the site."""
    yield JSON, as_json(rows)
    yield CSV, as_csv([models_header(rows), *(_models_line(row, _layer_kinds(rows)) for row in rows)])
    lines = (list({**_reported(each), "error": int(each.error)}.values()) for row in rows for each in row.reported)
    yield REPORTED_CSV, as_csv([REPORTED_COLUMNS, *([call, *rest] for call, *rest in lines)])


def as_json(rows: Iterable[Row]) -> str:
    """All rows: an object a line, so that a difference between two versions can be read."""
    lines = ",\n".join(json.dumps(_object(row), ensure_ascii=False, separators=(",", ":")) for row in rows)
    return f'{{"format":{FORMAT},"calls":[\n{lines}\n]}}\n'


def _object(row: Row) -> dict[str, object]:
    measured = row.measurement
    return {
        "call": row.call,
        "family": row.family,
        "year": row.year,
        "kind": row.first.view.card.kind,
        "cards": [_card(row, number) for number in range(len(row.mentions))],
        "input": measured.input,
        **{name: getattr(measured, name) for name in NUMBERS},
        "flops": measured.flops,
        "by_kind": {kind: [total.params, total.macs] for kind, total in sorted(measured.by_kind.items())},
        "incomplete": list(measured.incomplete),
        "reported": [{key: value for key, value in _reported(each).items() if key != "call"} for each in row.reported],
    }


def _card(row: Row, number: int) -> dict[str, object]:
    mention = row.mentions[number]
    return {
        "citekey": mention.view.card.citekey,
        "name": mention.name,
        "href": mention.href,
        "labels": list(mention.model.labels),
    }


def _reported(found: Reported) -> dict[str, object]:
    return {
        "call": found.call,
        "metric": found.metric,
        "value": float(found.value),
        "printed": found.shown,
        "error": found.error,
        "column": found.column,
        "dataset": found.on.dataset,
        "stated": found.on.by,
        "citekey": found.view.card.citekey,
        "label": found.label,
        "href": found.href,
    }


def for_script(rows: Sequence[Row], texts: Texts) -> str:
    """What the page's script needs: words, and the rows, or where to fetch them. It stands in an inert element."""
    words = {"texts": texts.under("compare"), "metrics": texts.under("metric"), "layers": texts.under("kind")}
    config = {**words, "kinds": dict(kinds(rows)), "numbers": NUMBERS, "address": JSON}
    data = as_json(rows) if len(rows) <= MOST_ON_PAGE else "null"
    text = f'{{"config":{json.dumps(config, ensure_ascii=False)},"data":{data}}}'
    escaped = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<template id="kb-compare-data">{escaped}</template>'


def models_header(rows: Iterable[Row]) -> list[str]:
    """The columns of the file of models: those by kind of layer come last."""
    by_kind = [f"{figure}:{kind}" for kind in _layer_kinds(rows) for figure in ("params", "macs")]
    return ["call", "family", "year", "kind", "citekeys", "href", "input", *NUMBERS, "flops", "incomplete", *by_kind]


def _layer_kinds(rows: Iterable[Row]) -> list[str]:
    return sorted({kind for row in rows for kind in row.measurement.by_kind})


def _models_line(row: Row, kinds: Iterable[str]) -> list[object]:
    measured = row.measurement
    keys = ";".join(mention.view.card.citekey for mention in row.mentions)
    totals = [measured.by_kind.get(kind) for kind in kinds]
    return [
        *(row.call, row.family, row.year or "", row.first.view.card.kind, keys, row.first.href, measured.input),
        *(getattr(measured, name) for name in NUMBERS),
        *(measured.flops, ";".join(measured.incomplete)),
        *(figure for total in totals for figure in ((total.params, total.macs) if total else (0, 0))),
    ]


def as_csv(lines: Iterable[Iterable[object]]) -> str:
    """Lines as CSV, with the line ends that RFC 4180 asks for."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue()
