"""What an attentive colleague would say of cards: texts that were pasted, or are the template's, and odd figures."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from kb.base import Base
from kb.figures import number_in
from kb.heads import asked_for
from kb.judging import CONVENTIONS
from kb.kept import KeptCard
from kb.problems import problem
from kb.records import Card, Measurement, Place, Printed, Problem, Verdict
from kb.schema import Schema
from kb.tables import Row, tables

LONG = 64  # bytes from which a text is no phrase that anybody might write twice: some 21 Chinese characters

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_QUOTED = re.compile(r"\s*>\s*(.*\S)\s*")
_BRACES = re.compile(r"\{[^{}$]+\}")
_FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]")
_UNITS = {"M": 6, "G": 9, "K": 3, "T": 12, "": 0}
_CHINESE_UNITS = {"万": 4, "亿": 8}

# The readings of a column that show a factor of two, and what it then holds: in words, and by how much.
_MISNAMED = {
    "macs_as_flops": ("multiply-adds: FLOPs would be twice as many", "MACs"),
    "flops_as_macs": ("FLOPs: multiply-adds would be half as many", "FLOPs"),
}


class OwnText(NamedTuple):
    """A section that is its card's own: a digest of its text, and where it stands."""

    digest: str
    heading: str
    line: int


def repeated_texts(base: Base) -> Iterator[Problem]:
    """Sections with the text of another section: pasted, and forgotten. Versions in other languages share tables."""
    first: dict[str, tuple[Card, OwnText]] = {}
    for card in base.cards:
        kept = card.fact("texts") if isinstance(card, KeptCard) else own_texts(card, base.schema)
        for text in itertools.starmap(OwnText, kept):
            other, earlier = first.setdefault(text.digest, (card, text))
            if earlier is not text and (other is card or other.citekey != card.citekey):
                yield _repeated(card, text, other, earlier)


def own_texts(card: Card, schema: Schema) -> tuple[OwnText, ...]:
    """The long sections that are a card's own: lists of models, and sections of the author's, may well be equal."""
    expected = (each for each in card.sections if (known := schema.section(each.id)) and not known.optional)
    texts = ((section, _normal(section.markdown).encode()) for section in expected)
    return tuple(
        OwnText(hashlib.sha256(text).hexdigest()[:32], section.heading, section.line)
        for section, text in texts
        if len(text) >= LONG
    )


def _normal(markdown: str) -> str:
    """A text without what makes no difference: comments, spaces, case. What was pasted differs in nothing else."""
    text = _COMMENT.sub("", markdown) if "<!--" in markdown else markdown
    return "".join(text.split()).casefold()


def _repeated(card: Card, section: OwnText, other: Card, earlier: OwnText) -> Problem:
    where = "this card" if other is card else f"`{other.citekey}`"
    message = f"the section `{section.heading}` is, word for word, `{earlier.heading}` of {where}"
    hint = f"that one is at {other.path}:{earlier.line}; write this one anew, or link to it: `[[{other.citekey}]]`"
    return problem("K211", Place(card.path, section.line), message, hint)


def unfilled_lines(base: Base) -> Iterator[Problem]:
    """Lines of the template, with a place to fill in, that stand in cards which are no drafts any more."""
    of_sections = _lines_to_fill_in(base.schema.template)
    hint = "fill it in, or delete the line; `status: draft` in the front matter says that it is to come"
    for card in base.cards:
        if card.status != "draft":
            for number, line in _lines(card, with_sections=bool(of_sections)):
                if line.strip() in of_sections or _asks(line, card):
                    place = Place(card.path, number, line.index("{") + 1)
                    yield problem("K215", place, "a line of the template is still to be filled in", hint)


def _asks(line: str, card: Card) -> bool:
    """Whether a line of a card's blockquote is the template's; of a citation that is missing, K208 tells."""
    quoted = _QUOTED.fullmatch(line)
    field = asked_for(quoted[1]) if quoted else None
    may_be_citation = field in ("citation", "")
    return field is not None and (not may_be_citation or bool(card.citation.text or card.citation.title))


