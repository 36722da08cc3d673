"""Flat tables: cards, printed figures beside measured ones, measurements, links. A row is a mapping.

Their columns are described in kb/schemas: result.schema.json, measurement.schema.json, link.schema.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kb.exports.published import Published
from kb.records import NUMBERS, Measurement, Verdict

AT_HAND = 4  # cards whose rows are kept: several files hold them

Row = dict[str, Any]


def card_row(each: Published) -> Row:
    """A card in one row."""
    card, cited = each.card, each.card.citation
    return {
        "card": each.id,
        "citekey": card.citekey,
        "lang": card.lang,
        "name": card.name,
        "kind": card.kind,
        "title": cited.title,
        "authors": "; ".join(cited.authors),
        "et_al": cited.et_al,
        "venue": cited.venue,
        "year": cited.year,
        "tags": "; ".join(card.tags),
        "citation": cited.text,
        **{name: card.links.get(name, "") for name in ("arxiv", "doi", "url", "code")},
        "date": card.date,
        "updated": card.updated,
        "status": card.status,
        "page": each.page,
    }


@lru_cache(maxsize=AT_HAND)
def result_rows(each: Published) -> tuple[Row, ...]:
    """The printed figures of a card, each with what was measured and the verdict."""
    return tuple(_result_rows(each))


def _result_rows(each: Published) -> Iterator[Row]:
    verdicts = each.base.verdicts(each.card)
    for row in each.card.results:
        for column, printed in row.metrics.items():
            verdict = verdicts[printed.line, printed.column]
            yield {
                "card": each.id,
                "section": row.section,
                "line": printed.line,
                "label": row.label,
                "call": row.call,
                "metric": column,
                "printed": printed.printed,
                "unit": printed.unit,
                "value": number(printed.value),
                "verdict": verdict.status,
                "measured": verdict.measured,
                "counted": counted(verdict),
                "conventions": "; ".join(verdict.conventions),
                "by_call": verdict.by_call,
                "low": number(verdict.low),
                "high": number(verdict.high),
                "provisional": each.base.is_provisional(verdict),
            }


def counted(verdict: Verdict) -> int | None:
    """The model's count that a verdict rests on: what explains the figure, else what its column's reading gives."""
    return verdict.counted if verdict.explained is None else verdict.explained


def measurement_row(measurement: Measurement) -> Row:
    """What running a model gives."""
    return {
        "call": measurement.call,
        "input": measurement.input,
        **{name: getattr(measurement, name) for name in NUMBERS},
        "flops": measurement.flops,
        "classifier": measurement.classifier,
        "incomplete": "; ".join(measurement.incomplete),
        "versions": "; ".join(f"{name}=={version}" for name, version in sorted(measurement.versions.items())),
        "fingerprint": measurement.fingerprint,
    }


@lru_cache(maxsize=AT_HAND)
def link_rows(each: Published) -> tuple[Row, ...]:
    """The papers that a card names, a row for each sentence; `to_card` is the one in its language, of two."""
    return tuple(_link_rows(each))


def _link_rows(each: Published) -> Iterator[Row]:
    for link in each.base.links_of(each.card):
        found = each.base.resolve(link.target, each.card.lang) if link.has_card else None
        yield {
            "card": each.id,
            "kind": link.kind,
            "target": link.target,
            "to_card": Published(each.base, found, "").id if found else None,
            "section": link.section,
            "sentence": link.sentence,
            "line": link.line,
        }


def number(value: Decimal | None) -> int | float | None:
    """A decimal number as JSON and SQLite have it."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
