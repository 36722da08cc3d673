"""Notes about one paper each, in a form of their author's own, read by a mapping of headings and fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from markdown_it.token import Token

from kb.authors import split_authors, surname_first
from kb.bibliography.citing import citekeys
from kb.bibliography.fields import arxiv_in, doi_in, year_in
from kb.bibliography.records import Author, Entry
from kb.citation import read_citation
from kb.encoding import without_marks
from kb.heads import known_pair, opens_card, pair, read_field, read_heading
from kb.importers.composing import Sheet, body_of, dump, named
from kb.importers.linking import Linked, Target
from kb.importers.mapping import ABOVE, FILE_NAME, FIRST_HEADING, LEAVE_OUT, NoteMapping
from kb.importers.obsidian import plain_lines, unlinked
from kb.importers.records import LeftOut, Source
from kb.importers.tidying import Tidied, tidy
from kb.markdown import parser, plain_text
from kb.plain_yaml import PlainMapping, front_matter, load_plain
from kb.problems import problem
from kb.records import Place, Problem
from kb.schema import Schema, normal_heading
from kb.slicing import in_definition

_VENUE_YEAR = re.compile(r"(?P<venue>.*?\S)[\s,，]*['’]?(?P<year>(?:19|20)\d\d)")
_ARXIV = re.compile(r"arxiv\.org/(?:abs|pdf)/|arxiv:", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|<%.*?%>")
_HASHES = re.compile(r"( {0,3})(#{1,6})(?=[ \t]|$)")
_QUOTE = re.compile(r" {0,3}>[ \t]?")
_LONGEST_NAME = 48  # characters of what stands before a title's colon, to be the name of a paper's subject
_PAPER_KINDS = frozenset("paper article literature 论文 文献 literature-note literaturenote 论文笔记 papers".split())  # noqa: SIM905
_MULTIPLE = frozenset({"authors", "tags", "aliases"})


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
    while end < intro.stop and _QUOTE.match(lines[end]):
        end += 1
    texts = [_QUOTE.sub("", lines[number], count=1).strip() for number in range(first, end)]
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
        key, text = pair(_QUOTE.sub("", lines[number], count=1))
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
        text = plain_text(_QUOTE.sub("", lines[number], count=1).strip())
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


# ------------------------------------------------------------------------------------------------------- deciding


def why_not(draft: Draft, mapping: NoteMapping, schema: Schema) -> str:
    """Why a note is not taken for one about a paper; "" where it is."""
    head = "".join(draft.tidied.lines[: draft.start]) + (draft.title.text if draft.title else "")
    if _PLACEHOLDER.search(head):
        return "a template"
    if not any(line.strip() for line in draft.lines[draft.start :]) and not draft.front:
        return "it is empty"
    entry, values = draft.entry, draft.values
    sections = {part.meaning for part in draft.parts if part.meaning and part.meaning != LEAVE_OUT}
    signs = (
        bool(own_key(draft, mapping, schema)),
        bool(entry.arxiv or entry.doi),
        bool(entry.authors and (entry.year or entry.venue)),
        bool(entry.venue and entry.year),
        len(sections) > 1,
        bool(_kinds(draft) & _PAPER_KINDS),
        "title" in values and values["title"].found not in (FIRST_HEADING, FILE_NAME) and bool(entry.year or entry.url),
    )
    return "" if any(signs) else "nothing says that it is about a paper"


def _kinds(draft: Draft) -> set[str]:
    kind = draft.front.get("type") or draft.front.get("kind") or draft.front.get("类型")
    tags = draft.values["tags"].value if "tags" in draft.values else ()
    return {str(each).casefold() for each in (kind, *(tags if isinstance(tags, tuple) else ())) if each}


def own_key(draft: Draft, mapping: NoteMapping, schema: Schema) -> str:
    """The citekey that a note gives itself: in its metadata, its file's name or its heading."""
    value = draft.values.get("citekey")
    given = str(value.value).strip().lstrip("@") if value else ""
    stem = draft.source.path.stem.removeprefix("@").strip()
    from_name = stem if mapping.special("citekey", FILE_NAME) and schema.match_citekey(stem) else ""
    heading = read_heading(draft.title.text, schema)[1] if draft.title else ""
    from_heading = heading if mapping.special("citekey", FIRST_HEADING) and schema.match_citekey(heading) else ""
    return given or from_name or from_heading


