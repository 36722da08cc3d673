"""What is newer than the site, and what a build would do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from kb import inputs, remeasuring
from kb.base import Base
from kb.building import NEEDS_TORCH, count, measurement_digests
from kb.built import Order, is_unchanged, read_record, refused
from kb.check import check
from kb.fingerprints import can_measure

NEVER = "not built"


@dataclass(frozen=True, slots=True)
class Newer:
    """Something that is new, changed or gone since the site was built: a file, a call."""

    name: str
    state: str
    of: tuple[str, ...] = ()  # of a note its cards, of a model file its factories


@dataclass(frozen=True, slots=True)
class Status:
    """How a site stands to what it is made from.

    `build` is what a build would do, in order; `other_tools` whether kb, a package or a setting of the environment
    is another than when the site was built.
    """

    site: str
    built: str  # what the site holds, "" where there is none
    cards: tuple[Newer, ...]
    models: tuple[Newer, ...]
    measurements: tuple[Newer, ...]
    others: tuple[Newer, ...]
    other_tools: bool
    stale: tuple[str, ...]
    stale_figures: tuple[str, ...]
    unused: tuple[str, ...]
    build: tuple[str, ...]


def status(base: Base) -> Status:
    """What a knowledge base's site was made from, against what there is now."""
    settings = base.settings
    site = settings.root / settings.site
    record = read_record(settings, site) if site.is_dir() else {}
    files, measured = (known(record, name) for name in ("files", "measurements"))
    changed = tuple(newer(files, inputs.contents(settings)))
    notes, models, others = (tuple(each for each in changed if part(each.name, base) == name) for name in PARTS)
    stale = tuple(remeasuring.stale(base))
    undrawn = tuple(each.name for each in remeasuring.stale_figures(base))
    unchanged = "files" in record and is_unchanged(record, settings, Order(), site)
    return Status(
        site=settings.site,
        built=str(record.get("summary", "")),
        cards=tuple(Newer(each.name, each.state, cards_in(each.name, base)) for each in notes),
        models=tuple(Newer(each.name, each.state, factories_in(each.name, base)) for each in models),
        measurements=tuple(newer(measured, measurement_digests(base))),
        others=others,
        other_tools=bool(record) and not changed and not unchanged,
        stale=stale,
        stale_figures=undrawn,
        unused=tuple(call for call in base.lock.entries if call not in base.calls),
        build=tuple(plan(base, stale, undrawn, unchanged=unchanged)),
    )


PARTS = ("notes", "models", "others")


def part(path: str, base: Base) -> str:
    """What a file is to the site: a note, a model, or something else; measurements are told call by call."""
    settings = base.settings
    if path.startswith(f"{settings.notes}/") and path.endswith(".md"):
        return "notes"
    if path.startswith(f"{settings.models}/") and path.endswith(".py"):
        return "models"
    return "" if path.startswith(f"{settings.models}/measured") or path in drawings(base) else "others"


def drawings(base: Base) -> set[str]:
    """The files that are drawn: what is told of them is which figure is stale."""
    return {path for each in base.runnables.values() for path in (each.data, each.drawing)}


def known(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    """A mapping of a record; empty where the record has none, as one of an earlier kb."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def newer(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Newer]:
    """What is new, changed or gone, by name."""
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield Newer(name, "new" if name not in before else "changed" if name in now else "gone")


def cards_in(path: str, base: Base) -> tuple[str, ...]:
    """The citekeys of a note's cards."""
    return tuple(card.citekey for card in base.cards if card.path == path)


def factories_in(path: str, base: Base) -> tuple[str, ...]:
    """The names of a file's models and runnable figures."""
    factories = (name for name, factory in base.factories.items() if factory.path == path)
    return (*factories, *(name for name, figure in base.runnables.items() if figure.path == path))


def plan(base: Base, stale: Sequence[str], undrawn: Sequence[str], *, unchanged: bool) -> Iterator[str]:
    """What `kb build` would do now, step by step."""
    problems = check(base)
    errors = sum(found.severity == "error" for found in problems)
    if refused(problems, Order()):
        yield f"refuse: {count(errors, 'error')}, which kb check shows; the old site stays"
    elif (stale or undrawn) and not can_measure():
        todo = (count(len(stale), "measurement"), count(len(undrawn), "figure"))
        yield f"refuse: {' and '.join(each for each in todo if not each.startswith('0 '))} to make, and {NEEDS_TORCH}"
    elif unchanged:
        yield "nothing: the site is up to date"
    else:
        if stale:
            yield f"measure {count(len(stale), 'call')} (kb build --locked would refuse)"
        if undrawn:
            yield f"draw {count(len(undrawn), 'figure')} (kb build --locked would refuse)"
        yield f"write the pages of {count(len(base.cards), 'card')}"


# ---------------------------------------------------------------------------------------------------- in words


def report(found: Status, form: str) -> str:
    """A status as text or JSON."""
    if form == "json":
        return json.dumps(asdict(found), ensure_ascii=False, indent=2) + "\n"
    return "".join(f"{line}\n" for line in lines(found))


def lines(found: Status) -> Iterator[str]:
    """A status for the terminal."""
    yield f"{found.site}/: {found.built or NEVER}"
    if found.built:
        yield from block("Cards newer than the site", map(words, found.cards))
        yield from block("Models newer than the site", map(words, found.models))
        yield from block("Measurements newer than the site", map(words, found.measurements))
        yield from block("Other files newer than the site", map(words, found.others))
    if found.other_tools:
        yield from (
            "",
            "No file has other content, but times, kb, a package, the environment or the site have changed.",
        )
    yield from block("Stale measurements: older than their model, or missing", found.stale)
    yield from block("Stale figures: older than their code, or never drawn", found.stale_figures)
    yield from block("Unused measurements: no card names them, and kb measure drops them", found.unused)
    yield from block("A build would", found.build)


def block(heading: str, found: Iterator[str] | Sequence[str]) -> Iterator[str]:
    """A heading with what is below it; nothing where there is nothing."""
    below = [f"  {each}" for each in found]
    yield from ["", heading, *below] if below else ()


def words(each: Newer) -> str:
    """A file or a call, what it holds, and what happened to it."""
    holds = f" ({', '.join(each.of)})" if each.of else ""
    return f"{each.state:8} {each.name}{holds}"
