"""What is wrong with a knowledge base: a list of validations, each a function from a base to problems."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from urllib.parse import unquote, urlsplit

from kb.base import Base
from kb.bibliographic_checks import repeated_papers, two_spellings, unlisted_papers
from kb.calls import CallError, is_call, normalise
from kb.claims import Outcome, footnote, line_of
from kb.file_checks import hidden_letters, misleading_files
from kb.file_names import leads_out, same
from kb.kept import KeptNote, is_quiet
from kb.lints import meant_unit, misnamed_columns, repeated_texts, unfilled_lines
from kb.plain_records import from_plain
from kb.problems import in_order, problem
from kb.records import Card, Link, Place, Problem, ResultRow, Section, Severity, Verdict
from kb.runnables import unknown
from kb.schema import Schema, SchemaSection, normal_heading
from kb.silences import silenced
from kb.translations import disagreements

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:\s")
_MEANT = re.compile(r"#+\s|\*\*[^*]+\*\*[:：]?\s*$")  # a heading of another level, or a line in bold
_DRIVE = re.compile(r"[A-Za-z]:")
_REMOTE = frozenset({"http", "https", "data", "mailto", "ftp"})
_FILES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".pdf", ".mp4", ".canvas"})

_MISTYPED = 0.85  # likeness of a key to another from which on it is taken for a slip

Validation = Callable[[Base], Iterable[Problem]]


def check(base: Base) -> list[Problem]:
    """Every problem of a knowledge base that no comment silences, in the order of files and lines."""
    found = [*base.problems, *_own(base), *(each for validate in VALIDATIONS for each in validate(base))]
    return in_order(silenced(found, base.notes))


def own_problems(base: Base) -> tuple[Problem, ...]:
    """What is wrong with cards each by itself: nothing but their notes and the template decides it."""
    return tuple(each for validate in OWN_VALIDATIONS for each in validate(base))


def _own(base: Base) -> Iterator[Problem]:
    kept = [note for note in base.notes if isinstance(note, KeptNote)]
    if not kept:
        yield from own_problems(base)
    for note in kept:
        yield from from_plain(note.facts["found"])


def missing_sections(base: Base) -> Iterator[Problem]:
    """Sections that the template expects of a card's kind and that the card lacks."""
    for card in base.cards:
        there = {section.id for section in card.sections}
        for section in base.schema.sections:
            if section.id not in there and section.expected(card.kind):
                message = f"the card has no section `{_label(section, card)}`"
                hint = _missing_hint(section, card, base.schema)
                yield problem("K201", Place(card.path, card.line), message, hint, severity=_of_draft(card))


def empty_sections(base: Base) -> Iterator[Problem]:
    """Sections that the template expects of a card's kind and that hold nothing."""
    for card in base.cards:
        for section in card.sections:
            known = base.schema.section(section.id)
            if known and known.expected(card.kind) and not _content(section.markdown):
                place = Place(card.path, section.line)
                hint = (
                    "" if card.status == "draft" else "write it, or set `status: draft` in the front matter until then"
                )
                yield problem(
                    "K202", place, f"the section `{section.heading}` is empty", hint, severity=_of_draft(card)
                )


def repeated_sections(base: Base) -> Iterator[Problem]:
    """Sections that stand twice in one card."""
    for card in base.cards:
        first: dict[str, Section] = {}
        for section in card.sections:
            earlier = first.setdefault(section.id, section)
            if section.id and earlier is not section:
                message = f"the section `{section.heading}` is `{earlier.heading}` of line {earlier.line} again"
                yield problem(
                    "K210", Place(card.path, section.line), message, "join the two, or name one of them otherwise"
                )


def repeated_citekeys(base: Base) -> Iterator[Problem]:
    """Cards with one citekey and language, keys that differ by case or Unicode form alone, aliases that are keys."""
    first: dict[str, Card] = {}
    seen: set[tuple[str, str]] = set()
    for card in base.cards:
        earlier = first.setdefault(same(card.citekey), card)
        if earlier.citekey != card.citekey:
            message = f"`{card.citekey}` differs from `{earlier.citekey}` by case or Unicode form alone"
            yield problem("K206", key_place(card), message, f"that one is at {earlier.path}:{earlier.line}")
        elif (card.citekey, card.lang) in seen:
            message = f"there is a card `{card.citekey}` already"
            hint = f"it is at {earlier.path}:{earlier.line}; give this one another key, or another `lang`"
            yield problem("K206", key_place(card), message, hint)
        seen.add((card.citekey, card.lang))
    for card in base.cards:
        for alias in card.aliases:
            other = first.get(same(alias), card)
            if other.citekey != card.citekey:
                message = f"the alias `{alias}` is the citekey of another card"
                yield problem("K206", Place(card.path, card.line), message, f"it is at {other.path}:{other.line}")


