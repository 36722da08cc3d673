"""How papers follow from each other, by what the cards name: what each builds on, and what is still to be read.

A paper builds on what its card says so of (`builds on: …` in its head). Without such a line, it builds on the papers of
earlier years that the card names outside its experiments, where papers are named to be compared with; and on those of
its own year that do not name it in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kb.base import Base
from kb.bibliographic_checks import library
from kb.bibliography import Entry
from kb.mentions import declared_foundations
from kb.names import is_off, numbers
from kb.records import Card, Reference

COMPARISONS = "experiments"  # the section in which papers are named to be compared with


@dataclass(frozen=True, slots=True)
class Wanted:
    """A paper that cards name and that has no card yet. `entry` is what the bibliography has of it."""

    target: str
    references: tuple[Reference, ...]
    entry: Entry | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The citekeys of the cards that name it."""
        return tuple(dict.fromkeys(each.source for each in self.references))


class Lineage:
    """The relations between the published papers of a base, each worked out once for all pages."""

    def __init__(self, base: Base) -> None:
        self._base = base

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        """One card for each published paper, the one in the site's language where there are two."""
        found: dict[str, Card] = {}
        for card in self._base.cards:
            if card.publish and (card.citekey not in found or card.lang == self._base.settings.language):
                found[card.citekey] = card
        return found

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Reference, ...]]:
        """Where each paper is named, by its citekey, the newest papers first; with every sentence."""
        found: dict[str, list[Reference]] = {}
        for each in self._base.links:
            if each.has_card and each.sentence:
                found.setdefault(each.target, []).append(each)
        return {target: tuple(sorted(each, key=self._newest_first)) for target, each in found.items()}

    @cached_property
    def builds_on(self) -> Mapping[str, tuple[str, ...]]:
        """The citekeys of what each paper builds on, the newest first."""
        found = {citekey: self._foundations(citekey) for citekey in self.cards}
        return {citekey: self.in_order(targets) for citekey, targets in found.items() if targets}

    @cached_property
    def built_on_by(self) -> Mapping[str, tuple[str, ...]]:
        """The citekeys of what builds on each paper, the newest first."""
        return {citekey: self.in_order(sources) for citekey, sources in _turned(self.builds_on).items()}

    @cached_property
    def compared_with(self) -> Mapping[str, tuple[str, ...]]:
        """The earlier papers that each card names without building on them."""
        found = {}
        for citekey, targets in self._named.items():
            others = [
                each
                for each in targets
                if each not in self.builds_on.get(citekey, ()) and self._is_earlier(each, citekey)
            ]
            if others:
                found[citekey] = self.in_order(others)
        return found

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        """The papers without a card, those that most cards name first."""
        found: dict[str, list[Reference]] = {}
        for each in self._base.links:
            if not each.has_card:
                entry = self._entries.get(each.target.casefold())
                found.setdefault((entry.key if entry else each.target).casefold(), []).append(each)
        wanted = [Wanted(each[0].target, tuple(each), self._entries.get(key)) for key, each in found.items()]
        return tuple(sorted(wanted, key=lambda each: (-len(each.sources), each.target.casefold())))

    def in_order(self, citekeys: Iterator[str] | list[str] | tuple[str, ...]) -> tuple[str, ...]:
        """Papers with cards, the newest first."""
        return tuple(sorted(citekeys, key=lambda citekey: (-self.year(citekey), citekey.casefold())))

    def year(self, citekey: str) -> int:
        """The year of a paper; 0 where its card gives none."""
        return self.cards[citekey].citation.year or 0 if citekey in self.cards else 0

    def _newest_first(self, each: Reference) -> tuple[int, str, str, int]:
        return -self.year(each.source), each.source.casefold(), each.lang, each.line

    def _foundations(self, citekey: str) -> list[str]:
        if citekey in self._declared:
            return self._declared[citekey]
        return [
            each
            for each in self._named_apart.get(citekey, ())
            if self._is_earlier(each, citekey)
            or (self.year(each) == self.year(citekey) and citekey not in self._named_apart.get(each, ()))
        ]

    def _is_earlier(self, target: str, citekey: str) -> bool:
        return 0 < self.year(target) < self.year(citekey)

    @cached_property
    def _declared(self) -> Mapping[str, list[str]]:
        """What cards say themselves, in either language."""
        found: dict[str, list[str]] = {}
        for card in self._base.cards:
            said = declared_foundations(card) if card.publish else None
            if said is not None:
                targets = (self._base.names.resolve(each) for each in said if not is_off(each))
                found.setdefault(card.citekey, []).extend(each for each in targets if each and each != card.citekey)
        return {citekey: list(dict.fromkeys(targets)) for citekey, targets in found.items()}

    @cached_property
    def _named(self) -> Mapping[str, tuple[str, ...]]:
        return _targets(each for each in self._base.links if each.has_card and each.section)

    @cached_property
    def _named_apart(self) -> Mapping[str, tuple[str, ...]]:
        """What each card names outside its experiments."""
        return _targets(each for each in self._base.links if each.has_card and each.section not in ("", COMPARISONS))

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        """What the bibliography has, by what texts name a paper by."""
        entries = [entry for path in self._base.settings.bibliography for entry in library(self._base, path).entries]
        marked = ((mark, entry) for entry in entries for mark in (*numbers(entry.arxiv, entry.doi), entry.key))
        return {mark.casefold(): entry for mark, entry in marked}


def _targets(links: Iterator[Reference]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for each in links:
        found.setdefault(each.source, {})[each.target] = None
    return {source: tuple(targets) for source, targets in found.items()}


def _turned(relation: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, targets in relation.items():
        for target in targets:
            found.setdefault(target, []).append(source)
    return found
