"""Changes in words: Markdown for a pull request's page, text for the terminal, JSON for programs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import groupby

from kb.changes import CardChange, Changes, FigureChange, Moved
from kb.pages.figures import conventions_text
from kb.pages.views import JUDGED
from kb.problems import shown
from kb.records import Measurement, Problem, Verdict
from kb.reporting import with_unit
from kb.telling import MARKS, difference
from kb.texts import Texts

MOST = 100  # lines of one part: a job's page takes no more than a megabyte
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&#@]")

Block = tuple[str, list[str]]  # a heading and its lines


@dataclass(frozen=True, slots=True)
class Writer:
    """How a form of report writes what users wrote: as text, as code."""

    plain: Callable[[str], str]
    code: Callable[[str], str]
    message: Callable[[str], str]  # what kb says, with what it speaks of between backticks


def report(changes: Changes, revision: str, form: str, texts: Texts) -> str:
    """The changes since a revision in a form: markdown, text or json."""
    if form == "json":
        return json.dumps(asdict(changes), ensure_ascii=False, indent=2, default=str) + "\n"
    writer = IN_MARKDOWN if form == "markdown" else IN_TEXT
    title = texts("diff.title", revision=writer.code(revision))
    found = [(heading, capped(lines, texts)) for heading, lines in blocks(changes, writer, texts) if lines]
    return (as_markdown if form == "markdown" else as_text)(title, found or [(texts("diff.nothing"), [])])


def as_markdown(title: str, found: Iterable[Block]) -> str:
    """A heading, and a list below one heading for each part."""
    parts = (f"\n### {heading}\n\n" + "".join(f"- {line}\n" for line in lines) for heading, lines in found if lines)
    return f"## {title}\n" + ("".join(parts) or "".join(f"\n{heading}\n" for heading, _ in found))


def as_text(title: str, found: Iterable[Block]) -> str:
    """The same, indented."""
    parts = (f"\n{heading}\n" + "".join(f"  {line}\n" for line in lines) for heading, lines in found)
    return f"{title}\n" + "".join(parts)


def blocks(changes: Changes, writer: Writer, texts: Texts) -> Iterator[Block]:
    """The parts of a report, in their order; one without lines has nothing to say."""
    yield texts("diff.problems"), [problem_words(each, writer) for each in changes.problems if each.severity != "note"]
    yield texts("diff.stale"), [writer.code(call) for call in changes.stale]
    yield texts("diff.cards"), list(card_lines(changes, writer, texts))
    yield texts("diff.verdicts"), list(verdict_lines(changes, writer, texts))
    yield texts("diff.numbers"), list(number_lines(changes, writer, texts))


def capped(lines: list[str], texts: Texts) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - MOST
    return [*lines[:MOST], texts("diff.more", count=more)] if more > 0 else lines


# ------------------------------------------------------------------------------------------------ lines in words


def problem_words(found: Problem, writer: Writer) -> str:
    """A problem on one line."""
    place = f"{found.place.path}:{found.place.line}:{found.place.column}"
    kind = "" if found.severity == "error" else f"{found.severity}: "
    return f"{writer.code(place)} {found.code} {kind}{writer.message(found.message)}"


def card_lines(changes: Changes, writer: Writer, texts: Texts) -> Iterator[str]:
    """The cards that are new, gone, renamed, or other than they were."""
    for outcome in ("added", "removed", "renamed", "changed"):
        for card in getattr(changes, outcome):
            key = texts("diff.and").join(filter(None, (writer.code(card.citekey), card.lang)))
            name = f"{writer.plain(card.name)} ({key})"
            before = writer.code(card.before) if card.before else ""
            words = texts(f"diff.card.{outcome}", card=name, before=before)
            parts = part_words(card, writer, texts)
            yield texts("diff.card.parts", card=words, parts=parts) if parts else words


def part_words(card: CardChange, writer: Writer, texts: Texts) -> str:
    """In which of its parts a card differs."""
    named = [texts(f"diff.part.{part}") for part in card.parts]
    return texts("diff.and").join([*named, *(writer.plain(heading.rstrip(" :：")) for heading in card.sections)])


def verdict_lines(changes: Changes, writer: Writer, texts: Texts) -> Iterator[str]:
    """The figures that are judged otherwise, and how the new ones came out."""
    yield from (verdict_words(each, writer, texts) for each in changes.verdicts)
    if tally := tally_words(changes.figures, texts):
        yield texts("diff.figures", figures=tally)


def verdict_words(change: FigureChange, writer: Writer, texts: Texts) -> str:
    """What is judged otherwise, and how."""
    old, new = figure_words(change.before), figure_words(change.after)
    return texts(
        "diff.verdict",
        card=writer.code(change.citekey),
        row=writer.plain(change.label),
        figure=writer.plain(old if old == new else f"{old} → {new}"),
        metric=texts(f"diff.metric.{change.after.metric}"),
        before=judgement_words(change.before, writer, texts),
        after=judgement_words(change.after, writer, texts),
    )


def tally_words(verdicts: Iterable[Verdict], texts: Texts) -> str:
    """How many figures came out how, of those that a model can give."""
    counts = Counter(verdict.status for verdict in verdicts)
    names = {status: f"{MARKS[status]} {texts(f'verdict.{status}')}" for status in JUDGED if counts[status]}
    return texts("diff.and").join(
        texts("verdict.tally", name=name, count=counts[status]) for status, name in names.items()
    )


def figure_words(verdict: Verdict) -> str:
    """A figure as it is printed."""
    return f"{verdict.printed.printed} {verdict.printed.unit}".strip()


def judgement_words(verdict: Verdict, writer: Writer, texts: Texts) -> str:
    """A verdict with its mark, and what it rests on."""
    words = f"{MARKS[verdict.status]} {texts(f'verdict.{verdict.status}')}"
    if verdict.by_call:
        return f"{words} ({writer.code(verdict.by_call)})"
    counted = conventions_text(verdict, texts) if verdict.status == "agrees_counting" else ""
    return f"{words} ({counted})" if counted else words


def number_lines(changes: Changes, writer: Writer, texts: Texts) -> Iterator[str]:
    """The numbers that moved, call by call, and the calls that were or are no longer measured."""
    for call, moved in groupby(changes.moved, key=lambda each: each.call):
        numbers = texts("list.separator").join(move_words(each, texts) for each in moved)
        yield texts("diff.moved", call=writer.code(call), numbers=numbers)
    yield from (measured_words(each, writer, texts) for each in changes.measured)
    yield from (texts("diff.dropped", call=writer.code(call)) for call in changes.dropped)
    if changes.same:
        yield texts("diff.same", calls=texts("diff.and").join(writer.code(call) for call in changes.same))


def move_words(moved: Moved, texts: Texts) -> str:
    """MACs 300.8 M → 313.6 M, +4.3 %; every digit where fewer would show no difference."""
    before, after = (with_unit(number).strip() for number in (moved.before, moved.after))
    if before == after:
        before, after = f"{moved.before:,}", f"{moved.after:,}"
    change = difference(moved.after, Decimal(moved.before)) if moved.before else f"+{moved.after:,}"
    return f"{texts(f'diff.metric.{moved.metric}')} {before} → {after}, {change}"


def measured_words(found: Measurement, writer: Writer, texts: Texts) -> str:
    """A call that was not measured before, and what it gives."""
    params, macs = (with_unit(number).strip() for number in (found.params, found.macs))
    return texts("diff.measured", call=writer.code(found.call), params=params, macs=macs)


# -------------------------------------------------------------------------------------------- in Markdown, in text


def escaped(text: str) -> str:
    """Text on one line that Markdown takes for nothing but text."""
    return _SPECIAL.sub(lambda mark: f"\\{mark[0]}", text)


def code_span(text: str) -> str:
    """Text on one line as code, whatever backticks it holds."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def message(text: str) -> str:
    """A message on one line, what it speaks of as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without a partner
        return escaped(text)
    return "".join(code_span(part) if number % 2 else escaped(part) for number, part in enumerate(parts))


def one_line(write: Callable[[str], str]) -> Callable[[str], str]:
    """A way of writing, for texts that may hold anything."""
    return lambda text: write(shown(text))


IN_MARKDOWN = Writer(one_line(escaped), one_line(code_span), one_line(message))
IN_TEXT = Writer(shown, shown, shown)
