"""What the compare page is made of: a row per measured call, with all that the cards' tables report of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath

from kb.calls import is_package_call
from kb.datasets import Datasets, Stated
from kb.figures import accuracy_behind
from kb.kept import is_quiet
from kb.pages import addresses
from kb.pages.site import Site
from kb.pages.views import ACCURACIES, CardView, ModelView, figure_anchor
from kb.records import Factory, Measurement, Printed

_PACKAGE_FAMILY = re.compile(r"(?:(?:tf|legacy|wide)_)?([a-z]+?_?v\d+(?![a-z\d])|[a-z]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    """A card that names a call."""

    view: CardView
    model: ModelView

    @property
    def name(self) -> str:
        """What readers call the card."""
        return self.view.card.name or self.view.card.citekey

    @property
    def href(self) -> str:
        """The call's panel on the card, from the site's root."""
        return addresses.link(addresses.MODELS, self.view.path, self.model.anchor)


@dataclass(frozen=True, slots=True)
class Reported:
    """An accuracy that a card's results table gives for a call: the paper's word, and where it stands."""

    call: str
    metric: str
    column: str  # the column's header as readers see it
    printed: Printed
    on: Stated
    label: str
    view: CardView
    error: bool = False  # whether the paper prints what is wrong instead

    @property
    def value(self) -> Decimal:
        """The accuracy in per cent; without the sign, what is not above one is a share."""
        share = self.printed.unit != "%" and self.printed.value <= 1
        printed = self.printed.value * 100 if share else self.printed.value
        return 100 - printed if self.error else printed

    @property
    def shown(self) -> str:
        """The figure as it is printed, with its last digits."""
        return f"{self.printed.printed} {self.printed.unit}".strip()

    @property
    def source(self) -> str:
        """What readers call the card that reports it."""
        return self.view.card.name or self.view.card.citekey

    @property
    def href(self) -> str:
        """The figure on its card, from the site's root."""
        anchor = figure_anchor(self.printed.line, self.printed.column)
        return addresses.link(addresses.MODELS, self.view.path, anchor)


@dataclass(frozen=True, slots=True)
class Row:
    """A measured call. `mentions` are the cards that name it, the oldest paper's first: year and kind are of that."""

    call: str
    family: str
    measurement: Measurement
    mentions: tuple[Mention, ...]
    reported: tuple[Reported, ...]

    @property
    def first(self) -> Mention:
        """The oldest paper's mention."""
        return self.mentions[0]

    @property
    def year(self) -> int | None:
        """The year of the oldest paper that names the call."""
        return self.first.view.card.citation.year

    @property
    def line(self) -> str:
        """What a line joins in a plot: the sizes of one network, which one function or one package's family makes."""
        return self.family if is_package_call(self.call) else self.call.partition("(")[0]


@dataclass(frozen=True, slots=True)
class Series:
    """Accuracies that can be compared with each other: of one metric, on one dataset ("" where none is stated)."""

    metric: str
    dataset: str
    count: int

    @property
    def key(self) -> str:
        """How an address names it."""
        return f"{self.metric}:{self.dataset}"


def rows(site: Site) -> tuple[Row, ...]:
    """A row for every measured call, sorted by call."""
    mentions: dict[str, list[Mention]] = {}
    found: dict[str, list[Reported]] = {}
    for view in reversed(site.main_cards):
        for model in view.models:
            if model.measurement:
                mentions.setdefault(model.call, []).append(Mention(view, model))
        for each in reported(view):
            found.setdefault(each.call, []).append(each)
    return tuple(_row(call, mentions[call], found.get(call, ())) for call in sorted(mentions))


def _row(call: str, mentions: Sequence[Mention], found: Iterable[Reported]) -> Row:
    model = mentions[0].model
    assert model.measurement
    return Row(call, family(call, model.factory), model.measurement, tuple(mentions), tuple(found))


def reported(view: CardView) -> Iterator[Reported]:
    """The accuracies that a card's tables give for calls, in the tables' order."""
    if is_quiet(view.card):
        return
    datasets = Datasets(view.card)
    for row in filter(lambda each: each.call, view.card.results):
        for column, printed in row.metrics.items():
            kind, name = column.partition(" ")[0], datasets.header(row, printed)
            metric = accuracy_behind(name) if kind == "other" else kind
            if metric in ACCURACIES:
                on, error = datasets.stated(row, printed), kind == "other"
                yield Reported(row.call, metric, name, printed, on, row.label, view, error)


def family(call: str, factory: Factory | None) -> str:
    """The reference model's file; of a package's model, the beginning of its name: `resnet` of `resnet50`."""
    if factory:
        return PurePosixPath(factory.path).stem
    name = call.partition("(")[0].rpartition(":")[2]
    found = _PACKAGE_FAMILY.match(name)
    return found[1] if found else name


def series(found: Iterable[Row]) -> tuple[Series, ...]:
    """What the accuracies of these rows can be compared within, the one with most calls first."""
    counts = Counter(key for row in found for key in {(each.metric, each.on.dataset) for each in row.reported})
    ordered = sorted(counts, key=lambda key: (-counts[key], not key[1], ACCURACIES.index(key[0]), key[1]))
    return tuple(Series(*key, counts[key]) for key in ordered)


def kinds(found: Iterable[Row]) -> Mapping[str, str]:
    """The cards' kinds among these rows, by id, as readers know them."""
    named = {row.first.view.card.kind: row.first.view.kind for row in found}
    return dict(sorted((kind, label) for kind, label in named.items() if kind))


def families(found: Iterable[Row]) -> Mapping[str, int]:
    """The families and how many calls each has, by name."""
    return dict(sorted(Counter(row.family for row in found).items()))


def distinct(found: Iterable[Reported]) -> tuple[tuple[Reported, ...], ...]:
    """Accuracies that say the same, of one metric on one dataset, together: the same figure in several tables."""
    groups: dict[tuple[str, str, Decimal], list[Reported]] = {}
    for each in found:
        groups.setdefault((each.metric, each.on.dataset, each.value), []).append(each)
    return tuple(tuple(group) for group in groups.values())
