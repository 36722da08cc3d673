"""What the pages show, worked out once from the base: which card stands where, its models, its judged figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kb.calls import is_package_call, parse_call
from kb.exports import Pieces, Published, pieces_of
from kb.expressions import calls_in
from kb.inputs import digest_of_file
from kb.kept import KeptCard, Shelf
from kb.lock import layers
from kb.pages import addresses
from kb.pages.views import CardView, ClaimView, Figure, Group, ModelView, group
from kb.records import Card, Verdict
from kb.texts import Texts

if TYPE_CHECKING:
    from kb.base import Base


class Site:
    """The base as its pages see it."""

    def __init__(self, base: Base, address: str | None = None, shelf: Shelf | None = None) -> None:
        self.base = base
        self.address = base.settings.site_url if address is None else address  # "" where it is not known
        self.shelf = shelf
        self.texts = Texts(base.settings.language)

    def url(self, path: str) -> str:
        """The address of a file of the site; one from the site's root where its address is not known."""
        root = f"{self.address.rstrip('/')}/" if self.address else ""
        return root + quote(path.removesuffix("index.html") if root else path)

    @cached_property
    def cards(self) -> tuple[CardView, ...]:
        """The published cards, the newest papers first."""
        views = [self._view(each.card) for each in self.published]
        return tuple(sorted(views, key=_newest_first))

    @cached_property
    def published(self) -> tuple[Published, ...]:
        """The published cards as exports have them."""
        return tuple(
            Published(self.base, card, self.path_of(card))
            for card in self.base.cards
            if card.publish and addresses.is_file_name(card.citekey)
        )

    @cached_property
    def main_cards(self) -> tuple[CardView, ...]:
        """One view per citekey: where a card exists in two languages, the one in the site's."""
        return tuple(view for view in self.cards if view.path == addresses.card_stem(view.card.citekey) + ".html")

    @cached_property
    def judged(self) -> tuple[Figure, ...]:
        """Every judged figure of the site, card by card."""
        return tuple(figure for view in self.main_cards for figure in view.judged)

    @cached_property
    def measured(self) -> tuple[tuple[CardView, ModelView], ...]:
        """Every measured call once, by name, with the oldest paper that names it: later ones compare with it."""
        found: dict[str, tuple[CardView, ModelView]] = {}
        for view in reversed(self.main_cards):
            for model in view.models:
                if model.measurement:
                    found.setdefault(model.call, (view, model))
        return tuple(found[call] for call in sorted(found))

    @cached_property
    def groups(self) -> Mapping[str, tuple[Group, ...]]:
        """The cards by year, venue, kind, author and tag."""
        return {name: group(self.main_cards, name, self.texts("by.unknown")) for name in addresses.GROUPINGS}

    def anchor(self, grouping: str, label: str) -> str:
        """The fragment of a label on its index page."""
        return self._anchors.get((grouping, label), "")

    @cached_property
    def _anchors(self) -> Mapping[tuple[str, str], str]:
        return {(name, each.label): each.anchor for name, groups in self.groups.items() for each in groups}

    def path_of(self, card: Card) -> str:
        """Where a card's page stands."""
        first = self.base.first_languages.get(card.citekey, card.lang)
        return addresses.card_stem(card.citekey, "" if card.lang == first else card.lang) + ".html"

    def other_language(self, view: CardView) -> CardView | None:
        """The same paper's card in another language."""
        return next((each for each in self._by_citekey[view.card.citekey] if each is not view), None)

    @cached_property
    def _by_citekey(self) -> Mapping[str, list[CardView]]:
        found: dict[str, list[CardView]] = {}
        for view in self.cards:
            found.setdefault(view.card.citekey, []).append(view)
        return found

    def _view(self, card: Card) -> CardView:
        kind = self.base.schema.kinds.get(card.kind)
        labels = dict(kind.labels) if kind else {}
        label = labels.get(self.base.settings.language) or next(iter(labels.values()), card.kind)
        return CardView(card, self.path_of(card), label, self)

    def touch(self, card: Card) -> None:
        """Take note, while a page is made, that it is made of more of a card than its light facts."""
        if self.shelf and self.shelf.reads is not None:
            self.shelf.reads.add(card.path)

    def prepared(self, card: Card) -> Any:
        """What was made of a card when its note was read, if that was in this run."""
        return self.shelf.prepared(card) if self.shelf and isinstance(card, KeptCard) else None

    def pieces(self, each: Published) -> Pieces:
        """What a card brings to the files of all cards: as it was staged before, where pages are staged."""
        if self.shelf is None:
            return pieces_of(each)
        file = self.base.settings.root / self.base.settings.build / addresses.pieces(each.page)
        return Pieces(*json.loads(file.read_bytes()))

    def file(self, path: str) -> str:
        """What tells a file of the root from what it was; "" where there is none, or it leads out of the root."""
        root, file = self.base.settings.root.resolve(), self.base.settings.root / path
        return digest_of_file(file) if file.is_file() and file.resolve().is_relative_to(root) else ""

    def verdicts_of(self, card: Card) -> Mapping[tuple[int, int], Verdict]:
        """The verdicts on a card's figures."""
        return self.base.verdicts(card)

    def claims_of(self, card: Card) -> tuple[ClaimView, ...]:
        """A card's expressions, once each."""
        outcomes = {found.claim.source: found for found in self.base.claims(card)}
        return tuple(ClaimView(found, f"claim-{number}") for number, found in enumerate(outcomes.values(), 1))

    def models_of(self, card: Card) -> tuple[ModelView, ...]:
        """The calls that a card names."""
        return tuple(self._models(card, self.base.verdicts(card)))

    def _models(self, card: Card, verdicts: Mapping[tuple[int, int], Verdict]) -> Iterator[ModelView]:
        labels = self._labels(card, verdicts)
        anchors = addresses.unique_slugs(list(labels), "model-")
        for call, names in labels.items():
            yield ModelView(
                call=call,
                anchor=anchors[call],
                labels=tuple(names),
                arguments=tuple(self._arguments(call)),
                chosen=_chosen(call, verdicts),
                factory=self.base.factories.get(call.partition("(")[0]),
                measurement=self.base.lock.get(call),
                layers=tuple(layers(self.base.settings.root, call)),
                witnesses=self.base.witnesses_of(call),
            )

    def _labels(self, card: Card, verdicts: Mapping[tuple[int, int], Verdict]) -> dict[str, list[str]]:
        """The calls that a card names, in its order, each with the paper's labels for it."""
        named = [(model.call, model.label) for model in card.models]
        named += [(row.call, row.label) for row in card.results if row.call]
        named += [(call, "") for verdict in verdicts.values() for call in calls_in(verdict.by_call)]
        named += [(call, "") for outcome in self.base.claims(card) for call in outcome.calls]
        labels: dict[str, list[str]] = {}
        for written, label in named:
            call = self.base.normal_call(written)
            if call and label not in labels.setdefault(call, []) and label:
                labels[call].append(label)
        return labels

    def _arguments(self, call: str) -> Iterator[tuple[str, object, bool]]:
        given = parse_call(call).arguments
        if is_package_call(call):
            yield from ((name, value, False) for name, value in given.items())
            return
        for name, default in self.base.factories[call.partition("(")[0]].parameters.items():
            yield name, given.get(name, default), name not in given


def _chosen(call: str, verdicts: Mapping[tuple[int, int], Verdict]) -> tuple[str, ...]:
    chosen = (name for verdict in verdicts.values() if verdict.call == call for name in verdict.chosen)
    return tuple(dict.fromkeys(chosen))


def _newest_first(view: CardView) -> tuple[int, str, str]:
    return -(view.card.citation.year or 0), view.card.citekey.casefold(), view.path
