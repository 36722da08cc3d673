"""A knowledge base in memory: its settings, cards, models and measurements, read from the files below one root."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from kb.calls import CallError, find_factories, is_call, normalise
from kb.claims import Outcome, outcome
from kb.expressions import MARKS, ExpressionError, calls_in, with_calls
from kb.judging import judge
from kb.kept import KeptCard, is_quiet
from kb.lock import Lock, read_lock
from kb.mentions import Naming, naming
from kb.names import Names, folded
from kb.notes import note_paths, read_note
from kb.records import Card, Claim, Factory, Measurement, Note, Problem, Reference, ResultRow, Verdict
from kb.runnables import Runnable, figure_name, find_runnables
from kb.schema import Schema, load_schema
from kb.settings import Settings, load_settings
from kb.witnesses import Witness, Witnesses, proved, read_witnesses
from kb.workers import collect_seldom

Found = TypeVar("Found")
Verdicts = Mapping[tuple[int, int], Verdict]  # by the line and column of their cells


@dataclass(frozen=True)
class Base:
    """All that a root folder holds.

    In `cards` the calls of results are in normal form, "" where they name no model; in `notes` they are as written.
    `problems` are those met while reading; `kb.check.check` adds what the cards together tell.
    """

    settings: Settings
    schema: Schema
    notes: tuple[Note, ...]
    cards: tuple[Card, ...]
    factories: Mapping[str, Factory]
    lock: Lock
    problems: tuple[Problem, ...]
    witnesses: Witnesses = field(default_factory=Witnesses)
    runnables: Mapping[str, Runnable] = field(default_factory=dict)

    def __getitem__(self, citekey: str) -> CardView:
        card = self.card(citekey)
        if card is None:
            raise KeyError(citekey)
        return CardView(card, self)

    def __contains__(self, citekey: str) -> bool:
        return self.card(citekey) is not None

    def __iter__(self) -> Iterator[CardView]:
        return (CardView(card, self) for card in self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def card(self, citekey: str, lang: str = "") -> Card | None:
        """The card with this citekey, in this language, else in the site's, else in any."""
        return self._preferred(
            [card for card in self._by_citekey.get(folded(citekey), ()) if card.citekey == citekey], lang
        )

    def resolve(self, target: str, lang: str = "") -> Card | None:
        """The card that a wiki link leads to: by citekey, else by alias, else by name; case makes no difference."""
        wanted = folded(target)
        for found in (self._by_citekey, self._by_alias, self._by_name):
            if wanted in found:
                return self._preferred(found[wanted], lang)
        return None

    @cached_property
    def names(self) -> Names:
        """The names of the published cards, by which texts mention them."""
        return Names((card for card in self.cards if card.publish), self._is_free_key)

    @cached_property
    def names_made_of(self) -> tuple[object, ...]:
        """All that the names depend on: the cards that are not published, too, since their keys are not free."""
        others = (card for card in self.cards if not card.publish)
        taken = tuple((card.citekey, card.name, card.aliases, card.citation.title) for card in others)
        return *self.names.facts, taken

    @cached_property
    def known_names(self) -> Mapping[str, str]:
        """The citekey for each key, name and alias, as they are written."""
        return {word: card.citekey for card in self.cards for word in (card.citekey, card.name, *card.aliases)}

    @cached_property
    def declared(self) -> frozenset[str]:
        """The papers without cards that cards list to be read."""
        return frozenset(each.target for each in self.links if each.kind == "declared" and not each.has_card)

    def _is_free_key(self, text: str) -> bool:
        """Whether a text is a citekey that no card has, not even one that is kept from the site."""
        return bool(self.schema.match_citekey(text)) and not self.resolve(text)

    @cached_property
    def links(self) -> tuple[Reference, ...]:
        """Every sentence in which a published card names another paper, in the order of cards and lines.

        Of papers that have no card, too: there `has_card` is false.
        """
        return tuple(each for card in self.cards if card.publish for each in self.links_of(card))

    def naming(self, card: Card) -> Naming:
        """What a published card names."""
        return self.names.keep(card, naming)

    def planned(self, text: str) -> str | None:
        """What to call a paper that has no card, if a text plainly names one: by a citekey, an arXiv number, a DOI."""
        return self.names.planned(text)

    def links_of(self, card: Card) -> tuple[Reference, ...]:
        """The sentences in which one card names other papers, in their order."""
        return self.naming(card).references

    def linked(self, card: Card, target: str) -> Card | None:
        """The card that a link of a card leads to, without its fragment: named, or the first in the note at a path."""
        target = target.partition("#")[0]
        found = self.resolve(target, card.lang) if target else card
        path = None if found else path_beside(card, target)
        return self._first_at.get(path) if path else found

    @cached_property
    def calls(self) -> tuple[str, ...]:
        """The normal forms of all calls that cards name, sorted."""
        return tuple(sorted({call for card in self.tested_cards for call in self.calls_of(card)}))

    @cached_property
    def tested_cards(self) -> tuple[Card, ...]:
        """The cards that name models: on the others nothing can be measured."""
        return tuple(card for card in self.cards if not is_quiet(card))

    def calls_of(self, card: Card) -> tuple[str, ...]:
        """The normal forms of the calls that a card names, each once, in their order."""
        return () if is_quiet(card) else self._of_tested(self._calls, card, self._calls_named)

    @cached_property
    def languages(self) -> Mapping[str, tuple[str, ...]]:
        """The languages of each paper's cards, by citekey; the one that goes first is the site's, if it can be."""
        found: dict[str, set[str]] = {}
        for card in self.cards:
            found.setdefault(card.citekey, set()).add(card.lang)
        own = self.settings.language
        return {key: tuple(sorted(langs, key=lambda lang: (lang != own, lang))) for key, langs in found.items()}

    @cached_property
    def papers(self) -> tuple[Card, ...]:
        """One card for each paper: of those in several languages, the one that goes first."""
        return tuple(card for card in self.cards if card.lang == self.languages[card.citekey][0])

    def verdicts(self, card: Card) -> Verdicts:
        """The verdicts on a card's printed figures, by the line and column of their cells."""
        return self._judged(card) if is_quiet(card) else self._of_tested(self._verdicts, card, self._judged)

    def claims(self, card: Card) -> tuple[Outcome, ...]:
        """What comes of a card's expressions, in their order."""
        return () if is_quiet(card) else self._of_tested(self._claims, card, self._outcomes)

    def outcome(self, claim: Claim) -> Outcome:
        """What comes of one expression."""
        return outcome(
            claim, partial(normalise, factories=self.factories, packages=self.settings.packages), self.lock.get
        )

    def witnesses_of(self, call: str) -> tuple[Witness, ...]:
        """Who speaks for the model of a call in normal form."""
        if call not in self._witnesses:
            self._witnesses[call] = self.witnesses.of(call, self.lock, self.factories)
        return self._witnesses[call]

    @cached_property
    def _witnesses(self) -> dict[str, tuple[Witness, ...]]:
        return {}

    def is_provisional(self, verdict: Verdict) -> bool:
        """Whether a verdict rests on a model of ours that nobody else's was found to be the same as."""
        calls = calls_in(verdict.by_call or verdict.call)
        proofs = (proved(call, verdict.metric, self.witnesses_of(call)) for call in calls)
        return verdict.measured is not None and not all(proofs)

    def figure_named(self, card: Card, target: str) -> str | None:
        """The name of the runnable figure that an image of a card stands for; None for another image."""
        return figure_name(target, card.path, self.settings.models)

    def normal_call(self, text: str) -> str:
        """The normal form of a call; "" for a text that is no call of a known model."""
        return normal_call(text, self.factories, self.settings)

    @cached_property
    def _verdicts(self) -> dict[tuple[str, str, str], Verdicts]:
        return {}

    @cached_property
    def _claims(self) -> dict[tuple[str, str, str], tuple[Outcome, ...]]:
        return {}

    def _of_tested(
        self, known: dict[tuple[str, str, str], Found], card: Card, work_out: Callable[[Card], Found]
    ) -> Found:
        """What was worked out of a card before, or is now."""
        key = (card.path, card.citekey, card.lang)
        if key not in known:
            known[key] = work_out(card)
        return known[key]

    def _judged(self, card: Card) -> Verdicts:
        tables = groupby(card.results, key=lambda row: row.table)
        return {cell: verdict for _, rows in tables for cell, verdict in judge(tuple(rows), self._measured).items()}

    def _outcomes(self, card: Card) -> tuple[Outcome, ...]:
        return tuple(map(self.outcome, card.claims))

    @cached_property
    def _measured(self) -> dict[str, Measurement]:
        return {call: found for call in self.calls if (found := self.lock.get(call))}

    @cached_property
    def _calls(self) -> dict[tuple[str, str, str], tuple[str, ...]]:
        return {}

    def _calls_named(self, card: Card) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._calls_in(card)))

    def _calls_in(self, card: Card) -> Iterator[str]:
        yield from filter(None, (self.normal_call(model.call) for model in card.models))
        for row in card.results:
            yield from filter(None, [row.call])
            spans = (span for spans in row.footnote_calls.values() for span in spans)
            named = (calls_in(span[len(MARKS[0]) :]) if span.startswith(MARKS) else (span,) for span in spans)
            yield from filter(None, (self.normal_call(call) for calls in named for call in calls))
        for found in self.claims(card):
            yield from found.calls

    def _preferred(self, cards: Sequence[Card], lang: str) -> Card | None:
        wanted = (lang, self.settings.language)
        return min(cards, key=lambda card: wanted.index(card.lang) if card.lang in wanted else 2, default=None)

    @cached_property
    def _first_at(self) -> dict[str, Card]:
        return {card.path: card for card in reversed(self.cards)}

    @cached_property
    def _by_citekey(self) -> dict[str, list[Card]]:
        return _indexed((card.citekey, card) for card in self.cards)

    @cached_property
    def _by_alias(self) -> dict[str, list[Card]]:
        return _indexed((alias, card) for card in self.cards for alias in card.aliases)

    @cached_property
    def _by_name(self) -> dict[str, list[Card]]:
        return _indexed((name, card) for card in self.cards for name in (card.name, card.citation.title) if name)


