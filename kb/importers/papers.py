"""Notes about one paper each become cards: which of them are, where links to them lead, what goes into each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kb.heads import known_pair, read_field
from kb.importers.composing import Sheet, body_of, dump, named
from kb.importers.drafts import QUOTE, Draft, Heading, Part
from kb.importers.keys import own_key
from kb.importers.linking import Linked, Target
from kb.importers.mapping import FILE_NAME, FIRST_HEADING, LEAVE_OUT, NoteMapping
from kb.importers.obsidian import unlinked
from kb.importers.records import LeftOut
from kb.markdown import plain_text
from kb.schema import Schema, normal_heading
from kb.slicing import in_definition

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|<%.*?%>")
_HASHES = re.compile(r"( {0,3})(#{1,6})(?=[ \t]|$)")
_PAPER_KINDS = frozenset("paper article literature 论文 文献 literature-note literaturenote 论文笔记 papers".split())  # noqa: SIM905


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
        yield QUOTE.sub("", lines[number], count=1).strip()
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
