"""The files of an export: which there are, and what is in each. The site carries the same ones below data/VERSION/."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kb.bibliography.writing import bibtex, csl_item
from kb.exports.columns import described
from kb.exports.database import Rows, database, rows_of
from kb.exports.model_index import models
from kb.exports.published import Published, cited_ones, first_ones, measurements_named
from kb.exports.tables import Row, card_row, link_rows, measurement_row, result_rows
from kb.serialise import card_data

VERSION = "v1"  # of the files' names and columns: another one where a reader of the old ones would break
DATABASE = "kb.sqlite"
MOST_IN_DATABASE = 500  # cards: a larger database is neither made at each build nor fit for a web host


OF_CARDS = (iter, first_ones, cited_ones)  # what takes each card by itself


class File(NamedTuple):
    """A file of text: what its pieces are made of, a piece, and what stands around and between them."""

    items: Callable[[Sequence[Published]], Iterable[Any]]
    piece: Callable[[Any], str]
    head: str = ""
    between: str = ""
    tail: str = ""

    def text(self, pieces: Iterable[str]) -> str:
        """The whole file."""
        return self.whole(piece.encode() for piece in pieces).decode()

    def whole(self, pieces: Iterable[bytes]) -> bytes:
        """The same of pieces that are bytes."""
        return b"".join([self.head.encode(), self.between.encode().join(filter(None, pieces)), self.tail.encode()])


def content(name: str, cards: Iterable[Published]) -> str | bytes:
    """What a file of this name holds of these cards, which are sorted first."""
    in_order = _in_order(cards)
    if name == DATABASE:
        return database(in_order, list(map(rows_of, in_order)))
    return FILES[name].text(map(FILES[name].piece, FILES[name].items(in_order)))


class Pieces(NamedTuple):
    """What one card brings to the files: its piece of each that has one for a card, and its rows of the database."""

    texts: Mapping[str, str]
    rows: Rows


PiecesOf = Callable[[Published], Pieces]


def pieces_of(each: Published) -> Pieces:
    """A card's pieces; where another card of its paper comes first, files of papers have none of it."""
    files = {name: file for name, file in FILES.items() if file.items in OF_CARDS}
    texts = {name: "".join(map(file.piece, file.items((each,)))) for name, file in files.items()}
    return Pieces(texts, rows_of(each))


def revised(
    files: Callable[[str], bytes], cards: Sequence[Published], changes: Sequence[tuple[Pieces, Pieces]]
) -> dict[str, bytes] | None:
    """The files that are others now that some cards bring other pieces; None where they have to be joined anew.

    `files` gives what they held of the same cards, with their earlier pieces.
    """
    found: dict[str, bytes] = {}
    for name, file in FILES.items():
        if file.items not in OF_CARDS:
            found[name] = content(name, cards).encode()  # type: ignore[union-attr]
            continue
        for before, after in changes:
            old, new = before.texts[name].encode(), after.texts[name].encode()
            if old != new:
                data = found.get(name) or files(name)
                at = data.find(old)
                if not old or not new or at < 0 or data.find(old, at + 1) >= 0:
                    return None
                found[name] = data[:at] + new + data[at + len(old) :]
    return found


def contents(cards: Iterable[Published], pieces: PiecesOf) -> Iterator[tuple[str, str | bytes]]:
    """All files of these cards, joined of their pieces; the database, too, where they are not too many for it."""
    in_order = _in_order(cards)
    joined: dict[str, list[bytes]] = {name: [] for name, file in FILES.items() if file.items in OF_CARDS}
    for each in in_order:  # as bytes, which take half the room
        texts = pieces(each).texts
        for name, made in joined.items():
            made.append(texts[name].encode())
    for name, file in FILES.items():
        yield name, file.whole(joined.pop(name)) if name in joined else content(name, in_order)
    yield from with_database(in_order, pieces)


def with_database(cards: Iterable[Published], pieces: PiecesOf) -> Iterator[tuple[str, bytes]]:
    """The database of these cards, where they are not too many for it."""
    in_order = _in_order(cards)
    if len(in_order) <= MOST_IN_DATABASE:
        yield DATABASE, database(in_order, [pieces(each).rows for each in in_order])


def _in_order(cards: Iterable[Published]) -> list[Published]:
    return sorted(cards, key=lambda each: each.id)


def file_for(form: str, table: str = "") -> str:
    """The name of the file for a format, and for a table where the format has one for each."""
    names = {"bibtex": "cards.bib", "csl-json": "cards.csl.json", "sqlite": DATABASE, "model-index": "model-index.yml"}
    defaults = {"json": "cards", "csv": "results"}
    return names.get(form) or f"{table or defaults[form]}.{form}"


def _as_json(rows: Callable[[Any], Iterable[Mapping[str, Any]]]) -> Callable[[Any], str]:
    return lambda item: ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows(item))


def _as_csv(rows: Callable[[Any], Iterable[Row]]) -> Callable[[Any], str]:
    def piece(item: Any) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(map(_cells, rows(item)))
        return out.getvalue()

    return piece


def _cells(row: Row) -> Iterator[object]:
    """The cells of a row; yes and no as 1 and 0, as in the database."""
    return (int(value) if isinstance(value, bool) else value for value in row.values())


def _alone(row: Callable[[Any], Mapping[str, Any]]) -> Callable[[Any], Iterable[Mapping[str, Any]]]:
    return lambda item: (row(item),)


def _csl(each: Published) -> Mapping[str, Any]:
    return csl_item(each.card)


def _card(each: Published) -> Mapping[str, Any]:
    return card_data(each.card)


def _bibtex(each: Published) -> str:
    return bibtex(each.card)


def _json(items: Any, rows: Any) -> File:
    return File(items, _as_json(rows), "[\n", ",\n", "\n]\n")


def _csv(items: Any, rows: Any, table: str) -> File:
    return File(items, _as_csv(rows), ",".join(described(table)) + "\n")


FILES: dict[str, File] = {
    "cards.json": _json(iter, _alone(_card)),
    "cards.bib": File(cited_ones, _bibtex, between="\n"),
    "cards.csl.json": _json(cited_ones, _alone(_csl)),
    "cards.csv": _csv(iter, _alone(card_row), "cards"),
    "results.csv": _csv(first_ones, result_rows, "results"),
    "results.json": _json(first_ones, result_rows),
    "measurements.csv": _csv(measurements_named, _alone(measurement_row), "measurements"),
    "measurements.json": _json(measurements_named, _alone(measurement_row)),
    "links.csv": _csv(iter, link_rows, "links"),
    "links.json": _json(iter, link_rows),
    "model-index.yml": File(first_ones, models, head="Models:\n"),
}
