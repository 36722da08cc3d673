"""What a note says, whatever the way it is written: two texts that say the same give the same cards and pages.

`same` is what must hold for a tidying: the data of every card are equal but for lines, and so is the HTML of its body.
Heads are compared by what their characters mean: a full-width colon is a colon, an invisible character is nothing.
`no_less` is what must hold for a repair, by which kb comes to read what it did not: nothing that was read goes, and no
word is lost.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from kb.bodies import BodyContext, render
from kb.encoding import split_lines, without_marks
from kb.line_renderer import slug_of
from kb.markdown import definitions, plain_text
from kb.markdown_rules.callouts import CONTENTS
from kb.notes import parse_note
from kb.plain_yaml import front_matter
from kb.records import Card, Link, Note
from kb.schema import Schema
from kb.serialise import card_data
from kb.settings import Settings

Target = Callable[[str], str]

_BODY = ("intro", "sections", "equations", "models", "results", "claims")
_STOPS = re.compile("([，；：])")
_TOC = re.compile(rf"^[ \t]*(?:{CONTENTS.pattern})[ \t]*$", re.IGNORECASE | re.MULTILINE)
_MARKS = re.compile(r"[\s#]+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a note says: its cards as data and HTML, what stands in none, its problems, and all of its words."""

    cards: tuple[Mapping[str, object], ...]
    keys: tuple[str, ...]  # as they are read: heads in plain characters may open other cards
    sections: tuple[str, ...]
    rest: tuple[str, ...]
    problems: Counter[str]
    words: str


def meaning(text: str, path: str, schema: Schema, settings: Settings, target: Target | None = None) -> Meaning:
    """The meaning of a note's text; `target` says what a link's target stands for."""
    note = parse_note(text, path, schema, settings)
    read = parse_note(_with_plain_heads(text, note), path, schema, settings)
    return Meaning(
        cards=tuple(_said(card, target or plain) for card in read.cards),
        keys=tuple(plain(card.citekey) for card in note.cards),
        sections=tuple(section.id for card in note.cards for section in card.sections),
        rest=tuple(_rest(text, note, target or plain)),
        problems=Counter(found.code for found in note.problems),
        words=_words(text),
    )


def same(before: Meaning, after: Meaning) -> bool:
    """Whether nothing has changed but the way in which it is written."""
    as_before = before.cards == after.cards and before.sections == after.sections and before.rest == after.rest
    return as_before and after.problems <= before.problems


def no_less(before: Meaning, after: Meaning) -> bool:
    """Whether every word, card, field and section that there was is there still, in its order."""
    remaining = iter(after.cards)
    kept = all(any(_holds(later, card) for later in remaining) for card in before.cards)
    in_order = _in_order(before.keys, after.keys) and _in_order(before.sections, after.sections)
    return kept and in_order and before.words == after.words


def _in_order(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """Whether one sequence is what is left of another when some of its items are taken out."""
    remaining = iter(found)
    return all(each in remaining for each in wanted)


def plain(text: str) -> str:
    """A text by what its characters mean: full width is no other letter, and what cannot be seen is nothing."""
    seen = "".join(letter for letter in text if letter in "\t\n" or unicodedata.category(letter) not in ("Cf", "Cc"))
    return re.sub(r"[ \t]+", " ", unicodedata.normalize("NFKC", _STOPS.sub(r"\1 ", seen)))


def _with_plain_heads(text: str, note: Note) -> str:
    """The note with the heading and the blockquote of each card by what their characters mean."""
    lines = split_lines(without_marks(text))
    for card in note.cards:
        for number in range(card.line - 1, card.line - 1 + len(split_lines(card.head))):
            lines[number] = plain(lines[number])
    return "".join(lines)


def _said(card: Card, target: Target) -> dict[str, object]:
    """A card's data without its lines; Markdown as HTML."""
    html = partial(_html, card=card, target=target)
    data = _without_lines({key: value for key, value in card_data(card).items() if key != "source"})
    assert isinstance(data, dict)
    sections = [
        (each.id, slug_of(plain(plain_text(each.heading))), html(each.markdown, each.line + 1))
        for each in card.sections
    ]
    return {**data, "intro": html(card.intro, card.intro_line), "sections": sections}


def _without_lines(data: object) -> object:
    if isinstance(data, dict):
        return {key: _without_lines(value) for key, value in data.items() if key != "line"}
    return [_without_lines(each) for each in data] if isinstance(data, list) else data


def _html(markdown: str, first_line: int, card: Card, target: Target) -> str:
    return render(markdown, _context(first_line, card.definitions, target))


def _context(first_line: int, definitions: str, target: Target) -> BodyContext:
    """A page on which every link leads somewhere that tells it from others."""

    def resolve(link: Link) -> str:
        return f"/{link.kind}/{quote(target(link.target))}"

    return BodyContext(first_line, definitions, "", resolve, name=target)


def _rest(text: str, note: Note, target: Target) -> Iterator[str]:
    """What stands in no card: front matter, definitions, and the HTML of all else."""
    _, front = front_matter(without_marks(text))
    yield "".join(split_lines(without_marks(text))[:front])
    yield from (target(f"{label} {source}") for label, source in definitions(text).items())
    html = ""
    for each in note.slices:
        if each.kind != "card":
            lines = split_lines(without_marks(each.text))
            skipped = max(0, front - each.line + 1)
            html += render("".join(lines[skipped:]), _context(1, "", target))
    yield html


def _words(text: str) -> str:
    """The characters of a text, but for spaces, the marks of headings, and lines that are `[toc]`."""
    return _MARKS.sub("", plain(_TOC.sub("", without_marks(text))))


def _holds(later: Mapping[str, object], card: Mapping[str, object]) -> bool:
    """Whether a card says all in its head that another one says."""
    told = {key: value for key, value in card.items() if key not in _BODY and value}
    return all(_letters(later[key]) == _letters(value) for key, value in told.items())


def _letters(value: object) -> str:
    return re.sub(r"[\W_]+", "", plain(str(value)))