def other_years(base: Base) -> Iterator[Problem]:
    """Citekeys whose year is not the citation's."""
    for card in base.cards:
        found = base.schema.match_citekey(card.citekey)
        year = found.groupdict().get("year") if found else None
        if year and card.citation.year and int(year) != card.citation.year:
            message = f"the citekey says {year}, the citation {card.citation.year}"
            yield problem("K207", key_place(card), message, "correct one of the two")


def missing_citations(base: Base) -> Iterator[Problem]:
    """Cards without a citation; a note's front matter that cannot be read may hold that of its card."""
    alone = {note.path for note in base.notes if len(note.cards) == 1}
    unread = {found.place.path for found in base.problems if found.code == "K103"} & alone
    for card in base.cards:
        if not card.citation.text and not card.citation.title and card.path not in unread:
            hint = "write it in the blockquote below the heading: `> Howard A., et al. Title, CVPR 2018`"
            place = Place(card.path, card.line)
            yield problem("K208", place, "the card has no citation", hint, severity=_of_draft(card))


def broken_links(base: Base) -> Iterator[Problem]:
    """Links to cards and notes that are not there."""
    for card in base.cards:
        for link in card.references:
            if link.kind == "wiki" and not _is_file(link.target):
                yield from _wiki_problems(link, card, base)
            elif link.kind == "link" and urlsplit(link.target).path.lower().endswith(".md"):
                yield from _file_problems(link, "K303", "there is no note", card, base)


def old_keys(base: Base) -> Iterator[Problem]:
    """Links to cards by keys that they had before: an alias that has the form of a citekey is one."""
    for card in base.cards:
        for link in card.references:
            name = link.target.partition("#")[0].strip()
            found = base.resolve(name, card.lang) if link.kind == "wiki" and base.schema.match_citekey(name) else None
            if found and same(found.citekey) != same(name) and _is_alias(name, found):
                place = Place(card.path, link.line, link.column)
                message = f"`{name}` is an old key of `{found.citekey}`"
                yield problem("K306", place, message, f"write `[[{found.citekey}]]`; the old key leads there, too")


def broken_images(base: Base) -> Iterator[Problem]:
    """Images that are not there, or that lie outside the knowledge base; figures that nothing makes."""
    for card in base.cards:
        for link in card.references:
            name = base.figure_named(card, link.target) if link.kind == "image" else None
            if name is not None and name not in base.runnables:
                yield unknown(name, base.runnables, Place(card.path, link.line, link.column))
            elif name is None and link.kind == "image":
                yield from _file_problems(link, "K304", "there is no image", card, base)


def bad_calls(base: Base) -> Iterator[Problem]:
    """Calls that name no model, or that give it arguments which it does not have."""
    for note in base.notes:
        for card in itertools.filterfalse(
            is_quiet, note.cards
        ):  # as written: in `base.cards` they are in normal form, or gone
            for model in card.models:
                yield from _call_problems(model.call, Place(card.path, model.line, model.column), base)
            for row in card.results:
                yield from _row_problems(row, card, base)


def unexplained_figures(base: Base) -> Iterator[Problem]:
    """Printed figures that the model does not give under any convention that their column fits."""
    for card in base.tested_cards:
        rows = {row.line: row for row in card.results}
        for verdict in base.verdicts(card).values():
            if verdict.status == "unexplained":
                yield _unexplained(verdict, rows[verdict.printed.line], card, base)


def failed_claims(base: Base) -> Iterator[Problem]:
    """Claims that do not hold, and expressions that cannot be read or computed."""
    for card in base.tested_cards:
        for outcome in base.claims(card):
            if outcome.error:
                error = outcome.error
                yield problem(error.code, _in_claim(outcome, error.at, card), error.message, error.hint)
            elif outcome.status == "fails":
                yield _failure(outcome, card)


OWN_VALIDATIONS: Sequence[Validation] = (
    missing_sections,
    empty_sections,
    repeated_sections,
    other_years,
    missing_citations,
    unfilled_lines,
)
VALIDATIONS: Sequence[Validation] = (
    misleading_files,
    repeated_citekeys,
    unlisted_papers,
    repeated_papers,
    two_spellings,
    broken_links,
    old_keys,
    broken_images,
    hidden_letters,
    bad_calls,
    repeated_texts,
    unexplained_figures,
    misnamed_columns,
    failed_claims,
    disagreements,
)


