"""What a page shows of a card: its models, its judged figures, and how cards fall into groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

from kb.anchors import slug
from kb.claims import Outcome
from kb.expressions import calls_in
from kb.kept import is_quiet
from kb.pages import addresses
from kb.records import Card, Factory, Layer, Measurement, ResultRow, Verdict, VerdictStatus
from kb.runnables import Runnable
from kb.stages import Stage
from kb.witnesses import Witness, proved

# In the order in which they are counted and shown, from the best news to none at all.
STATUSES: tuple[VerdictStatus, ...] = (
    "agrees",
    "agrees_counting",
    "reproduced",
    "unexplained",
    "not_measurable",
    "unmeasured",
)
JUDGED = STATUSES[:4]
ACCURACIES = ("top1", "top5", "map", "miou")


@dataclass(frozen=True, slots=True)
class ModelView:
    """One call that a card names, with what measuring it gave."""

    call: str
    anchor: str
    labels: tuple[str, ...]
    arguments: tuple[tuple[str, object, bool], ...]  # name, value, whether it is the default
    chosen: tuple[str, ...]
    factory: Factory | None
    measurement: Measurement | None
    layers: tuple[Layer, ...]
    stages: tuple[Stage, ...] = ()
    witnesses: tuple[Witness, ...] = ()

    @property
    def made_in(self) -> tuple[str, ...]:
        """The files that make its stages, as paths from the root."""
        if not self.factory:
            return ()
        folder = PurePosixPath(self.factory.path).parent
        files = (stage.first.made.rpartition(":")[0] for stage in self.stages)
        return tuple(dict.fromkeys((folder / file).as_posix() for file in files if file))


@dataclass(frozen=True, slots=True)
class Figure:
    """A judged figure, and where on the card it stands."""

    card: CardView
    row: ResultRow
    column: str
    verdict: Verdict
    anchor: str

    @property
    def provisional(self) -> bool:
        """Whether its verdict rests on a model that no witness was found for."""
        calls = calls_in(self.verdict.by_call or self.verdict.call)
        return self.verdict.status in JUDGED and not all(map(self._proved, calls))

    def _proved(self, call: str) -> bool:
        model = self.card.model(call)
        return proved(call, self.verdict.metric, model.witnesses if model else ())


@dataclass(frozen=True, slots=True)
class ClaimView:
    """An expression of a card, and the anchor of its line in the list of them."""

    outcome: Outcome
    anchor: str


class Source(Protocol):
    """Where a view has from what is worked out only when it is asked for: the site."""

    def touch(self, card: Card) -> None:
        """Take note that somebody asks for more of a card than its light facts."""

    def verdicts_of(self, card: Card) -> Mapping[tuple[int, int], Verdict]:
        """The verdicts on its figures."""

    def models_of(self, card: Card) -> tuple[ModelView, ...]:
        """The calls that it names."""

    def claims_of(self, card: Card) -> tuple[ClaimView, ...]:
        """Its expressions."""

    def runnables_of(self, card: Card) -> tuple[Runnable, ...]:
        """The runnable figures that it shows."""


class CardView:
    """A card with its place on the site, its models and its figures.

    A property that says more of the card than its light facts do says so to `source`, also when it is asked again:
    pages are made anew when a card changes of which they asked that.
    """

    def __init__(self, card: Card, path: str, kind: str, source: Source) -> None:
        self.card = card
        self.path = path
        self.kind = kind
        self.source = source

    @property
    def verdicts(self) -> Mapping[tuple[int, int], Verdict]:
        """The verdicts on its figures, by their cells."""
        self.source.touch(self.card)
        return self._verdicts

    @property
    def models(self) -> tuple[ModelView, ...]:
        """The calls that it names."""
        if is_quiet(self.card):
            return ()
        self.source.touch(self.card)
        return self._models

    @property
    def claims(self) -> tuple[ClaimView, ...]:
        """Its expressions."""
        if is_quiet(self.card):
            return ()
        self.source.touch(self.card)
        return self._claims

    @property
    def runnables(self) -> tuple[Runnable, ...]:
        """The runnable figures that it shows."""
        self.source.touch(self.card)
        return self._runnables

    @property
    def sources(self) -> Mapping[str, int]:
        """The files of source that its page shows, numbered: its models', those of their stages, its figures'."""
        own = [model.factory.path for model in self.models if model.factory]
        made = [path for model in self.models for path in model.made_in]
        drawn = [runnable.path for runnable in self.runnables]
        return {path: number for number, path in enumerate(dict.fromkeys([*own, *made, *drawn]), 1)}

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Its figures that have a verdict, in the order of the tables."""
        self.source.touch(self.card)
        return self._figures

    @property
    def judged(self) -> tuple[Figure, ...]:
        """Its figures that a measurement could be held against."""
        if is_quiet(self.card):
            return ()
        self.source.touch(self.card)
        return self._judged

    @property
    def unexplained(self) -> Mapping[str, Figure]:
        """Its unexplained figures by the page that says what was tried for each."""
        if is_quiet(self.card):
            return {}
        self.source.touch(self.card)
        return self._unexplained

    @cached_property
    def _verdicts(self) -> Mapping[tuple[int, int], Verdict]:
        return self.source.verdicts_of(self.card)

    @cached_property
    def _models(self) -> tuple[ModelView, ...]:
        return self.source.models_of(self.card)

    @cached_property
    def _claims(self) -> tuple[ClaimView, ...]:
        return self.source.claims_of(self.card)

    @cached_property
    def _runnables(self) -> tuple[Runnable, ...]:
        return self.source.runnables_of(self.card)

    @cached_property
    def _figures(self) -> tuple[Figure, ...]:
        return tuple(
            Figure(self, row, column, self._verdicts[cell], figure_anchor(*cell))
            for row in self.card.results
            for column, printed in row.metrics.items()
            if (cell := (printed.line, printed.column)) in self._verdicts
        )

    @cached_property
    def _judged(self) -> tuple[Figure, ...]:
        return tuple(figure for figure in self._figures if figure.verdict.status in JUDGED)

    @cached_property
    def _unexplained(self) -> Mapping[str, Figure]:
        found: dict[str, Figure] = {}
        stem = self.path.removesuffix(".html")
        for figure in self._judged:
            if figure.verdict.status == "unexplained":
                printed = figure.verdict.printed
                name = f"{figure.row.label or figure.verdict.call} {figure.column} {printed.printed} {printed.unit}"
                path = f"{stem}/{slug(name)[:80]}.html"
                found[path if path not in found else f"{stem}/{figure.anchor}.html"] = figure
        return found

    def explanation_path(self, figure: Figure) -> str:
        """The page that says what was tried for a figure; "" for one that is explained."""
        return next((path for path, each in self.unexplained.items() if each.anchor == figure.anchor), "")

    def model(self, call: str) -> ModelView | None:
        """The view of one of its calls, by the normal form."""
        return next((model for model in self.models if model.call == call), None)

    def claim(self, source: str) -> ClaimView | None:
        """The view of one of its expressions, by its source."""
        return next((each for each in self.claims if each.outcome.claim.source == source), None)


