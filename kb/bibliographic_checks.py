"""What cards say of their papers, compared with each other and with the bibliography that the notes go with."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from itertools import groupby

from kb import bibliography
from kb.authors import surname_first
from kb.base import Base
from kb.bibliography import Entry, Library
from kb.bibliography.identity import Mark, folded, marks_of_card, marks_of_entry
from kb.encoding import read_text
from kb.problems import problem
from kb.records import Card, Place, Problem

_CLOSE = 0.5  # of all words in two titles, the share that they have in common, for one to be meant by the other
_TELLING = 5  # letters of a name in which an accent or a hyphen makes no other name: Lü and Lu are two
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-", "–": "-"})
_MOST_INITIALS = 4


def unlisted_papers(base: Base) -> Iterator[Problem]:
    """Cards whose paper is in no bibliography, where there is one; and what of a bibliography cannot be read."""
    libraries = [library(base, path) for path in base.settings.bibliography]
    for each in libraries:
        yield from (replace(found, severity="warning") for found in each.problems)
    entries = [entry for each in libraries for entry in each.entries]
    keys = {entry.key.casefold() for entry in entries}
    marks = {mark for entry in entries for mark in marks_of_entry(entry)}
    for card in base.cards if entries else ():
        named = {name.casefold() for name in (card.citekey, *card.aliases)}
        cited = card.citation.text or card.citation.title
        if cited and not named & keys and not marks.intersection(marks_of_card(card)):
            where = ", ".join(base.settings.bibliography)
            message = f"the paper of `{card.citekey}` is not in {where}"
            yield problem("K212", Place(card.path, card.line), message, _nearest(card, entries))


def library(base: Base, path: str) -> Library:
    """One of the base's bibliographies."""
    text = read_text(base.settings.root, path)
    return Library("", problems=(text,)) if isinstance(text, Problem) else _read(text, path)


@lru_cache(maxsize=8)
def _read(text: str, path: str) -> Library:
    """A bibliography, read once as long as it does not change."""
    return bibliography.read(text, path)


def _nearest(card: Card, entries: Sequence[Entry]) -> str:
    """The entry that may be meant: the one with the likest title, else with the likest key."""
    wanted = _words(card.citation.title)
    best = max(entries, key=lambda entry: _likeness(wanted, _words(entry.title)))
    if _likeness(wanted, _words(best.title)) < _CLOSE:
        close = get_close_matches(card.citekey, (entry.key for entry in entries), n=1, cutoff=0.75)
        if not close:
            return f"add it there under the key `{card.citekey}`"
        best = next(entry for entry in entries if entry.key == close[0])
    place = f"{best.place.path}:{best.place.line}"
    return f"the nearest entry is `{best.key}` at {place}, “{best.title}”; if it is this one, make one like the other"


@lru_cache(maxsize=4096)
def _words(title: str) -> frozenset[str]:
    return frozenset(filter(None, map(folded, re.split(r"[\W_]+", title))))


def _likeness(first: frozenset[str], second: frozenset[str]) -> float:
    return len(first & second) / len(first | second) if first and second else 0.0


def same_paper(marks: Iterable[Mark], cards: Mapping[Mark, Card]) -> tuple[Card, Mark] | None:
    """The card of a paper with one of these marks, and the mark."""
    return next(((cards[mark], mark) for mark in marks if mark in cards), None)


def repeated_papers(base: Base) -> Iterator[Problem]:
    """Cards of one paper under two keys."""
    first: dict[Mark, Card] = {}
    for card in base.cards:
        marks = marks_of_card(card)
        found = same_paper(marks, first)
        if found and found[0].citekey != card.citekey:
            yield repeated_paper(card.citekey, Place(card.path, card.line), *found)
        for mark in marks:
            first.setdefault(mark, card)


def repeated_paper(citekey: str, place: Place, other: Card, mark: Mark) -> Problem:
    """The paper of a card is another's, too."""
    message = f"`{citekey}` and `{other.citekey}` are about the same paper: both have {mark.shown}"
    hint = f"that one is at {other.path}:{other.line}; keep one of them, with the other's key as an alias"
    return problem("K213", place, message, hint)


# -------------------------------------------------------------------------------------------------------- authors


@dataclass(frozen=True, slots=True)
class _Name:
    """An author as one card prints them; names that are one have a form in common."""

    shown: str
    surname: str
    given: str  # "" where only initials are printed
    forms: tuple[str, ...]
    card: Card


def two_spellings(base: Base) -> Iterator[Problem]:
    """Authors whose names differ between cards by accents, hyphens, spaces or case alone."""
    names = [_name(author, card) for card in base.cards for author in dict.fromkeys(card.citation.authors)]
    by_form = sorted(((form, name) for name in names for form in name.forms), key=lambda pair: pair[0])
    told: set[tuple[str, str]] = set()
    for _, pairs in groupby(by_form, key=lambda pair: pair[0]):
        group = [name for _, name in pairs]
        if len({(name.surname, name.given) for name in group}) > 1:
            yield from _spellings(group, told)


def _spellings(group: Sequence[_Name], told: set[tuple[str, str]]) -> Iterator[Problem]:
    """The rarer spellings of a name, each at its cards; of two that are as frequent, the later one."""
    counts = Counter((name.surname, name.given) for name in group)
    usual = next(name for name in group if (name.surname, name.given) == counts.most_common(1)[0][0])
    for name in group:
        where = (name.card.path, name.shown)
        if _differ(name, usual) and name.card.citekey != usual.card.citekey and where not in told:
            told.add(where)
            message = f"the author `{name.shown}` is `{usual.shown}` on the card of `{usual.card.citekey}`"
            hint = f"that one is at {usual.card.path}:{usual.card.line}; write the name in one way"
            yield problem("K214", _place(name), message, hint)


def _name(author: str, card: Card) -> _Name:
    surname, given = (unicodedata.normalize("NFKC", part).translate(_TYPOGRAPHY) for part in surname_first(author))
    initials = _are_initials(given)
    plain = f"{folded(surname)} {folded(given)}{'.' * initials}"
    german = f"{folded(_german(surname))} {folded(given if initials else _german(given))}{'.' * initials}"
    forms = tuple(dict.fromkeys([plain, german])) if given else ()
    return _Name(author, surname, "" if initials else given, forms, card)


def _are_initials(given: str) -> bool:
    letters = re.sub(r"[\W_]", "", given)
    return letters.isupper() and len(letters) <= _MOST_INITIALS


def _german(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold()).translate(_GERMAN)


def _differ(name: _Name, usual: _Name) -> bool:
    """Whether two spellings are of one name: in what differs there are letters enough to tell."""
    pairs = [(name.surname, usual.surname), (name.given, usual.given)]
    differing = [first for first, second in pairs if first != second]
    return bool(differing) and all(len(folded(part)) >= _TELLING for part in differing)


def _place(name: _Name) -> Place:
    """Where a card prints an author; its heading where the front matter does."""
    for number, line in enumerate(name.card.head.split("\n")):
        column = line.find(name.shown)
        if number and column >= 0:
            return Place(name.card.path, name.card.line + number, column + 1)
    return Place(name.card.path, name.card.line)