def path_beside(card: Card, target: str) -> str | None:
    """A relative target as a path from the root; None for an address, or a path that leads out."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(card.path), unquote(parts.path).replace("\\", "/")))
    return None if path.startswith("../") or path == ".." else path


def _indexed(pairs: Iterable[tuple[str, Card]]) -> dict[str, list[Card]]:
    found: dict[str, list[Card]] = {}
    for name, card in pairs:
        found.setdefault(folded(name), []).append(card)
    return found


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of a results table together with the verdicts on its figures, by metric."""

    row: ResultRow
    verdicts: Mapping[str, Verdict]

    def __getattr__(self, name: str) -> object:
        return getattr(self.row, name)


@dataclass(frozen=True, slots=True)
class CardView:
    """A card of a base, whose results know their verdicts; every field of the card is one of the view's, too."""

    card: Card
    base: Base

    def __getattr__(self, name: str) -> object:
        return getattr(self.card, name)

    @property
    def results(self) -> tuple[RowView, ...]:
        """The rows of the card's results tables, with their verdicts."""
        verdicts = self.base.verdicts(self.card)
        return tuple(
            RowView(
                row,
                {
                    metric: verdicts[printed.line, printed.column]
                    for metric, printed in row.metrics.items()
                    if (printed.line, printed.column) in verdicts
                },
            )
            for row in self.card.results
        )