def keys_of(entry: Entry, schema: Schema) -> Iterator[tuple[str, str]]:
    """The citekeys for a work, the best first: its own where that fits the template, one made, its own all the same."""
    for key in citekeys(entry, schema):
        yield key, "" if key == entry.key else "made of author, year and venue"
    if entry.key and is_file_name(entry.key):
        yield entry.key, ""
    if slug(entry.title):
        yield slug(entry.title), "made of the title: no author, year and venue give one"


def slug(text: str) -> str:
    """A text as a citekey that has no better one: without what means something in a path or a link."""
    return re.sub(r"[\s/\\:*?\"<>|#%\[\]{}`^&$]+", "-", text)[:60].strip("-.")


def is_file_name(name: str) -> bool:
    """Whether a key can name a file, on every system."""
    return name.isprintable() and not name.startswith(".") and not set(name) & set('/\\:*?"<>|') and len(name) < 200


def keys(draft: Draft, mapping: NoteMapping, schema: Schema) -> Iterator[tuple[str, str]]:
    """The citekeys that a note's card may have, the best first, each with where it comes from."""
    own = own_key(draft, mapping, schema)
    yield from keys_of(replace(draft.entry, key=own, title=""), schema)
    yield slug(draft.source.path.stem.lstrip("@")) or "note", "the file's name: no author, year and venue give one"


def target(draft: Draft, key: str, schema: Schema) -> Target:
    """Where links to a note lead: its card, its headings in their new form, the sections of its block ids."""
    renamed = {normal_heading(part.heading.text): _new_heading(part, schema) for part in draft.parts}
    blocks = {
        name: next((_new_heading(part, schema) for part in reversed(draft.parts) if part.heading.line <= line), "")
        for name, line in draft.blocks.items()
    }
    return Target(key, renamed, blocks)


def _new_heading(part: Part, schema: Schema) -> str:
    """The heading of a part on its card: as it is, or the template's own where the schema does not know it."""
    section = schema.section(part.meaning)
    if section is None or schema.section_id(part.heading.text) == part.meaning:
        return part.heading.text
    return section.labels["zh" if re.search(r"[\u3400-\u9fff]", part.heading.text) else "en"]


# ------------------------------------------------------------------------------------------------------- composing


def sheet(draft: Draft, key: str, why: str, linked: Linked, schema: Schema) -> Sheet:
    """What goes into the card of a note whose links have been led anew."""
    lines = linked.lines
    front, renamed = _front(draft, schema)
    body, changed = _body(draft, lines, schema)
    remarks = [*draft.tidied.remarks(), *renamed, *changed, *linked.remarks()]
    if why:
        remarks.insert(0, f"citekey: {why}")
    return Sheet(
        place=draft.place,
        key=key,
        name=draft.name,
        entry=draft.entry,
        body=body,
        front=front,
        quote=tuple(_quote_lines(draft, lines)),
        remarks=tuple(remarks),
        copies=tuple(linked.copies),
        line_end="\r\n" if "\r\n" in draft.source.text else "\n",
    )


def _quote_lines(draft: Draft, lines: Sequence[str]) -> Iterator[str]:
    for number in range(*draft.quote) if draft.quote else ():
        yield _QUOTE.sub("", lines[number], count=1).strip()
    marks = re.compile(r"^\s*[-*+]\s+")
    yield from (marks.sub("", lines[number]).strip().replace("::", ":", 1) for number in draft.moved)


def _front(draft: Draft, schema: Schema) -> tuple[str, list[str]]:
    """The front matter to the letter, but for values that no card may have: those get names of their own."""
    lines = list(draft.tidied.lines[1 : max(draft.start - 1, 1)])
    out, remarks = [], []
    starts = {place.line - 2: key for key, place in draft.front.places.items()}
    block_style = all(0 <= line < len(lines) and draft.front.places[key].column == 1 for line, key in starts.items())
    if not block_style:
        return dump({_kept_name(key, value, schema): unlinked(value) for key, value in draft.front.items()}), []
    first = min(starts, default=len(lines))
    out += lines[:first]
    for line, key in sorted(starts.items()):
        end = min((other for other in starts if other > line), default=len(lines))
        value = draft.front[key]
        name = _kept_name(key, unlinked(value), schema)
        if name != key:
            remarks.append(f"the property `{key}` is `{name}` now: its value is none that a card may have there")
        if name == key and unlinked(value) == value:
            out += lines[line:end]
        else:
            out.append(dump({name: unlinked(value)}))
    return "".join(out), remarks