def _of_draft(card: Card) -> Severity | None:
    """A draft's gaps are warnings: it is made to have them."""
    return "warning" if card.status == "draft" else None


def _label(section: SchemaSection, card: Card) -> str:
    return section.labels.get(card.lang) or section.headings[0]


def _missing_hint(section: SchemaSection, card: Card, schema: Schema) -> str:
    """What to write; or which of the card's headings may be meant."""
    unknown = {normal_heading(each.heading): each for each in card.sections if not each.id}
    for accepted in section.headings:
        for close in get_close_matches(normal_heading(accepted), unknown, n=1, cutoff=0.75):
            meant = unknown[close]
            return f"is it `{meant.heading}` of line {meant.line}? Write `{accepted}`, or add that to the template"
    for text, first_line in _texts(card):
        for number, line in enumerate(text.split("\n"), first_line):
            if _MEANT.match(line) and schema.section_id(line.strip("#* \t")) == section.id:
                return f"is it line {number}, `{line.strip()}`? Make it a heading of the level of the others"
    level = next((each.head.split(" ")[0] for each in card.sections if each.head.startswith("#")), "####")
    return f"write `{level} {_label(section, card)}`"


def _content(markdown: str) -> str:
    """What is left of a section's source without comments, definitions, rules and blank lines."""
    lines = _COMMENT.sub("", markdown).splitlines()
    return "".join(line for line in lines if line.strip(" \t-*_>") and not _DEFINITION.match(line))


def key_place(card: Card) -> Place:
    """Where a card's citekey stands in its heading."""
    column = card.head.partition("\n")[0].rfind(card.citekey)
    return Place(card.path, card.line, max(column, 0) + 1)


def _texts(card: Card) -> Iterator[tuple[str, int]]:
    yield card.intro, card.intro_line
    yield from ((section.markdown, section.line + 1) for section in card.sections)


def _is_alias(name: str, card: Card) -> bool:
    return same(name) in map(same, card.aliases)


def _is_file(target: str) -> bool:
    """Whether a wiki link names a file that is no note: `![[figure.png]]`."""
    return posixpath.splitext(target)[1].lower() in _FILES


def _wiki_problems(link: Link, card: Card, base: Base) -> Iterator[Problem]:
    name = link.target.partition("#")[0].strip()
    if not name or base.resolve(name, card.lang) or beside(card, name) in _paths(base):
        return
    place = Place(card.path, link.line, link.column)
    close = get_close_matches(name, base.known_names, n=1)
    meant = f"did you mean `[[{base.known_names[close[0]]}]]`?" if close else ""
    if base.planned(name) and not _is_mistyped(name, base):
        hint = "the link leads to the page of papers to be read, until there is one"
        yield problem("K303", place, f"`[[{name}]]` has no card yet", hint, severity="note")
    else:
        hint = meant or "a link names a card's citekey, name or alias"
        yield problem("K303", place, f"`[[{name}]]` leads to no card", hint)


def _is_mistyped(name: str, base: Base) -> bool:
    """Whether a key is so like another that it is taken for a slip, unless a card lists it to be read."""
    close = get_close_matches(name, base.known_names, n=1, cutoff=_MISTYPED)
    return bool(close) and name not in base.declared


def _paths(base: Base) -> set[str]:
    return {note.path for note in base.notes}


