"""Which works are the same: by DOI, by arXiv number, or by title and first author."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from kb.authors import surname_first
from kb.bibliography.records import Entry
from kb.records import Card

_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(?P<number>.+)", re.IGNORECASE)


class Mark(NamedTuple):
    """What two works have in common that are one."""

    kind: str
    value: str

    @property
    def shown(self) -> str:
        """The mark in words."""
        names = {"doi": f"the DOI {self.value}", "arxiv": f"the arXiv number {self.value}"}
        return names.get(self.kind, "this title and first author")


def folded(text: str) -> str:
    """A text without case, accents, spaces and punctuation."""
    letters = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    return "".join(letter for letter in letters if letter.isalnum())


def marks_of_entry(entry: Entry) -> tuple[Mark, ...]:
    """The marks of a work in a bibliography."""
    return tuple(_marks(entry.doi, entry.arxiv, entry.title, entry.authors[0].family if entry.authors else ""))


def marks_of_card(card: Card) -> tuple[Mark, ...]:
    """The marks of a card's paper."""
    cited = card.citation
    surname = surname_first(cited.authors[0])[0] if cited.authors else ""
    return tuple(_marks(card.links.get("doi", ""), card.links.get("arxiv", ""), cited.title, surname))


def _marks(doi: str, arxiv: str, title: str, surname: str) -> Iterator[Mark]:
    preprint = _ARXIV_DOI.fullmatch(doi)
    if doi and not preprint:
        yield Mark("doi", doi.casefold())
    if number := arxiv or (preprint["number"] if preprint else ""):
        yield Mark("arxiv", re.sub(r"v\d+$", "", number.casefold()))
    if title and surname:  # titles alone: there is more than one `Deep Learning`
        yield Mark("title", f"{folded(title)} {folded(surname)}")