def _kept_name(key: str, value: object, schema: Schema) -> str:
    """The name under which a property is kept: another one where cards read its name and cannot use its value."""
    field_id = known_pair(f"{key}: x")[0]
    if not field_id or value is None:
        return key
    try:
        read = read_field(field_id, value)
    except ValueError:
        return f"{key}_imported"
    return f"{key}_imported" if field_id == "kind" and not schema.kind_id(str(read)) else key


@dataclass(slots=True)
class _Section:
    """A section of the card to be: its heading's line, and the text below it."""

    head: str
    texts: list[str] = field(default_factory=list)


def _body(draft: Draft, lines: Sequence[str], schema: Schema) -> tuple[str, list[str]]:
    """Introduction and sections, below a heading of the first level; and what was changed."""
    shift = max(0, 2 - min((each.level for each in draft.headings), default=2))
    remarks = ["headings are one level deeper, below the card's"] if shift else []
    heads = {each.line: each.level for each in draft.headings}
    taken = {*draft.moved, *range(*(draft.quote or (0, 0))), draft.title.line if draft.title else -1}
    intro = "".join(_deepened(n, lines, heads, shift) for n in range(draft.start, draft.intro_end) if n not in taken)
    sections: dict[object, _Section] = {}
    for number, part in enumerate(draft.parts):
        if part.meaning == LEAVE_OUT:
            continue
        heading, level = _new_heading(part, schema), part.heading.level + shift
        key: object = part.meaning or number
        own = _deepened(part.heading.line, lines, heads, shift)
        if key in sections:
            remarks.append(f"`{part.heading.text}` stands within `{sections[key].head.strip('# ').strip()}`")
            sections[key].texts.append(_text(part, lines, heads, shift + 1, with_heading=True))
            continue
        if heading != part.heading.text:
            remarks.append(f"`{part.heading.text}` became `{heading}`")
            own = f"{'#' * level} {heading}\n"
        sections[key] = _Section(own, [_text(part, lines, heads, shift, with_heading=False)])
    if draft.title and _says_more(draft.title, draft, schema):
        intro = f"**{draft.title.text.strip()}**\n\n{intro.lstrip(chr(10))}"
    texts = (f"{each.head.rstrip()}\n\n{body_of(iter(each.texts))}" for each in sections.values())
    return body_of(iter([intro, *texts])), remarks


def _says_more(title: Heading, draft: Draft, schema: Schema) -> bool:
    """Whether a note's heading says what neither the title nor the name of its card says."""
    return not {plain_text(title.text), named(title.text, schema)[0]} & {draft.entry.title, draft.name}


def _text(part: Part, lines: Sequence[str], heads: Mapping[int, int], by: int, *, with_heading: bool) -> str:
    first = part.heading.line + (not with_heading)
    return "".join(_deepened(number, lines, heads, by) for number in range(first, part.end))


def _deepened(number: int, lines: Sequence[str], heads: Mapping[int, int], by: int) -> str:
    """A line, its heading's marks by so many more; six are the most there are."""
    line = lines[number]
    if not by or number not in heads:
        return line
    more = min(by, 6 - heads[number])
    return _HASHES.sub(lambda found: f"{found[1]}{found[2]}{'#' * more}", line, count=1)


def left_out(draft: Draft) -> Iterator[LeftOut]:
    """The sections that the mapping leaves out."""
    for part in draft.parts:
        if part.meaning == LEAVE_OUT:
            place = draft.place_of(part.heading.line, 0)
            yield LeftOut(place, draft.lines[part.heading.line].strip(), "`leave out` in the mapping")


def beginning(draft: Draft) -> str:
    """The first line of a note that says something."""
    texts = (line.strip() for line in draft.lines[draft.start :])
    says = (text for number, text in enumerate(texts) if text.strip("-*_ ") and not in_definition(0, [text]))
    return next(says, draft.source.path.name)
