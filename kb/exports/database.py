"""An SQLite database of the cards, ready for Datasette: tables with foreign keys, and a search in the sections."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from kb.exports.published import Published, calls_named, measurements_named
from kb.exports.tables import Row, card_row, link_rows, measurement_row, result_rows
from kb.resources import PACKAGE

Rows = Mapping[str, Sequence[Row]]  # by table

SCHEMA = PACKAGE / "exports" / "schema.sql"


def database(cards: Sequence[Published], rows: Sequence[Rows]) -> bytes:
    """The database of cards as the bytes of its file, given the rows of each: the same for the same cards."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA.read_text(encoding="utf-8"))
        for table, all_rows in _tables(cards, rows):
            _insert(connection, table, list(all_rows))
        connection.execute("INSERT INTO sections_fts(sections_fts) VALUES ('rebuild')")
        connection.commit()
        return connection.serialize()


def rows_of(each: Published) -> Rows:
    """The rows of one card, by table."""
    return {
        "cards": [card_row(each)],
        "authors": list(_authors(each)),
        "tags": [{"card": each.id, "tag": tag} for tag in dict.fromkeys(each.card.tags)],
        "aliases": [{"card": each.id, "alias": alias} for alias in dict.fromkeys(each.card.aliases)],
        "sections": list(_sections(each)),
        "results": [{**row, "call": row["call"] or None} for row in result_rows(each)] if each.comes_first else [],
        "links": list(link_rows(each)),
    }


def _tables(cards: Sequence[Published], of_cards: Sequence[Rows]) -> Iterator[tuple[str, Iterable[Row]]]:
    """The rows of each table; a row is there before another one refers to it."""
    ids = {each.id for each in cards}
    for table in ("cards", "authors", "tags", "aliases", "sections"):
        yield table, (row for rows in of_cards for row in rows[table])
    yield "measurements", _measurements(cards)
    yield "kinds", (row for each in measurements_named(cards) for row in _kinds(each))
    yield "results", (row for rows in of_cards for row in rows["results"])
    links = (row for rows in of_cards for row in rows["links"])
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
