"""Notes about one paper each, in a form of their author's own, taken apart: headings, sections, fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it.token import Token

from kb.authors import split_authors, surname_first
from kb.bibliography.fields import arxiv_in, doi_in, year_in
from kb.bibliography.records import Author, Entry
from kb.citation import read_citation
from kb.encoding import without_marks
from kb.heads import known_pair, opens_card, pair, read_field
from kb.importers.composing import named
from kb.importers.mapping import ABOVE, FILE_NAME, FIRST_HEADING, NoteMapping
from kb.importers.obsidian import plain_lines, unlinked
from kb.importers.records import Source
from kb.importers.tidying import Tidied, tidy
from kb.markdown import parser, plain_text
from kb.plain_yaml import PlainMapping, front_matter, load_plain
from kb.problems import problem
from kb.records import Place, Problem
from kb.schema import Schema, normal_heading

_VENUE_YEAR = re.compile(r"(?P<venue>.*?\S)[\s,，]*['’]?(?P<year>(?:19|20)\d\d)")
_ARXIV = re.compile(r"arxiv\.org/(?:abs|pdf)/|arxiv:", re.IGNORECASE)
QUOTE = re.compile(r" {0,3}>[ \t]?")
_LONGEST_NAME = 48  # characters of what stands before a title's colon, to be the name of a paper's subject


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a note: its line among the tidied ones, from 0."""

    line: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a note, to the next one. `meaning` is a section's id, LEAVE_OUT, or "" for one of its own."""

    heading: Heading
    end: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a field, and where it was found: a name, or one of the mapping's special places."""

    value: object
    found: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A note taken apart. Its lines are the tidied ones; `moved` are those that go into the blockquote."""

    source: Source
    tidied: Tidied
    lines: tuple[str, ...]
    front: PlainMapping
    start: int  # the first line below the front matter
    title: Heading | None
    parts: tuple[Part, ...]
    headings: tuple[Heading, ...]
    quote: tuple[int, int] | None  # the lines of a blockquote of kind or citation below the title
    moved: tuple[int, ...]
    values: Mapping[str, Value]
    blocks: Mapping[str, int]
    entry: Entry
    name: str
    unknown: tuple[str, ...] = ()  # names on lines of metadata that stand for no field
    problems: tuple[Problem, ...] = ()

    @property
    def place(self) -> Place:
        return Place(self.source.shown, self.tidied.origins[self.title.line] if self.title else 1)

    @property
    def intro_end(self) -> int:
        return self.parts[0].heading.line if self.parts else len(self.lines)

    def place_of(self, line: int, column: int) -> Place:
        """Where a line of the tidied text stands in the source."""
        return Place(self.source.shown, self.tidied.origins[line], column + 1)


# -------------------------------------------------------------------------------------------------------- reading


def read_draft(source: Source, mapping: NoteMapping, schema: Schema) -> Draft:
    """A note taken apart, as far as it alone tells."""
    tidied = tidy(without_marks(source.text), schema, mapping.section, setext=True)
    yaml_text, start = front_matter(tidied.text)
    data, problems = load_plain(yaml_text or "", source.shown, first_line=2)
    front = data if isinstance(data, PlainMapping) else PlainMapping()
    if data is not None and not isinstance(data, PlainMapping) and not problems:
        problems = [problem("K106", Place(source.shown, 2), "the front matter is not a mapping", "write `name: value`")]
    lines, blocks = plain_lines(tidied.lines, start)
    headings = list(_headings(lines, start))
    title = _title(headings, source, mapping, schema)
    rest = headings[1:] if title else headings
    parts = tuple(_parts(rest, mapping, len(lines)))
    intro_end = parts[0].heading.line if parts else len(lines)
    intro = range(title.line + 1 if title else start, intro_end)
    quote = _quote(lines, intro, schema)
    moved, unknown = _metadata_lines(lines, intro, mapping, quote)
    values = _values(front, lines, range(start, intro_end), mapping, title, source)
    cited = _cited(lines, quote)
    entry = _entry(values, cited, source)
    return Draft(
        *(source, tidied, tuple(lines), front, start, title, parts, tuple(rest), quote, moved, values, blocks),
        entry=entry,
        name=_name(entry, title, schema, source),
        unknown=unknown,
        problems=tuple(problems),
    )


def _headings(lines: Sequence[str], start: int) -> Iterator[Heading]:
    tokens: list[Token] = []
    parser().block.parse("\n" * start + "".join(lines[start:]), parser(), {}, tokens)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and not token.level and token.map and token.markup.startswith("#"):
            yield Heading(token.map[0], len(token.markup), inline.content)


def _title(headings: Sequence[Heading], source: Source, mapping: NoteMapping, schema: Schema) -> Heading | None:
    """The heading that names the note: above all others, and no section."""
    if not headings or mapping.meaning(headings[0].text):
        first = headings[0] if headings else None
        alone = first and first.level == 1 and all(each.level > 1 for each in headings[1:])
        return first if first and alone and not schema.section_id(first.text) else None
    first = headings[0]
    if all(each.level > first.level for each in headings[1:]):
        return first
    stem = source.path.stem
    keyed = named(first.text, schema)[1]
    return first if first.level == 1 and (keyed or normal_heading(first.text) == normal_heading(stem)) else None


def _parts(headings: Sequence[Heading], mapping: NoteMapping, end: int) -> Iterator[Part]:
    """The sections: headings as deep as the highest one that means something, and those above it."""
    levels = [each.level for each in headings if mapping.section(each.text)] or [each.level for each in headings]
    opening = [each for each in headings if each.level <= min(levels)]
    ends = [*(each.line for each in opening[1:]), end]
    for heading, stop in zip(opening, ends, strict=False):
        yield Part(heading, stop, mapping.meaning(heading.text))


def _quote(lines: Sequence[str], intro: range, schema: Schema) -> tuple[int, int] | None:
    """The lines of the blockquote that opens a note's text, where it holds a kind or a citation."""
    first = next((number for number in intro if lines[number].strip()), intro.stop)
    end = first
    while end < intro.stop and QUOTE.match(lines[end]):
        end += 1
    texts = [QUOTE.sub("", lines[number], count=1).strip() for number in range(first, end)]
    return (first, end) if end > first and not texts[0].startswith("[!") and opens_card(texts, schema) else None


