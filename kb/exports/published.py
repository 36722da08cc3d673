"""What is exported: cards, each with the page that it stands on, and the measurements that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kb.base import Base
from kb.records import Card, Measurement


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A card and its page, from the site's root; "" for one that has none."""

    base: Base
    card: Card
    page: str

    @property
    def id(self) -> str:
        """What names the card in tables: its citekey, after its language where another card of the key comes first."""
        return f"{self.card.lang}/{self.card.citekey}" if not self.comes_first else self.card.citekey

    @property
    def comes_first(self) -> bool:
        """Whether it is the one card of its paper, of those in two languages the one in the site's."""
        return self.base.languages[self.card.citekey][0] == self.card.lang


def first_ones(cards: Iterable[Published]) -> Iterator[Published]:
    """A card for each paper."""
    return (each for each in cards if each.comes_first)


def cited_ones(cards: Iterable[Published]) -> Iterator[Published]:
    """A card for each paper of which anything is said: a draft may have a name and no more."""
    return (each for each in first_ones(cards) if each.card.citation.text or each.card.citation.title)


def calls_named(cards: Iterable[Published]) -> list[str]:
    """The calls that these cards name, sorted."""
    return sorted({call for each in cards for call in each.base.calls_of(each.card)})


def measurements_named(cards: Iterable[Published]) -> Iterator[Measurement]:
    """The measurements of the calls that these cards name."""
    found = {call: each.base.lock.get(call) for each in cards for call in each.base.calls_of(each.card)}
    return (measured for _, measured in sorted(found.items()) if measured)