def load(root: Path | str, extra: Iterable[str] = (), known: Mapping[str, Note] | None = None) -> Base:
    """Read the knowledge base at a root; `extra` names notes outside its notes folder, relative to the root.

    Notes that are `known`, by their paths, are not read again.
    """
    root = Path(root)
    settings, problems = load_settings(root)
    schema, schema_problems = load_schema(root)
    paths = sorted({*note_paths(root, settings.notes), *extra})
    collect_seldom()
    notes = tuple((known or {}).get(path) or read_note(root, path, schema, settings) for path in paths)
    factories, factory_problems = find_factories(root, settings.models)
    lock, lock_problems = read_lock(root)
    witnesses, witness_problems = read_witnesses(root)
    found = [*problems, *schema_problems, *(each for note in notes for each in note.problems)]
    cards = tuple(with_normal_calls(card, factories, settings) for note in notes for card in note.cards)
    runnables, runnable_problems = find_runnables(root, settings.models)
    found += [*factory_problems, *lock_problems, *witness_problems, *runnable_problems]
    return Base(settings, schema, notes, cards, factories, lock, tuple(found), witnesses, runnables)


def reread(base: Base, paths: Collection[str]) -> Base:
    """The base with these of its notes read again; all else in it stays as it was read before."""
    settings = base.settings
    fresh = {path: read_note(settings.root, path, base.schema, settings) for path in paths}
    cards: dict[str, list[Card]] = {}
    for card in base.cards:
        cards.setdefault(card.path, []).append(card)
    cards |= {
        path: [with_normal_calls(card, base.factories, settings) for card in note.cards] for path, note in fresh.items()
    }
    notes = tuple(fresh.get(note.path, note) for note in base.notes)
    kept = (found for found in base.problems if found.place.path not in fresh)
    found = (each for note in fresh.values() for each in note.problems)
    in_their_order = tuple(card for note in notes for card in cards.get(note.path, ()))
    after = replace(base, notes=notes, cards=in_their_order, problems=(*kept, *found))
    if after.names.facts == base.names.facts:  # then what other cards name is as it was
        vars(after)["names"] = base.names
    return after


