"""The text of a new card, from what is known of its paper and the text that belongs under its heading.

The head says each thing once: what the citation does not give stands in the front matter. The result is read back
before it is given to anyone: a note that would not hold the same card is refused, not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import yaml

from kb.base import Base
from kb.bibliography.citing import author_name, citation
from kb.bibliography.records import Entry
from kb.check import empty_sections, missing_citations, missing_sections
from kb.heads import opens_card, read_front_matter, read_heading, read_quote
from kb.importers.records import Copy, NewNote
from kb.lock import Lock
from kb.markdown import headings, plain_text
from kb.notes import parse_note
from kb.plain_yaml import as_plain, load_plain
from kb.problems import problem
from kb.records import Card, Place, Problem
from kb.schema import Schema
from kb.settings import Settings
from kb.slicing import in_definition

_STATUS = re.compile(r"^(status|状态|阅读状态)[ \t]*:", re.MULTILINE)
_MARKUP = re.compile(r"([\\`*_\[\]<>$#&!~=^|])")


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that goes into one new card. `front` and `quote` are the source's own lines, to the letter."""

    place: Place
    key: str
    name: str
    entry: Entry
    body: str = ""  # introduction and sections, as they stand below a heading of the first level
    front: str = ""  # YAML, without the lines around it
    quote: tuple[str, ...] = ()  # without their `> `
    added: Mapping[str, object] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    line_end: str = "\n"


def compose(sheet: Sheet, schema: Schema, settings: Settings) -> NewNote | Problem:
    """The note of a sheet; the problem where it would not read back as the same card."""
    quote = _quote(sheet, schema, settings)
    given = _given(sheet, quote, schema)
    added = dict(sheet.added)

    def read() -> tuple[str, list[Card]]:
        text = _text(sheet, quote, added)
        return text, list(parse_note(text, f"{sheet.key}.md", schema, settings).cards)

    text, cards = read()
    missing = missing_fields(sheet, cards[0], given) if len(cards) == 1 else {}
    if missing:
        added = {**missing, **added}
        text, cards = read()
    if len(cards) == 1 and cards[0].status != "draft" and has_gaps(cards[0], schema, settings):
        sheet = replace(sheet, front=_STATUS.sub(r"\1_imported:", sheet.front))
        added["status"] = "draft"
        text, cards = read()
    if len(cards) != 1 or cards[0].citekey != sheet.key or not _holds(cards[0], sheet.body):
        message = f"the note would not read as one card `{sheet.key}`"
        return problem("K209", sheet.place, message, "give it a heading `NAME: KEY` and a blockquote of its citation")
    card = replace(cards[0], path=sheet.place.path, line=sheet.place.line)
    return NewNote(card, text.replace("\n", sheet.line_end), sheet.copies, sheet.remarks)


def _quote(sheet: Sheet, schema: Schema, settings: Settings) -> tuple[str, ...]:
    """The lines of the blockquote: the source's own, after a citation where they have none."""
    fields = read_quote(((sheet.place, line) for line in sheet.quote), schema).fields
    if "citation" in fields:
        return sheet.quote
    cited = citation(sheet.entry)
    if not cited and (sheet.body.startswith(">") or not _opens(sheet, schema)):
        cited = sheet.name
    if cited and not opens_card([cited], schema):
        cited = f"{'引用' if settings.language == 'zh' else 'citation'}: {cited}"
    return (*([cited] if cited else []), *sheet.quote)


def _opens(sheet: Sheet, schema: Schema) -> bool:
    """Whether a sheet reads as a card without a citation: by its own lines, or by one of the template's sections."""
    sections = (schema.section_id(each.text) for each in headings(sheet.body) if each.level == 2)
    return opens_card(sheet.quote, schema) or any(sections)


def _given(sheet: Sheet, quote: Sequence[str], schema: Schema) -> frozenset[str]:
    """The fields that the source itself gives, in its front matter or in its own lines of the blockquote."""
    above = read_front_matter(load_plain(sheet.front, "")[0], "", one_card=True)
    own = read_quote(((sheet.place, line) for line in quote if line in sheet.quote), schema)
    return frozenset({*above.fields, *own.fields})


def missing_fields(sheet: Sheet, card: Card, given: frozenset[str]) -> dict[str, object]:
    """The fields that the card ought to have and that do not come out of what is written so far."""
    entry = sheet.entry
    cited = card.citation
    pairs: dict[str, tuple[object, object]] = {
        "name": (sheet.name, card.name),
        "title": (entry.title, cited.title),
        "authors": ([] if entry.et_al else [author_name(each) for each in entry.authors], list(cited.authors)),
        "venue": (entry.venue, cited.venue),
        "year": (entry.year, cited.year),
        "tags": (list(entry.tags), list(card.tags)),
        "arxiv": (entry.arxiv, card.links.get("arxiv")),
        "doi": (entry.doi, card.links.get("doi")),
        "url": (entry.url, card.links.get("url")),
    }
    return {name: want for name, (want, there) in pairs.items() if want and want != there and name not in given}


def has_gaps(card: Card, schema: Schema, settings: Settings) -> bool:
    """Whether a card lacks what the template expects, so that it is a draft."""
    base = Base(settings, schema, (), (card,), {}, Lock(), ())
    return any(True for check in (missing_sections, empty_sections, missing_citations) for _ in check(base))


def _holds(card: Card, body: str) -> bool:
    """Whether a card holds a text to the letter, but for rules and definitions at its end, which stand below it."""
    read = (card.intro + "".join(each.head + each.markdown for each in card.sections)).strip("\n")
    body = body.strip("\n")
    below = body[len(read) :].split("\n")
    rest = (number for number, line in enumerate(below) if line.strip("-*_ \t"))
    return body.startswith(read) and all(in_definition(number, below) for number in rest)


def _text(sheet: Sheet, quote: Sequence[str], added: Mapping[str, object]) -> str:
    front = sheet.front + (dump(added) if added else "")
    lines = "\n".join(f"> {line}" for line in quote)
    parts = [f"# {_heading(sheet.name, sheet.key)}", lines, sheet.body.strip("\n")]
    above = f"---\n{front}---\n\n" if front else ""
    return above + "\n\n".join(part for part in parts if part) + "\n"


def dump(data: Mapping[str, object]) -> str:
    """Lines of front matter."""
    return yaml.safe_dump(as_plain(dict(data)), allow_unicode=True, sort_keys=False, width=10**6)


def _heading(name: str, key: str) -> str:
    """The text of a card's heading; what in a name would be markup is escaped, braces would mark a template."""
    if not name or name == key:
        return key
    return f"{as_heading(name)}: {key}"


def as_heading(name: str) -> str:
    """A plain text as a heading shows it to the letter."""
    shown = re.sub(r"[{}]", "", name)
    return shown if plain_text(shown) == shown else _escaped(shown)


def body_of(parts: Iterator[str]) -> str:
    """Introduction and sections, a blank line between them."""
    return "\n\n".join(filter(None, (part.strip("\n") for part in parts)))


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def named(heading: str, schema: Schema) -> tuple[str, str]:
    """Name and citekey in a heading that holds one; else the heading, and ""."""
    name, key = read_heading(heading, schema)
    return (name, key) if schema.match_citekey(key) else (plain_text(heading), "")
