"""On which dataset an accuracy was reported, where the card says so; where it does not, none is named.

A card says so, from the nearest to the farthest: in a column `Dataset` of the table, in the column's header
(`top-1 (ImageNet)`), in the paragraph above the table (`Dataset: …`, or a known name in its first sentence), in a
sentence on tables by their numbers (`Tables 4 to 9 …`), in the nearest heading, or in a line `Dataset: …` of its head.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from kb.captions import cells, paragraph_above, parts, source_above, table_number
from kb.markdown import plain_text
from kb.records import Card, Printed, ResultRow

StatedBy = Literal["cell", "header", "caption", "tables", "heading", "card", ""]

# Known names, as they are shown, each with the ways in which it is written. What holds another one's name comes first.
_KNOWN = {
    "ImageNet-21k": r"imagenet[- ]?2[12]k",
    "ImageNet-ReaL": r"imagenet[- ]?real",
    "ImageNetV2": r"imagenet[- ]?v2",
    "ImageNet-A": r"imagenet-a",
    "ImageNet-C": r"imagenet-c",
    "ImageNet-R": r"imagenet-r",
    "ImageNet-Sketch": r"imagenet[- ]sketch",
    "Tiny ImageNet": r"tiny[- ]?imagenet",
    "ILSVRC-2010": r"ilsvrc[- ]?2010",
    "ImageNet": r"imagenet(?:[- ]?1k)?|ilsvrc(?:[- ]?20\d\d)?",
    "COCO": r"(?:ms[- ]?)?coco",
    "PASCAL VOC 2007": r"(?:pascal )?voc[- ]?(?:20)?07",
    "PASCAL VOC 2012": r"(?:pascal )?voc[- ]?(?:20)?12",
    "Cityscapes": r"cityscapes",
    "ADE20K": r"ade[- ]?20k",
    "KITTI": r"kitti",
    "LVIS": r"lvis",
    "Open Images": r"open ?images",
    "CIFAR-10": r"cifar[- ]?10",
    "CIFAR-100": r"cifar[- ]?100",
    "Fashion-MNIST": r"fashion[- ]?mnist",
    "MNIST": r"mnist",
    "SVHN": r"svhn",
    "Stanford Dogs": r"stanford dogs",
    "Stanford Cars": r"stanford cars",
    "Oxford Flowers": r"oxford(?:[- ]102)? flowers(?:[- ]102)?",
    "Oxford-IIIT Pets": r"oxford(?:[- ]iiit)? pets?",
    "Caltech-101": r"caltech[- ]?101",
    "Caltech-256": r"caltech[- ]?256",
    "Food-101": r"food[- ]?101",
    "iNaturalist": r"inaturalist",
    "Places365": r"places[- ]?365",
    "CelebA": r"celeba",
    "LFW": r"lfw",
    "Kinetics-400": r"kinetics[- ]?400",
    "Kinetics-600": r"kinetics[- ]?600",
    "UCF101": r"ucf[- ]?101",
    "HMDB51": r"hmdb[- ]?51",
    "JFT-300M": r"jft[- ]?300m",
}  # fmt: skip
_NAMES = tuple(_KNOWN)
_ANY = re.compile(
    r"(?<![a-z0-9_])(?:" + "|".join(f"({written})" for written in _KNOWN.values()) + r")(?![a-z0-9_])", re.IGNORECASE
)
_WORD = r"(?:datasets?|data sets?|数据集)"
_COLUMN = re.compile(_WORD, re.IGNORECASE)
_STATED = re.compile(
    rf"(?<![a-z]){_WORD}\s*[:：]\s*([^,，;；。()（）\n]+?)\s*(?:\.(?=\s|$)|[,，;；。()（）\n]|$)", re.IGNORECASE
)
_SENTENCE = re.compile(r"[。！？]|[.!?](?=\s|$)")
_RANGE = re.compile(
    r"(?:tables?|表)\s*(\d+)\s*(?:to|through|and|至|到|和|[-–—~～])\s*(?:table|表)?\s*(\d+)", re.IGNORECASE
)
_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stated:
    """A dataset, and what of the card says it; both "" where nothing does."""

    dataset: str = ""
    by: StatedBy = ""


class Datasets:
    """What a card says of the datasets of its tables; each table is read once."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._tables: dict[int, _Table] = {}

    def stated(self, row: ResultRow, figure: Printed) -> Stated:
        """The dataset that a figure was reported on, by the nearest of what the card says of it."""
        table = self._table(row)
        in_cell = _of_cell(cells(self._card, row.table, row.line)[1], table.named_in) if table.named_in >= 0 else ""
        in_header = _known(self.header(row, figure))
        return next(chain(_found(in_cell, "cell"), _found(in_header, "header")), table.stated)

    def header(self, row: ResultRow, figure: Printed) -> str:
        """The header of a figure's column, as readers see it."""
        headers = self._table(row).headers
        return headers[figure.column] if figure.column < len(headers) else ""

    def _table(self, row: ResultRow) -> _Table:
        if row.table not in self._tables:
            self._tables[row.table] = _read(self._card, row)
        return self._tables[row.table]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table's headers, which of them is `Dataset` (-1 for none), and what stands around the table."""

    headers: tuple[str, ...]
    named_in: int
    stated: Stated


def _read(card: Card, row: ResultRow) -> _Table:
    headers = tuple(plain_text(each).strip() for each in cells(card, row.table, row.line)[0])
    named_in = next((index for index, each in enumerate(headers) if _COLUMN.fullmatch(each)), -1)
    return _Table(headers, named_in, next(_around(card, row.table), Stated()))


def _around(card: Card, table: int) -> Iterator[Stated]:
    above = plain_text(paragraph_above(card, table))
    yield from _found(_declared(above) or _known(_SENTENCE.split(above)[0]), "caption")
    yield from _found(_by_number(card, table, table_number(above)), "tables")
    headings = _HEADING.findall(source_above(card, table))
    yield from _found(_known(plain_text(headings[-1])) if headings else "", "heading")
    yield from _found(_of_head(card), "card")


def _found(dataset: str, by: StatedBy) -> Iterator[Stated]:
    if dataset:
        yield Stated(dataset, by)


def _of_cell(values: tuple[str, ...], column: int) -> str:
    return _named(plain_text(values[column])) if column < len(values) else ""


def _declared(text: str) -> str:
    found = _STATED.search(text)
    return _named(found[1]) if found else ""


def _named(text: str) -> str:
    """A name that an author gives as a dataset's: in its usual form where it is known."""
    known = _ANY.fullmatch(text.strip())
    return _NAMES[(known.lastindex or 1) - 1] if known else text.strip(" -–—")


def _known(text: str) -> str:
    """The one known dataset that a text names; "" for none, and for several."""
    names = {_NAMES[(found.lastindex or 1) - 1] for found in _ANY.finditer(text)}
    return names.pop() if len(names) == 1 else ""


def _by_number(card: Card, table: int, number: int | None) -> str:
    """What a sentence on a range of tables says, in the part of the card that the table stands in."""
    if number is None:
        return ""
    for text, first_line in parts(card):
        if first_line <= table < first_line + text.count("\n") + 1:
            for sentence in _SENTENCE.split(text):
                found = _RANGE.search(sentence)
                if found and int(found[1]) <= number <= int(found[2]) and _known(sentence):
                    return _known(sentence)
    return ""


def _of_head(card: Card) -> str:
    values = (value for key, value in card.extra.items() if _COLUMN.fullmatch(key.strip()))
    return _named(str(next(values, "")))
