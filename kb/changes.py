"""What changed between two states of a knowledge base: data, from which reports are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb.base import Base
from kb.records import Card, Measurement, Problem, Verdict

COMPARED = ("params", "macs", "activations", "peak_activation_bytes")  # numbers of a measurement that people follow

Identity = tuple[str, str]  # of a card: citekey and language, "" for the site's own
Cell = tuple[Identity, str, str, str, int]  # of a figure: card, section, label, column, and which of several such


@dataclass(frozen=True, slots=True)
class CardChange:
    """A card that is new, gone or other than it was; `lang` is empty for the site's own language.

    `parts` names what else than sections is other: metadata, intro, footnotes, file. `before` is its old citekey.
    """

    citekey: str
    lang: str
    name: str
    path: str
    line: int
    parts: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    before: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A number of a measurement that is other than it was."""

    call: str
    metric: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A printed figure that is judged otherwise than it was."""

    citekey: str
    label: str
    before: Verdict
    after: Verdict


@dataclass(frozen=True, slots=True)
class Changes:
    """All that changed, and what is wrong now."""

    added: tuple[CardChange, ...] = ()
    removed: tuple[CardChange, ...] = ()
    renamed: tuple[CardChange, ...] = ()
    changed: tuple[CardChange, ...] = ()
    moved: tuple[Moved, ...] = ()
    measured: tuple[Measurement, ...] = ()  # of calls that were not measured before
    dropped: tuple[str, ...] = ()  # calls that are measured no more
    same: tuple[str, ...] = ()  # calls whose model's code is other, and whose numbers are not
    verdicts: tuple[FigureChange, ...] = ()
    figures: tuple[Verdict, ...] = ()  # of figures that are new
    stale: tuple[str, ...] = ()  # calls that are not measured as they are now
    problems: tuple[Problem, ...] = ()


def compare(old: Base, new: Base, problems: Sequence[Problem] = (), stale: Sequence[str] = ()) -> Changes:
    """What changed from one state to the other; `problems` and `stale` are those of the new one."""
    before, after = cards_of(old), cards_of(new)
    renamed = dict(renamings(before, after))
    common = (difference(key, before[key], card) for key, card in after.items() if key in before)
    calls = [call for call in new.lock.entries if call in old.lock.entries]
    verdicts = (figures_of(old, renamed), figures_of(new, {}))
    return Changes(
        added=tuple(
            brief(key, card) for key, card in after.items() if key not in before and key not in renamed.values()
        ),
        removed=tuple(brief(key, card) for key, card in before.items() if key not in after and key not in renamed),
        renamed=tuple(difference(other, before[key], after[other]) for key, other in renamed.items()),
        changed=tuple(each for each in common if each.parts or each.sections),
        moved=tuple(each for call in calls for each in moves(old.lock.entries[call], new.lock.entries[call])),
        measured=tuple(found for call, found in new.lock.entries.items() if call not in old.lock.entries),
        dropped=tuple(call for call in old.lock.entries if call not in new.lock.entries),
        same=tuple(call for call in calls if is_same(old.lock.entries[call], new.lock.entries[call])),
        verdicts=tuple(judged_otherwise(*verdicts)),
        figures=tuple(verdict for cell, verdict in verdicts[1].items() if cell not in verdicts[0]),
        stale=tuple(stale),
        problems=tuple(problems),
    )


# ------------------------------------------------------------------------------------------------------- cards


def cards_of(base: Base) -> dict[Identity, Card]:
    """The cards by identity; of two that share one, the first."""
    cards: dict[Identity, Card] = {}
    for card in base.cards:
        language = "" if card.lang == base.settings.language else card.lang
        cards.setdefault((card.citekey, language), card)
    return cards


def renamings(before: Mapping[Identity, Card], after: Mapping[Identity, Card]) -> Iterator[tuple[Identity, Identity]]:
    """Cards that go by another citekey and keep the old one as an alias: identity before and now."""
    for key, card in after.items():
        if key not in before:
            old = ((alias, key[1]) for alias in card.aliases)
            found = next((each for each in old if each in before and each not in after), None)
            if found:
                yield found, key


def brief(key: Identity, card: Card) -> CardChange:
    """A card by name and place."""
    return CardChange(*key, card.name, card.path, card.line)


def difference(key: Identity, old: Card, new: Card) -> CardChange:
    """In which parts a card differs from what it was."""
    parts = tuple(name for name, text in PARTS.items() if text(old) != text(new))
    before = old.citekey if old.citekey != new.citekey else ""
    return CardChange(*key, new.name, new.path, new.line, parts, sections(old, new), before)


def sections(old: Card, new: Card) -> tuple[str, ...]:
    """The headings of sections that are new, gone or other than they were."""
    texts = [{(each.id, each.heading): each.markdown.strip() for each in card.sections} for card in (old, new)]
    other = (key for key in {**texts[1], **texts[0]} if texts[0].get(key) != texts[1].get(key))
    return tuple(dict.fromkeys(heading for _, heading in other))


def metadata(card: Card) -> object:
    """What a card says of its paper, and of itself."""
    of_paper = (card.name, card.kind, card.citation, card.tags, card.aliases, dict(card.links))
    return of_paper, (card.date, card.updated, card.status, card.publish, dict(card.extra))


PARTS: Mapping[str, Callable[[Card], object]] = {
    "metadata": metadata,
    "intro": lambda card: card.intro.strip(),
    "footnotes": lambda card: card.definitions.strip(),
    "file": lambda card: card.path,
}


# ----------------------------------------------------------------------------------------------------- numbers


def moves(old: Measurement, new: Measurement) -> Iterator[Moved]:
    """The numbers of one call that are other than they were."""
    for metric in COMPARED:
        before, after = getattr(old, metric), getattr(new, metric)
        if before != after:
            yield Moved(new.call, metric, before, after)


def is_same(old: Measurement, new: Measurement) -> bool:
    """Whether a call was measured again, from other code, and gave the same numbers."""
    measured_again = (old.fingerprint, old.versions) != (new.fingerprint, new.versions)
    return measured_again and not any(moves(old, new))


# ----------------------------------------------------------------------------------------------------- figures


def figures_of(base: Base, renamed: Mapping[Identity, Identity]) -> dict[Cell, Verdict]:
    """The verdicts on all figures by where they stand, whatever is above them; cards go by what `renamed` says."""
    found: dict[Cell, Verdict] = {}
    for key, card in cards_of(base).items():
        verdicts = base.verdicts(card)
        for row in card.results:
            for column, printed in row.metrics.items():
                verdict = verdicts.get((printed.line, printed.column))
                if verdict:
                    place = (renamed.get(key, key), row.section, row.label, column)
                    number = next(n for n in range(len(found) + 1) if (*place, n) not in found)
                    found[*place, number] = verdict
    return found


def judged_otherwise(before: Mapping[Cell, Verdict], after: Mapping[Cell, Verdict]) -> Iterator[FigureChange]:
    """The figures on both sides whose verdict, or what it rests on, changed."""
    for cell, verdict in after.items():
        if cell in before and judgement(before[cell]) != judgement(verdict):
            (citekey, _), _, label, *_ = cell
            yield FigureChange(citekey, label, before[cell], verdict)


def judgement(verdict: Verdict) -> tuple[object, ...]:
    """What a verdict says, and the way of counting or the call that makes the figure come out."""
    conventions = verdict.conventions if verdict.status == "agrees_counting" else ()
    return verdict.status, conventions, verdict.by_call
