"""The works of a bibliography, a card each: citation, abstract and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from kb.bibliography import Entry, Library
from kb.bibliography.citing import author_name, called, is_known_venue, venue_letters
from kb.importers.composing import Sheet, body_of
from kb.importers.drafts import Draft, read_draft
from kb.importers.keys import is_file_name
from kb.importers.linking import Linked
from kb.importers.mapping import NoteMapping
from kb.importers.papers import sheet
from kb.importers.records import LeftOut, Source
from kb.markdown import headings
from kb.schema import Schema
from kb.settings import Settings

_LABELS = {"zh": ("摘要", "笔记"), "en": ("Abstract", "Notes")}

Found = tuple[str, str]  # a citekey, and where it comes from


def entry_sheet(
    entry: Entry, key: Found, library: Library, source: Source, mapping: NoteMapping, schema: Schema, settings: Settings
) -> Sheet:
    """What goes into the card of a work. Notes that have the template's sections give the card its sections."""
    draft = _notes(entry, source, mapping, schema, settings)
    base = sheet(draft, key[0], "", Linked(list(draft.lines)), schema)
    alias = entry.key if entry.key != key[0] and _may_be_alias(entry.key, library) else ""
    kept = dict(_kept(entry, key[0], alias))
    return replace(
        base,
        place=entry.place,
        name=called(entry),
        entry=replace(entry, venue=venue_letters(entry) if "venue" in kept else entry.venue),
        front="",
        added={**({"aliases": [alias]} if alias else {}), library.form: kept},
        remarks=tuple(_remarks(entry, key, alias, kept, base)),
    )


def _may_be_alias(key: str, library: Library) -> bool:
    """Whether links by a key of the library may lead to its card: no other item has it."""
    return bool(key) and is_file_name(key) and sum(each.key == key for each in library.entries) == 1


def _kept(entry: Entry, key: str, alias: str) -> Iterator[tuple[str, object]]:
    """What a library says of a work and a card has no field for: it goes into the front matter as it is."""
    yield "type", entry.type
    if entry.key not in (key, alias, ""):
        yield "key", entry.key
    if entry.et_al:  # a list of authors in the front matter would be taken for all of them
        yield "authors", [*map(author_name, entry.authors), "others"]
    if is_known_venue(entry.venue) and venue_letters(entry) != entry.venue:
        yield "venue", entry.venue
    yield from entry.other.items()


def _notes(entry: Entry, source: Source, mapping: NoteMapping, schema: Schema, settings: Settings) -> Draft:
    """Abstract and notes as one text below a heading, taken apart as a note of one's own would be."""
    abstract, notes = _LABELS[settings.language]
    titled = [_demoted(note) if re.match(r"#{1,6}\s", note) else f"## {notes}\n\n{note}" for note in entry.notes]
    parts = [f"## {abstract}\n\n{entry.abstract}" if entry.abstract else "", *titled]
    text = body_of(iter([f"# {entry.title}", *parts]))
    return read_draft(replace(source, text=text, shown=entry.place.path), mapping, schema)


def _demoted(note: str) -> str:
    """A note whose highest headings stand below the card's."""
    found = headings(note)
    more = max(0, 2 - min(each.level for each in found))
    lines = note.split("\n")
    for each in found:
        lines[each.line] = "#" * min(more, 6 - each.level) + lines[each.line].lstrip()
    return "\n".join(lines)


def _remarks(entry: Entry, key: Found, alias: str, kept: Mapping[str, object], base: Sheet) -> Iterator[str]:
    if key[1]:
        yield f"citekey: {key[1]}" + (f"; `{alias}` is an alias" if alias else "")
    if entry.notes:
        yield f"{len(entry.notes)} {'note' if len(entry.notes) == 1 else 'notes'} from the library"
    if entry.files:
        yield f"left out, {len(entry.files)} attached: {', '.join(entry.files)}"
    yield f"kept in the front matter: {', '.join(kept)}"
    yield from base.remarks


def skipped(library: Library) -> Iterator[LeftOut]:
    """The items that are no works."""
    yield from (LeftOut(each.place, each.beginning, each.why) for each in library.skipped)
