"""What the pages show, worked out once from the base: which card stands where, its models, its judged figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from kb.calls import is_package_call, parse_call
from kb.drawing.plots import Plot
from kb.exports import Published
from kb.expressions import calls_in
from kb.inputs import digest_of_file
from kb.kept import Shelf
from kb.lineage import Lineage
from kb.lock import layers
from kb.names import Names
from kb.pages import addresses
from kb.pages.views import CardView, ClaimView, Figure, Group, ModelView, group
from kb.publishing import public
from kb.records import Card, Layer, Verdict
from kb.runnables import Runnable, read_plot
from kb.stages import Stage, stages
from kb.texts import LANGUAGES, Texts

if TYPE_CHECKING:
    from kb.base import Base
    from kb.pages.lineage import Kin


class NamesIn:
    """Names as a card's text sees them: `trace` tells what they find in it from what they found before."""

    def __init__(self, names: Names, trace: str) -> None:
        self.names = names
        self.trace = trace


class Site:
    """The base as its pages see it: what the public may read of it, or all that there is, for its author's eyes."""

    def __init__(
        self, base: Base, address: str | None = None, shelf: Shelf | None = None, *, private: bool = False
    ) -> None:
        self.base = base if private else public(base)
        self.address = base.settings.site_url if address is None else address  # "" where it is not known
        self.shelf = shelf
        self.texts = Texts(base.settings.language)
        self._plots: dict[str, Plot | None] = {}
        self._read: dict[str, tuple[tuple[Layer, ...], tuple[Stage, ...]]] = {}

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
        cards = (card for card in self.base.cards if addresses.is_file_name(card.citekey))
        return tuple(Published(self.base, card, self.path_of(card)) for card in cards)

    @cached_property
    def main_cards(self) -> tuple[CardView, ...]:
        """One view per citekey: where a card exists in two languages, the one in the site's."""
        first = self.base.languages
        return tuple(view for view in self.cards if view.card.lang == first[view.card.citekey][0])

    @cached_property
    def lineage(self) -> Lineage:
        """How the papers follow from each other."""
        return Lineage(self.base)

    @property
    def lineage_made_of(self) -> tuple[object, ...]:
        """All that the lineage depends on, but for bibliographies."""
        return self.base.links, self.base.cards

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

    def metadata(self, card: Card) -> dict[str, object]:
        """What the theme needs to know of a card's language: which it is, and where the other versions are."""
        other = {} if card.lang == self.base.settings.language else {"lang": card.lang}
        versions = [{"lang": lang, "path": path} for lang, path in self.versions(card).items()]
        return {**other, "versions": versions} if len(versions) > 1 else {**other}

    def anchor(self, grouping: str, label: str) -> str:
        """The fragment of a label on its index page."""
        return self._anchors.get((grouping, label), "")

    @cached_property
    def _anchors(self) -> Mapping[tuple[str, str], str]:
        return {(name, each.label): each.anchor for name, groups in self.groups.items() for each in groups}

    def interface(self, card: Card) -> str:
        """The language of our words on a card's page: the card's, so that the page is of one piece; else the site's."""
        return card.lang if card.lang in LANGUAGES else self.texts.language

    def texts_of(self, card: Card) -> Texts:
        """Our words on a card's page."""
        return Texts(self.interface(card))

    def plot(self, name: str) -> Plot | None:
        """A runnable figure, as it was drawn last; None for one that never was."""
        if name not in self._plots:
            runnable = self.base.runnables.get(name)
            self._plots[name] = read_plot(runnable, self.base.settings.root)[1] if runnable else None
        return self._plots[name]

    def path_of(self, card: Card) -> str:
        """Where a card's page stands."""
        return self._path(card.citekey, card.lang)

    def _path(self, citekey: str, language: str) -> str:
        first = self.base.languages.get(citekey, (language,))[0]
        return addresses.card_stem(citekey, "" if language == first else language) + ".html"

    def versions(self, card: Card) -> Mapping[str, str]:
        """The pages of a paper's cards by language, the one that goes first at the front."""
        return {lang: self._path(card.citekey, lang) for lang in self.base.languages[card.citekey]}

    def _view(self, card: Card) -> CardView:
        return CardView(card, self.path_of(card), self.kind(card, self.base.settings.language), self)

    def kind(self, card: Card, language: str) -> str:
        """What a card's kind is called in a language."""
        kind = self.base.schema.kinds.get(card.kind)
        labels = kind.labels if kind else {}
        return labels.get(language) or next(iter(labels.values()), card.kind)

    def names_in(self, card: Card) -> NamesIn:
        """The names by which a card's text names papers."""
        return NamesIn(self.base.names, self.base.naming(card).trace)

    def kin(self, view: CardView) -> Kin:
        """How a card's paper is related to others."""
        from kb.pages.lineage import of_card

        return of_card(self, view)

    def touch(self, card: Card) -> None:
        """Take note, while a page is made, that it is made of more of a card than its light facts."""
        if self.shelf and self.shelf.reads is not None:
            self.shelf.reads.add(card.path)

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

    def runnables_of(self, card: Card) -> tuple[Runnable, ...]:
        """The runnable figures that a card shows, in its order."""
        named = (self.base.figure_named(card, link.target) for link in card.references if link.kind == "image")
        return tuple(self.base.runnables[name] for name in dict.fromkeys(named) if name and name in self.base.runnables)

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
                layers=(measured := self._layers(call))[0],
                stages=measured[1],
                witnesses=self.base.witnesses_of(call),
            )

    def _layers(self, call: str) -> tuple[tuple[Layer, ...], tuple[Stage, ...]]:
        """The layers of a call and the stages they make: read once, though many cards name it."""
        if call not in self._read:
            found = layers(self.base.settings.root, call)
            self._read[call] = found, stages(found)
        return self._read[call]

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