def figure_anchor(line: int, column: int) -> str:
    """The fragment that names a figure on its card's page."""
    return f"figure-{line}-{column}"


def tally(figures: Iterable[Figure], statuses: Iterable[VerdictStatus] = JUDGED) -> dict[str, int]:
    """How many figures came out in each way; ways that do not occur are counted as 0."""
    found = [figure.verdict.status for figure in figures]
    return {status: found.count(status) for status in statuses}


@dataclass(frozen=True, slots=True)
class Group:
    """The cards under one heading of an index page."""

    label: str
    anchor: str
    views: tuple[CardView, ...]


def group(views: Sequence[CardView], grouping: str, unknown: str) -> tuple[Group, ...]:
    """The cards by year (the newest first) or by a label; what states none comes last, under `unknown`."""
    found: dict[str, list[CardView]] = {}
    for view in views:
        for label in _labels(view, grouping):
            found.setdefault(label, []).append(view)
    labels = sorted(filter(None, found), key=str.casefold, reverse=grouping == "year") + [""] * ("" in found)
    anchors = addresses.unique_slugs([label or unknown for label in labels])
    return tuple(Group(label or unknown, anchors[label or unknown], tuple(found[label])) for label in labels)


def _labels(view: CardView, grouping: str) -> tuple[str, ...]:
    """A card's labels on an index; untagged cards are on none, other gaps are shown as such."""
    citation = view.card.citation
    if grouping == "tag":
        return tuple(dict.fromkeys(view.card.tags))
    if grouping == "author":
        return tuple(dict.fromkeys(citation.authors)) or ("",)
    one = {"year": str(citation.year or ""), "venue": citation.venue, "kind": view.kind}
    return (one[grouping],)