def _metadata_lines(
    lines: Sequence[str], intro: range, mapping: NoteMapping, quote: tuple[int, int] | None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The lines above the first section that are nothing but metadata, and their names that stand for no field."""
    moved: list[int] = []
    unknown: list[str] = []
    for block in _blocks(lines, intro, quote):
        pairs = [pair(lines[number]) for number in block]
        known = [mapping.field_of(key) for key, _ in pairs]
        if all(key and value for key, value in pairs) and any(known) and sum(map(bool, known)) * 2 >= len(known):
            moved += block
            unknown += [key for (key, _), field_id in zip(pairs, known, strict=True) if not field_id]
    return tuple(moved), tuple(unknown)


def _blocks(lines: Sequence[str], intro: range, quote: tuple[int, int] | None) -> Iterator[list[int]]:
    """The runs of lines without a blank one between them."""
    run: list[int] = []
    for number in intro:
        quoted = quote and quote[0] <= number < quote[1]
        if lines[number].strip() and not quoted and not lines[number].startswith((">", "    ", "```")):
            run.append(number)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _values(
    front: PlainMapping,
    lines: Sequence[str],
    above: range,
    mapping: NoteMapping,
    title: Heading | None,
    source: Source,
) -> dict[str, Value]:
    """The values of the fields, the nearest first: front matter, lines above the sections, the mapping's places."""
    found: dict[str, Value] = {}
    for key, value in front.items():
        _set(found, mapping.field_of(key), unlinked(value), key)
    for number in above:
        key, text = pair(QUOTE.sub("", lines[number], count=1))
        _set(found, mapping.field_of(key) if key else "", unlinked(text), key)
    stem = source.path.stem
    introduction = "".join(lines[number] for number in above)
    special = {
        ("title", FIRST_HEADING): _as_title(plain_text(title.text) if title else "", "title" in mapping.fields),
        ("title", FILE_NAME): _as_title(stem.lstrip("@"), "title" in mapping.fields),
        ("year", FILE_NAME): str(year_in(stem) or ""),
        ("arxiv", FILE_NAME): arxiv_in(stem),
        ("arxiv", ABOVE): arxiv_in(introduction[_start(_ARXIV, introduction) :]),
        ("doi", ABOVE): doi_in(introduction),
    }
    for (field_id, place), text in special.items():
        if text and mapping.special(field_id, place):
            _set(found, field_id, text, place)
    return found


def _as_title(text: str, asked: bool) -> str:
    """A heading or a file's name as a title: unless the mapping asks for it, one that is long enough to be one."""
    long_enough = len(text.split()) > 2 or len(re.findall(r"[\u3400-\u9fff]", text)) > 5
    return text if asked or long_enough else ""


def _start(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return found.start() if found else len(text)


def _set(found: dict[str, Value], field_id: str, value: object, name: str) -> None:
    if not field_id or field_id in found or value in (None, "", []):
        return
    try:
        found[field_id] = Value(value if field_id == "citekey" else read_field(field_id, value), name)
    except ValueError:
        return  # it stays in the front matter, under another name


def _cited(lines: Sequence[str], quote: tuple[int, int] | None) -> Entry:
    """What a citation in the blockquote says."""
    for number in range(*quote) if quote else ():
        text = plain_text(QUOTE.sub("", lines[number], count=1).strip())
        known, value = known_pair(text)
        cited = read_citation(value if known == "citation" else text)
        if cited.title and cited.year and (known == "citation" or not known):
            authors = tuple(_author(name) for name in cited.authors)
            return Entry(Place(""), "", "", cited.title, "", authors, cited.et_al, cited.venue, cited.year)
    return Entry(Place(""))


def _author(name: str) -> Author:
    return Author(*surname_first(name))


def _entry(values: Mapping[str, Value], cited: Entry, source: Source) -> Entry:
    """The work that a note is about."""

    def text(field_id: str) -> str:
        return str(values[field_id].value) if field_id in values else ""

    venue = _VENUE_YEAR.fullmatch(text("venue"))
    year = int(text("year")) if text("year") else int(venue["year"]) if venue else cited.year
    names = values["authors"].value if "authors" in values else ()
    authors = names if isinstance(names, tuple) else split_authors(str(names))[0]
    url = text("url")
    title = text("title") if "title" in values and not _is_last_resort(values["title"], cited) else cited.title
    return Entry(
        place=Place(source.shown),
        title=title,
        short_title=text("name"),
        authors=tuple(map(_author, authors)) or cited.authors,
        et_al=not authors and cited.et_al,
        venue=(venue["venue"] if venue else text("venue")) or cited.venue,
        year=year,
        doi=text("doi") or (doi_in(url) if "doi.org" in url else ""),
        arxiv=text("arxiv") or (arxiv_in(url) if _ARXIV.search(url) else ""),
        url=url,
    )


def _is_last_resort(title: Value, cited: Entry) -> bool:
    return title.found in (FIRST_HEADING, FILE_NAME) and bool(cited.title)


def _name(entry: Entry, title: Heading | None, schema: Schema, source: Source) -> str:
    """What readers call the paper's subject: MobileNetV2."""
    if entry.short_title:
        return entry.short_title
    heading = named(title.text, schema)[0] if title else ""
    if heading and heading != entry.title:
        return heading
    before = re.split(r"\s*[:：]\s", entry.title, maxsplit=1)[0] if entry.title else source.path.stem.lstrip("@")
    return before if len(before) <= _LONGEST_NAME else entry.title