def load_models(settings: Settings) -> Base:
    """The base without its notes: models, measurements, and who vouches for them. Its root may be any folder."""
    schema, _ = load_schema(settings.root)
    factories, factory_problems = find_factories(settings.root, settings.models)
    lock, lock_problems = read_lock(settings.root)
    witnesses, witness_problems = read_witnesses(settings.root)
    problems = (*factory_problems, *lock_problems, *witness_problems)
    return Base(settings, schema, (), (), factories, lock, problems, witnesses)


def normal_call(text: str, factories: Mapping[str, Factory], settings: Settings) -> str:
    """The normal form of a call; "" for a text that is no call of a known model."""
    try:
        return normalise(text, factories, settings.packages) if is_call(text) else ""
    except CallError:
        return ""


def _normal_span(span: str, factories: Mapping[str, Factory], settings: Settings) -> str:
    """A code span of a footnote, the calls in it in normal form; as it is where they cannot be read."""
    if not span.startswith(MARKS):
        return normal_call(span, factories, settings) or span
    try:
        return with_calls(span, partial(normalise, factories=factories, packages=settings.packages))
    except (CallError, ExpressionError):
        return span


def with_normal_calls(card: Card, factories: Mapping[str, Factory], settings: Settings) -> Card:
    """The card, its results' calls in normal form: "" for those that name no model."""
    normal = partial(_with_normal_calls, factories=factories, settings=settings)
    return (
        card.finished(normal) if isinstance(card, KeptCard) else replace(card, results=tuple(map(normal, card.results)))
    )


def _with_normal_calls(row: ResultRow, factories: Mapping[str, Factory], settings: Settings) -> ResultRow:
    footnotes = {
        name: tuple(_normal_span(span, factories, settings) for span in spans)
        for name, spans in row.footnote_calls.items()
    }
    return replace(row, call=normal_call(row.call, factories, settings), footnote_calls=footnotes)
