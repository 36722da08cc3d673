"""Cards that are known without their notes being read: light facts at hand, the rest read when it is asked for.

A card of a base of thousands is asked for its name and year by many pages, for its text by few. So a `KeptCard` holds
what was written down of it; its text comes from its note, which its `Shelf` reads again and keeps for a while. It is
a `Card` in all else, so that nobody needs to know the difference.
"""

from __future__ import annotations

import os
import pickle
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from kb.plain_records import from_plain, to_plain
from kb.records import Card, Note, ResultRow

LIGHT = (
    *("citekey", "lang", "name", "kind", "citation", "tags", "aliases", "links"),
    *("date", "updated", "status", "publish", "extra", "path"),
)
OWN = ("line", "end_line", "intro_line", "references")  # at hand as well, but of no concern to other cards
TESTED = ("models", "results", "claims", "definitions")  # at hand for cards whose figures a model is held against
_FIELDS = frozenset(each.name for each in fields(Card))
_AT_HAND = 32  # notes that are kept in memory once they have been read

Facts = dict[str, Any]
Whole = tuple[Note, tuple[Card, ...]]  # a note, and its cards as the public may read them


class Shelf:
    """Where the notes of kept cards are: read by `read`, or laid aside in this run already.

    `public` makes the public form of a card.
    """

    def __init__(self, read: Callable[[str], Note], public: Callable[[Card], Card]) -> None:
        self._read = read
        self._public = public
        self._notes: OrderedDict[str, Whole] = OrderedDict()
        self._aside: dict[str, tuple[int, int, int]] = {}
        self.reads: set[str] | None = None  # where not None: takes in the paths of notes whose own text is asked for

    def note(self, path: str) -> Note:
        """A note, whole."""
        return self._at(path)[0]

    def card(self, path: str, number: int, *, public: bool) -> Card:
        """A card of a note, whole, or its public form."""
        note, shown = self._at(path)
        return (shown if public else note.cards)[number]

    def lay_aside(self, file: Path, places: Mapping[str, tuple[int, int]]) -> None:
        """Take notes from a file, by their places in it, that this run pickled; nobody else can open it from now on."""
        opened = os.open(file, os.O_RDONLY)
        weakref.finalize(self, os.close, opened)
        file.unlink()
        self._aside |= {path: (opened, *place) for path, place in places.items()}

    def _at(self, path: str) -> Whole:
        if path not in self._notes:
            self._notes[path] = self._from_aside(path) or self._anew(path)
            while len(self._notes) > _AT_HAND:
                self._notes.popitem(last=False)
        return self._notes[path]

    def _anew(self, path: str) -> Whole:
        note = self._read(path)
        return note, tuple(map(self._public, note.cards))

    def _from_aside(self, path: str) -> Whole | None:
        if path not in self._aside:
            return None
        file, place, size = self._aside[path]
        found: Whole = pickle.loads(os.pread(file, size, place))
        return found


class KeptCard(Card):
    """A card of which light facts are at hand."""

    __slots__ = ("_finish", "_is_public", "_number", "_own", "_public", "_shelf", "mark", "quiet")
    mark: str  # tells its light facts from others
    quiet: bool  # whether it names no model: nothing on it can be measured

    def __getattr__(self, name: str) -> Any:
        if name not in _FIELDS:
            raise AttributeError(name)
        if self._shelf.reads is not None:
            self._shelf.reads.add(self.path)
        if name in self._own:
            value = from_plain(self._own[name])
        else:
            value = getattr(self._shelf.card(self.path, self._number, public=self._is_public), name)
        return tuple(map(self._finish, value)) if name == "results" and self._finish else value

    def finished(self, finish: Callable[[ResultRow], ResultRow]) -> KeptCard:
        """The same card with its results' rows as `finish` makes them."""
        other = object.__new__(KeptCard)
        for name in (*LIGHT, *KeptCard.__slots__):
            object.__setattr__(other, name, getattr(self, name))
        object.__setattr__(other, "_finish", None if self.quiet else finish)
        return other

    @property
    def public(self) -> KeptCard:
        """The card as the public may read it."""
        if self._public is None:
            return self
        card = _kept_card(self._number, self._public, self._shelf, is_public=True)
        return card.finished(self._finish) if self._finish else card

    def fact(self, name: str) -> Any:
        """Something else that was written down of the card."""
        return self._own[name]


class KeptNote(Note):
    """A note whose cards are kept; what `facts` holds was written down of it."""

    __slots__ = ("_shelf", "facts")
    facts: Facts

    def __getattr__(self, name: str) -> Any:
        if name != "slices":
            raise AttributeError(name)
        return self._shelf.note(self.path).slices


def is_quiet(card: Card) -> bool:
    """Whether a card names no model, so that nothing on it can be measured."""
    if isinstance(card, KeptCard):
        return card.quiet
    named = (row.call or any(row.footnote_calls.values()) for row in card.results)
    return not (card.models or card.claims or any(named))


def facts_of(card: Card, more: Facts) -> Facts:
    """What is written down of a card: plain data."""
    quiet = is_quiet(card)
    own = {name: to_plain(getattr(card, name)) for name in (*OWN, *(() if quiet else TESTED))}
    light = [to_plain(getattr(card, name)) for name in LIGHT]
    return {"light": light, "own": own | more, "quiet": quiet}


def kept_note(path: str, facts: Facts, shelf: Shelf) -> KeptNote:
    """The note that the facts were written down of."""
    note = object.__new__(KeptNote)
    cards = tuple(_kept_card(number, each, shelf, is_public=False) for number, each in enumerate(facts["cards"]))
    problems = from_plain(facts["problems"])
    values = {"path": path, "cards": cards, "problems": problems, "_shelf": shelf, "facts": facts}
    for name, value in values.items():
        object.__setattr__(note, name, value)
    return note


def _kept_card(number: int, facts: Facts, shelf: Shelf, *, is_public: bool) -> KeptCard:
    card = object.__new__(KeptCard)
    setting = object.__setattr__
    for name, value in zip(LIGHT, facts["light"], strict=True):
        setting(card, name, value if isinstance(value, str) else from_plain(value))
    for name, value in (("_shelf", shelf), ("_number", number), ("_own", facts["own"]), ("_finish", None)):
        setting(card, name, value)
    setting(card, "mark", facts["mark"])
    setting(card, "quiet", facts["quiet"])
    setting(card, "_is_public", is_public)
    setting(card, "_public", facts.get("public"))
    if card.quiet:
        setting(card, "models", ())
        setting(card, "claims", ())
    return card