def _lines_to_fill_in(template: str) -> frozenset[str]:
    """The lines of a template's sections that have something in braces."""
    lines = (line.strip() for line in template.split("\n"))
    return frozenset(line for line in lines if _BRACES.search(line) and not line.startswith(("#", ">")))


def _lines(card: Card, *, with_sections: bool) -> Iterator[tuple[int, str]]:
    """The lines of a card's head, and those of its sections, with their numbers."""
    sections = card.sections if with_sections else ()
    for text, first_line in ((card.head, card.line), *((each.markdown, each.line + 1) for each in sections)):
        shown = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
        yield from enumerate(shown.split("\n"), first_line)


def meant_unit(verdict: Verdict, measured: Measurement | None) -> str | None:
    """The unit in which an unexplained figure would be what the model gives; None where there is none."""
    printed = verdict.printed
    digits = Decimal(number_in(printed) or 0)
    if measured is None or not digits or not printed.value:
        return None
    units = {**_UNITS, **_CHINESE_UNITS} if printed.unit in ("千", "百万", "千万", *_CHINESE_UNITS) else _UNITS
    scale = abs(printed.value) / digits
    found = (unit for unit, power in units.items() if _fits(printed, Decimal(10) ** power / scale, verdict, measured))
    return next(found, None)


def _fits(printed: Printed, factor: Decimal, verdict: Verdict, measured: Measurement) -> bool:
    """Whether a figure, so many times as great, is what the model gives in one of the ways to count."""
    if factor == 1:
        return False
    other = replace(printed, value=printed.value * factor, step=printed.step * factor)
    return any(convention.fits(other, measured) for convention in CONVENTIONS[verdict.metric])


def misnamed_columns(base: Base) -> Iterator[Problem]:
    """Columns of FLOPs that hold multiply-adds, or the other way round, as the factor of two shows."""
    for card in base.tested_cards:
        columns = dict(_misnamed(base.verdicts(card).values(), {row.line: row.table for row in card.results}))
        for header, source in _headers(card) if columns else ():
            for index, cell in enumerate(header.cells):
                if (header.line, index) in columns and not _spoken_of(cell, card):
                    column = max(source.find(cell, sum(map(len, header.cells[:index]))), 0) + 1
                    yield _misnaming(cell, columns[header.line, index], Place(card.path, header.line, column))


def _misnamed(verdicts: Iterable[Verdict], table_of: Mapping[int, int]) -> Iterator[tuple[tuple[int, int], str]]:
    """The columns, by the lines of their headers, whose every reading is one that shows the factor of two."""
    for verdict in verdicts:
        readings = {each.removesuffix("_truncated") for each in verdict.conventions}
        if verdict.status == "agrees_counting" and len(readings) == 1 and readings <= _MISNAMED.keys():
            yield (table_of[verdict.printed.line], verdict.printed.column), readings.pop()


def _headers(card: Card) -> Iterator[tuple[Row, str]]:
    """The header rows of a card's tables, with the lines they stand on."""
    texts = ((card.intro, card.intro_line), *((section.markdown, section.line + 1) for section in card.sections))
    for text, first_line in texts:
        lines = text.split("\n")
        for header, *_ in tables(text, first_line):
            yield header, lines[header.line - first_line]


def _spoken_of(cell: str, card: Card) -> bool:
    """Whether a footnote on the column's heading says what it holds."""
    return any(f"[^{label}]:" in card.definitions for label in _FOOTNOTE.findall(cell))


def _misnaming(cell: str, reading: str, place: Place) -> Problem:
    holds, name = _MISNAMED[reading]
    hint = f"head it `{name}`; if the paper says so, a footnote on the heading may say what is meant"
    return problem("K508", place, f"the column `{_FOOTNOTE.sub('', cell).strip()}` holds {holds}", hint)
