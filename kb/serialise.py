"""Cards as plain data, YAML and JSON, in the order and under the names that kb/schemas/card.schema.json describes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from kb.plain_yaml import as_plain
from kb.quick_yaml import dump
from kb.records import Card, Printed, ResultRow

FORMAT = 1


def card_data(card: Card) -> dict[str, Any]:
    """A card as mappings, lists, texts and numbers."""
    citation = card.citation
    return {
        "format": FORMAT,
        "citekey": card.citekey,
        "lang": card.lang,
        "name": card.name,
        "kind": card.kind,
        "citation": citation.text,
        "title": citation.title,
        "authors": list(citation.authors),
        "et_al": citation.et_al,
        "venue": citation.venue,
        "year": citation.year,
        "tags": list(card.tags),
        "aliases": list(card.aliases),
        "links": dict(card.links),
        "date": card.date,
        "updated": card.updated,
        "status": card.status,
        "extra": as_plain(dict(card.extra)),
        "source": {"path": card.path, "line": card.line, "end_line": card.end_line},
        "intro": _without_blank_ends(card.intro),
        "sections": [
            {"id": each.id, "heading": each.heading, "line": each.line, "markdown": _without_blank_ends(each.markdown)}
            for each in card.sections
        ],
        "equations": [{"tex": each.tex, "display": each.display, "line": each.line} for each in card.equations],
        "models": [{"call": each.call, "label": each.label, "line": each.line} for each in card.models],
        "results": [_row_data(row) for row in card.results],
        "claims": [{"source": each.source, "line": each.line} for each in card.claims],
    }


def _without_blank_ends(markdown: str) -> str:
    """The source without blank lines around it: they separate it from its neighbours, and say nothing."""
    lines = markdown.split("\n")
    full = [number for number, line in enumerate(lines) if line.strip()]
    return "\n".join(lines[full[0] : full[-1] + 1]) + "\n" if full else ""


def _row_data(row: ResultRow) -> dict[str, Any]:
    metrics = {metric: _figure_data(printed) for metric, printed in row.metrics.items()}
    return {"label": row.label, "call": row.call, "line": row.line, "metrics": metrics}


def _figure_data(printed: Printed) -> dict[str, Any]:
    return {"printed": printed.printed, "unit": printed.unit, "value": _number(printed.value)}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def to_yaml(card: Card) -> str:
    """A card as YAML, its Markdown in block scalars."""
    return dump(card_data(card))


def to_json(card: Card) -> str:
    """A card as JSON."""
    return json.dumps(card_data(card), ensure_ascii=False, indent=2) + "\n"


def cards_to_yaml(cards: Iterable[Card]) -> str:
    """A list of cards as YAML."""
    return dump([card_data(card) for card in cards])


def cards_to_json(cards: Iterable[Card]) -> str:
    """A list of cards as JSON."""
    return json.dumps([card_data(card) for card in cards], ensure_ascii=False, indent=2) + "\n"
