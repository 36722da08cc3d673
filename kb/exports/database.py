"""An SQLite database of the cards, ready for Datasette: tables with foreign keys, and a search in the sections."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from kb.exports.published import Published, calls_named, measurements_named
from kb.exports.tables import Row, card_row, link_rows, measurement_row, result_rows
from kb.resources import PACKAGE

SCHEMA = PACKAGE / "exports" / "schema.sql"


def database(cards: Sequence[Published]) -> bytes:
    """The database as the bytes of its file: the same for the same cards."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA.read_text(encoding="utf-8"))
        for table, rows in _tables(cards):
            _insert(connection, table, list(rows))
        connection.execute("INSERT INTO sections_fts(sections_fts) VALUES ('rebuild')")
        connection.commit()
        return connection.serialize()


def _tables(cards: Sequence[Published]) -> Iterator[tuple[str, Iterable[Row]]]:
    """The rows of each table; a row is there before another one refers to it."""
    ids = {each.id for each in cards}
    yield "cards", map(card_row, cards)
    yield "authors", (row for each in cards for row in _authors(each))
    yield "tags", ({"card": each.id, "tag": tag} for each in cards for tag in dict.fromkeys(each.card.tags))
    yield (
        "aliases",
        ({"card": each.id, "alias": alias} for each in cards for alias in dict.fromkeys(each.card.aliases)),
    )
    yield "sections", (row for each in cards for row in _sections(each))
    yield "measurements", _measurements(cards)
    yield "kinds", (row for each in measurements_named(cards) for row in _kinds(each))
    yield "results", ({**row, "call": row["call"] or None} for each in cards for row in result_rows(each))
    links = (row for each in cards for row in link_rows(each))
    yield "links", ({**row, "to_card": row["to_card"] if row["to_card"] in ids else None} for row in links)


def _authors(each: Published) -> Iterator[Row]:
    for position, name in enumerate(each.card.citation.authors, 1):
        yield {"card": each.id, "position": position, "name": name}


def _sections(each: Published) -> Iterator[Row]:
    card = each.card
    if card.intro.strip():
        yield {"card": each.id, "section": "", "heading": "", "line": card.intro_line, "markdown": card.intro}
    for section in card.sections:
        yield {
            "card": each.id,
            "section": section.id,
            "heading": section.heading,
            "line": section.line,
            "markdown": section.markdown,
        }


def _measurements(cards: Sequence[Published]) -> Iterator[Row]:
    measured = {each.call: measurement_row(each) for each in measurements_named(cards)}
    columns = next(iter(measured.values()), {"call": ""})
    for call in calls_named(cards):
        yield measured.get(call) or {**dict.fromkeys(columns), "call": call}


def _kinds(measurement: Any) -> Iterator[Row]:
    for kind, total in sorted(measurement.by_kind.items()):
        yield {"call": measurement.call, "kind": kind, "params": total.params, "macs": total.macs}


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows of one form; all names are ours."""
    if rows:
        columns = ", ".join(rows[0])
        values = ", ".join(f":{name}" for name in rows[0])
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)
