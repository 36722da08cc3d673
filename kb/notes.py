"""Notes: Markdown files, and the cards read from them."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from kb.encoding import read_text
from kb.expressions import MARKS
from kb.file_names import leads_out
from kb.heads import (
    LINKS,
    Head,
    hidden_letters,
    key_problems,
    kind_problem,
    links_in,
    name_problems,
    read_front_matter,
    read_heading,
    read_quote,
)
from kb.markdown import code_spans, equations, links, math_problems
from kb.problems import problem
from kb.prose import prose
from kb.records import Card, Citation, Claim, Note, Place, Problem, Section
from kb.schema import Schema
from kb.settings import Settings
from kb.slicing import Block, CardRange, Reading, card_end, card_ranges, quote_lines, slices
from kb.tables import Part, model_references, results

_LANGUAGE_ENDING = re.compile(r"\.(en|zh)\.md$", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]", re.DOTALL)
_VENUE_YEAR = re.compile(r"(?P<venue>.*\S)[\s,]+(?P<year>(?:19|20)\d\d)")

Texts = Sequence[tuple[str, int]]  # Markdown source and the line it begins on


def note_paths(root: Path, folder: str) -> list[str]:
    """The notes below a folder of the root, relative to the root; hidden files and folders hold none.

    Links to what is not in the root, and to folders, are left out: `check` reports them.
    """
    if leads_out(root / folder, root):
        return []
    found: list[str] = []
    for parent, folders, names in os.walk(root / folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        notes = [os.path.join(parent, name) for name in names if name.endswith(".md") and not name.startswith(".")]
        found += (Path(note).relative_to(root).as_posix() for note in notes if not _is_astray(note, root))
    return sorted(found)


def _is_astray(path: str, root: Path) -> bool:
    return os.path.islink(path) and (leads_out(Path(path), root) or os.path.isdir(path))


def read_note(root: Path, path: str, schema: Schema, settings: Settings, *, with_prose: bool = True) -> Note:
    """The note in a file; `path` is relative to the root. Only pages need the prose of its cards."""
    text = read_text(root, path, settings.limits.note)
    if isinstance(text, Problem):
        return Note(path, (), (), (text,))
    return parse_note(text, path, schema, settings, with_prose=with_prose)


def parse_note(text: str, path: str, schema: Schema, settings: Settings, *, with_prose: bool = True) -> Note:
    """The note in a text: its slices, its cards, and what is wrong with it as far as the text alone tells."""
    reading = Reading.of(text, path, schema, settings.limits)
    ranges = tuple(card_ranges(reading))
    above = read_front_matter(reading.front_matter, path, one_card=sum(not each.template for each in ranges) < 2)
    read = [_card(each, above, reading, settings, with_prose=with_prose) for each in ranges if not each.template]
    problems = [
        *reading.problems,
        *above.problems,
        *hidden_letters(above),
        *(found for _, of_card in read for found in of_card),
    ]
    if not ranges:
        hint = "a card begins with `### NAME: KEY` and a blockquote of kind and citation"
        problems.append(problem("K209", Place(path), "no heading in the note opens a card", hint))
    return Note(path, tuple(slices(ranges, reading)), tuple(card for card, _ in read), tuple(problems))


def _card(
    each: CardRange, above: Head, reading: Reading, settings: Settings, *, with_prose: bool
) -> tuple[Card, list[Problem]]:
    name, key = read_heading(each.heading.text, reading.schema)
    quote = read_quote(quote_lines(each.quote, reading), reading.schema) if each.quote else Head()
    fields = _Fields(quote, above)
    end = card_end(each, reading)
    head_end = each.quote.end if each.quote else each.heading.end
    headings = tuple(section_headings_of(each, reading))
    intro = reading.body(head_end, headings[0].line if headings else end)
    sections = tuple(_sections(headings, end, reading))
    known = reading.definitions(head_end, end)
    texts = ((intro, head_end + 1), *((section.markdown, section.line + 1) for section in sections))
    models = tuple(model_references(sections))
    parts = [Part("", intro, head_end + 1), *(Part(each.id, each.markdown, each.line + 1) for each in sections)]
    rows, row_problems = results(parts, models, known, reading.path)
    used = used_definitions("".join(text for text, _ in texts), known)
    kind, kind_problems = _kind(fields, reading)
    citation = fields.citation()
    card = Card(
        citekey=key,
        lang=fields.text("lang") or _file_language(reading.path) or settings.language,
        name=fields.text("name") or name,
        kind=kind,
        citation=citation,
        tags=fields.joined("tags"),
        aliases=fields.joined("aliases"),
        links=fields.links(),
        date=fields.text("date"),
        updated=fields.text("updated"),
        status=fields.text("status"),
        publish=fields.get("publish") is not False,
        extra={**above.extra, **quote.extra},
        path=reading.path,
        line=each.heading.line + 1,
        end_line=end,
        head=reading.text(each.heading.line, head_end),
        intro=intro,
        sections=sections,
        equations=tuple(equation for text, line in texts for equation in equations(text, line)),
        models=models,
        results=rows,
        claims=tuple(_claims(texts)),
        definitions=used,
        intro_line=head_end + 1,
        references=tuple(link for text, line in texts for link in links(text, line)),
        prose=prose(texts[0], sections, used) if with_prose else (),
    )
    return card, [
        *key_problems(key, _key_place(key, each.heading, reading), citation, reading.schema),
        *name_problems(name, Place(reading.path, each.heading.line + 1)),
        *quote.problems,
        *hidden_letters(quote),
        *kind_problems,
        *row_problems,
        *(found for text, line in texts for found in math_problems(text, reading.path, line)),
    ]


@dataclass(frozen=True, slots=True)
class _Fields:
    """What blockquote and front matter say of a card; the blockquote, being nearer, goes first."""

    quote: Head
    above: Head

    def get(self, name: str) -> object:
        return self.quote.fields.get(name, self.above.fields.get(name))

    def text(self, name: str) -> str:
        return str(self.get(name) or "")

    def place(self, name: str) -> Place | None:
        return self.quote.places.get(name) or self.above.places.get(name)

    def joined(self, name: str) -> tuple[str, ...]:
        both = (head.fields.get(name, ()) for head in (self.above, self.quote))
        return tuple(dict.fromkeys(item for items in both if isinstance(items, tuple) for item in items))

    def links(self) -> dict[str, str]:
        given = {name: self.text(name) for name in LINKS}
        printed = dict(links_in(self.text("citation")))
        return {name: link for name in LINKS if (link := given[name] or printed.get(name, ""))}

    def citation(self) -> Citation:
        """The citation, with what the card says outright in place of what was read from it."""
        read = _read_citation(self.text("citation"))
        venue = _VENUE_YEAR.fullmatch(self.text("venue"))
        year = self.get("year") or (int(venue["year"]) if venue else None)
        authors = self.get("authors")
        return replace(
            read,
            title=self.text("title") or read.title,
            authors=authors if isinstance(authors, tuple) else read.authors,
            et_al=read.et_al and not authors,
            venue=venue["venue"] if venue else self.text("venue") or read.venue,
            year=year if isinstance(year, int) else read.year,
        )


def _read_citation(text: str) -> Citation:
    if not text:
        return Citation("")
    from kb.citation import read_citation  # takes a while, and a new card has none

    return read_citation(text)


def _key_place(key: str, heading: Block, reading: Reading) -> Place:
    column = reading.lines[heading.line].rfind(key)
    return Place(reading.path, heading.line + 1, max(column, 0) + 1)


def _kind(fields: _Fields, reading: Reading) -> tuple[str, list[Problem]]:
    text, place = fields.text("kind"), fields.place("kind")
    kind = reading.schema.kind_id(text) if text else ""
    return kind, [kind_problem(text, place, reading.schema)] if text and place and not kind else []


def _file_language(path: str) -> str:
    found = _LANGUAGE_ENDING.search(path)
    return found[1].lower() if found else ""


def section_headings_of(card: CardRange, reading: Reading) -> Iterator[Block]:
    """The headings that open a card's sections: those at the level of the schema's, or above it."""
    start, end = (card.quote or card.heading).end, card_end(card, reading)
    first, last = (bisect_left(reading.blocks, line, key=attrgetter("line")) for line in (start, end))
    below = [block for block in reading.blocks[first:last] if block.type == "heading"]
    levels = [block.level for block in below if reading.schema.section_id(block.text)]
    level = min(levels or [block.level for block in below], default=0)
    return (block for block in below if block.level <= level)


def _sections(headings: Sequence[Block], end: int, reading: Reading) -> Iterator[Section]:
    for block, stop in zip(headings, [*(later.line for later in headings[1:]), end], strict=False):
        yield Section(
            id=reading.schema.section_id(block.text),
            heading=block.text,
            line=block.line + 1,
            markdown=reading.body(block.end, stop),
            head=reading.text(block.line, block.end),
        )


def _claims(texts: Texts) -> Iterator[Claim]:
    for text, first_line in texts:
        for content, line, column in code_spans(text, first_line):
            if content.startswith(MARKS):
                yield Claim(content, line, column)


def used_definitions(text: str, known: Mapping[str, str]) -> str:
    """The link and footnote definitions that a text refers to, also by way of each other, in the order of labels."""
    if not known:
        return ""
    spelt: dict[str, list[str]] = {}
    for label in known:
        spelt.setdefault(label.casefold(), []).append(label)
    used: dict[str, str] = {}
    texts = [text]
    while texts:
        for found in _IN_BRACKETS.findall(texts.pop().casefold()):
            fresh = {label: known[label] for label in spelt.pop(found, ())}
            used |= fresh
            texts += (source.partition("]:")[2] for source in fresh.values())
    return "".join(f"{used[label].rstrip()}\n" for label in sorted(used))