def beside(card: Card, target: str) -> str:
    """A target relative to a card's note, as a path from the root; `../…` for one that leads out of it."""
    path = unquote(target).replace("\\", "/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(card.path), path))


def _file_problems(link: Link, code: str, message: str, card: Card, base: Base) -> Iterator[Problem]:
    """A local file that a link or an image needs and that is not there."""
    place = Place(card.path, link.line, link.column)
    parts = urlsplit(link.target)
    if parts.scheme in _REMOTE or parts.netloc or not parts.path:
        return
    path = beside(card, parts.path)
    if _leads_out(path, base):
        hint = "copy the file into the folder of the note, and name it relative to the note"
        yield problem("K305", place, f"`{link.target}` leads out of the knowledge base", hint)
    elif not (base.settings.root / path).is_file():
        yield problem(code, place, f"{message} `{path}`", _file_hint(path, base))


def _leads_out(path: str, base: Base) -> bool:
    outside = path.startswith(("../", "/")) or path == ".." or _DRIVE.match(path)
    return bool(outside) or leads_out(base.settings.root / path, base.settings.root)


def _file_hint(path: str, base: Base) -> str:
    """The nearest file in the folder where one is missing."""
    folder = base.settings.root / posixpath.dirname(path)
    names = {each.stem: each.name for each in sorted(folder.iterdir())} if folder.is_dir() else {}
    stem, _ = posixpath.splitext(posixpath.basename(path))  # endings alike make no two names alike
    close = get_close_matches(stem, names, n=1)
    return f"did you mean `{names[close[0]]}`?" if close else "put it there, relative to the note"


def _call_problems(call: str, place: Place, base: Base) -> Iterator[Problem]:
    try:
        normalise(call, base.factories, base.settings.packages)
    except CallError as error:
        yield problem(error.code, place, error.message, error.hint)


def _row_problems(row: ResultRow, card: Card, base: Base) -> Iterator[Problem]:
    """Calls in a row's code spans and footnotes; a call that a label stands for is checked where that is written."""
    if row.call and row.call not in {model.call for model in card.models}:
        yield from _call_problems(row.call, _in_row(row.call, row, card), base)
    for name, spans in row.footnote_calls.items():
        for span in spans:
            if is_call(span, base.factories) or _is_nearly_call(span, base):
                yield from _call_problems(span, _in_row(f"[^{name}]", row, card), base)


def _is_nearly_call(span: str, base: Base) -> bool:
    """Whether a code span in a footnote is meant for one of the models: footnotes hold other code, too."""
    return is_call(span) and bool(get_close_matches(span.partition("(")[0], base.factories, n=1, cutoff=0.8))


def _in_row(text: str, row: ResultRow, card: Card) -> Place:
    """Where a text stands in a row of a table; the row's beginning where it is written otherwise."""
    return Place(card.path, row.line, max(line_of(card, row.line).find(text), 0) + 1)


def _in_claim(outcome: Outcome, at: int, card: Card) -> Place:
    """Where a part of an expression stands; the code span's beginning where that runs over several lines."""
    claim = outcome.claim
    start = line_of(card, claim.line).find(claim.source, claim.column - 1)
    return Place(card.path, claim.line, claim.column if start < 0 else start + at + 1)


def _failure(outcome: Outcome, card: Card) -> Problem:
    """What to say of a claim that does not hold; a footnote on it makes it a note, as on an unexplained figure."""
    compared = f", compared with {' and '.join(outcome.bounds)}" if outcome.bounds else ""
    message = f"the claim `{outcome.text}` does not hold: the value is {outcome.shown}{compared}"
    place = _in_claim(outcome, 0, card)
    if footnote(outcome.claim, card):
        return problem("K503", place, message, "the card's footnote speaks of it", severity="note")
    hint = "correct the claim or the model, or give it a footnote; a value alone is shown by `kb= …`"
    return problem("K503", place, message, hint)


def _unexplained(verdict: Verdict, row: ResultRow, card: Card, base: Base) -> Problem:
    printed = f"{verdict.printed.printed} {verdict.printed.unit}".strip()
    counted = f"{verdict.counted:,}" if verdict.counted is not None else "nothing"
    counted += ", counted as its column is" if verdict.counted != verdict.measured else ""
    names = {"params": "params", "macs": "MACs", "flops": "FLOPs"}
    figure = f"{printed} {names.get(verdict.metric, verdict.metric)}"
    message = f"{row.label}: {figure} printed, and `{verdict.call}` gives {counted}"
    place = _in_row(verdict.printed.printed, row, card)
    if _spoken_of(verdict, row, card):
        return problem("K501", place, message, "the card's footnote speaks of it", severity="note")
    unit = meant_unit(verdict, base.lock.get(verdict.call))
    if unit is not None:
        number = verdict.printed.printed
        hint = f"is the unit `{unit}`? {number} {unit} would agree" if unit else f"is it {number}, without a unit?"
        return problem("K507", place, message, hint)
    hint = "give it a footnote: a call that gives the printed digits settles it, words make it a note"
    return problem("K501", place, message, hint)


def _spoken_of(verdict: Verdict, row: ResultRow, card: Card) -> bool:
    """Whether a footnote on the figure says in words what is known of it: a call that fails to settle it is none."""
    labels = verdict.printed.footnotes
    if any(is_call(span) for label in labels for span in row.footnote_calls.get(label, ())):
        return False
    return any(f"[^{label}]:" in card.definitions for label in labels)
