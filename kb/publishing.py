"""What the public may read of a knowledge base: without cards and sections that are marked `publish: false`.

Everything that is published is made from the base that `public` returns: what stands in no card of it cannot get out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from operator import is_
from typing import Protocol, TypeVar

from kb.base import Base
from kb.kept import KeptCard
from kb.markdown import definition_spans, definitions, headings
from kb.notes import used_definitions
from kb.prose import prose
from kb.records import Card, ModelRef, ResultRow, Section
from kb.schema import Schema
from kb.tables import normal_label


class _OnLine(Protocol):
    @property
    def line(self) -> int: ...


Found = TypeVar("Found", bound=_OnLine)


def public(base: Base) -> Base:
    """The base as the public may read it: its notes, which hold all texts as they were written, are left out."""
    return _holding(base, [card for card in base.cards if card.publish])


def with_public_cards(base: Base) -> Base:
    """The base with each of its cards as the public may read it, those too that are not published as a whole."""
    return _holding(base, base.cards)


def _holding(base: Base, chosen: Sequence[Card]) -> Base:
    cards = tuple(public_card(card, base.schema) for card in chosen)
    if len(cards) == len(base.cards) and all(map(is_, cards, base.cards)):
        return base
    return replace(base, cards=cards, notes=(), problems=())


def public_card(card: Card, schema: Schema) -> Card:
    """The card without its private sections, and without all that was read from them."""
    if isinstance(card, KeptCard):
        return card.public
    hidden = frozenset(_hidden_lines(card, schema))
    if not hidden:
        return card
    intro = _blanked(card.intro, card.intro_line, hidden)
    sections = tuple(_public(each, hidden) for each in card.sections if each.line not in hidden)
    models = _public_of(card.models, hidden)
    used = used_definitions(_text(intro, sections), definitions(card.definitions))
    return replace(
        card,
        end_line=max(line for line in range(card.line, card.end_line + 1) if line not in hidden),
        intro=intro,
        sections=sections,
        equations=_public_of(card.equations, hidden),
        models=models,
        results=tuple(_untied(_public_of(card.results, hidden), set(card.models) - set(models))),
        claims=_public_of(card.claims, hidden),
        references=_public_of(card.references, hidden),
        definitions=used,
        prose=prose((intro, card.intro_line), sections, used) if card.prose else (),
    )


def _hidden_lines(card: Card, schema: Schema) -> Iterator[int]:
    """The lines of private sections, of subsections that have a private section's heading, and of their footnotes."""
    private = [_lines(section) for section in card.sections if section.id in schema.private]
    texts = [(card.intro, card.intro_line)]
    texts += [(each.markdown, each.line + 1) for each in card.sections if each.id not in schema.private]
    below = (lines for text, first_line in texts for lines in _private_below(text, first_line, schema))
    hidden = frozenset(line for lines in (*private, *below) for line in lines)
    yield from hidden
    if hidden:
        yield from _footnotes(card, texts, hidden)


def _lines(section: Section) -> range:
    return range(section.line, section.line + 1 + len(section.markdown.splitlines()))


def _private_below(text: str, first_line: int, schema: Schema) -> Iterator[range]:
    """The lines under headings that name a private section, at whatever level they were written."""
    if "#" in text and schema.private and _named_private(schema).search(text):
        for heading in headings(text):
            if schema.section_id(heading.text) in schema.private:
                end = min(heading.end_line, len(text.splitlines()))  # the last ends with its text
                yield range(first_line + heading.line, first_line + end)


@lru_cache(maxsize=8)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(r"\s*".join(map(re.escape, name.split())) for name in names), re.IGNORECASE)


def _named_private(schema: Schema) -> re.Pattern[str]:
    """What a text must hold to be looked at more closely: most do not."""
    names = (name for section in schema.sections if not section.publish for name in section.headings)
    return _pattern(tuple(names))


def _footnotes(card: Card, texts: Iterable[tuple[str, int]], hidden: Set[int]) -> Iterator[int]:
    """The lines, in public texts, of definitions that private ones alone refer to."""
    known = definitions(card.definitions)
    read = "".join(_without_definitions(_blanked(text, first_line, hidden)) for text, first_line in texts)
    used = definitions(used_definitions(read, known))
    for text, first_line in texts:
        for label, (first, end) in definition_spans(text).items() if "]:" in text else ():
            if label in known and label not in used:
                yield from range(first_line + first, first_line + end)


def _without_definitions(text: str) -> str:
    lines = text.split("\n")
    spans = definition_spans(text).values() if "]:" in text else ()
    within = {number for first, end in spans for number in range(first, end)}
    return "\n".join(line for number, line in enumerate(lines) if number not in within)


def _public(section: Section, hidden: Set[int]) -> Section:
    return replace(section, markdown=_blanked(section.markdown, section.line + 1, hidden))


def _blanked(text: str, first_line: int, hidden: Set[int]) -> str:
    """The text with nothing on its hidden lines: all others keep their numbers."""
    lines = text.split("\n")
    return "\n".join("" if number in hidden else line for number, line in enumerate(lines, first_line))


def _public_of(found: Iterable[Found], hidden: Set[int]) -> tuple[Found, ...]:
    return tuple(each for each in found if each.line not in hidden)


def _untied(rows: Iterable[ResultRow], private: Set[ModelRef]) -> Iterator[ResultRow]:
    """The rows; those that a private list of models ties to one are tied to none."""
    labels = {normal_label(model.label) for model in private if model.label}
    for row in rows:
        yield replace(row, call="") if normal_label(row.label) in labels else row


def _text(intro: str, sections: Iterable[Section]) -> str:
    return "".join([intro, *(section.markdown for section in sections)])
