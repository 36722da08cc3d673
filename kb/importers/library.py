"""The works of a bibliography, a card each: citation, abstract and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from kb.bibliography import Entry, Library
from kb.importers.composing import Sheet, body_of
from kb.importers.linking import Linked
from kb.importers.mapping import NoteMapping
from kb.importers.papers import Draft, read_draft, sheet
from kb.importers.records import LeftOut, Source
from kb.markdown import headings
from kb.schema import Schema
from kb.settings import Settings

_LABELS = {"zh": ("摘要", "笔记"), "en": ("Abstract", "Notes")}
_NAMES = {"bibtex": "bibtex", "csl": "csl", "zotero": "zotero"}
_LONGEST_NAME = 48

Found = tuple[str, str]  # a citekey, and where it comes from


def entry_sheet(
    entry: Entry, key: Found, library: Library, source: Source, mapping: NoteMapping, schema: Schema, settings: Settings
) -> Sheet:
    """What goes into the card of a work. Notes that have the template's sections give the card its sections."""
    draft = _notes(entry, source, mapping, schema, settings)
    base = sheet(draft, key[0], "", Linked(list(draft.lines)), schema)
    other = {_NAMES[library.form]: {"type": entry.type, **entry.other}} if entry.other else {}
    aliases = {"aliases": [entry.key]} if entry.key and entry.key != key[0] else {}
    return replace(
        base,
        place=entry.place,
        name=_name(entry),
        entry=entry,
        front="",
        added={**aliases, **other},
        remarks=tuple(_remarks(entry, key, base)),
    )


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


def _name(entry: Entry) -> str:
    """What readers call the work's subject: its short title, or what stands before the title's colon."""
    before = re.split(r"\s*[:：]\s", entry.title, maxsplit=1)[0]
    return next((name for name in (before, entry.short_title) if name and len(name) <= _LONGEST_NAME), entry.title)


def _remarks(entry: Entry, key: Found, base: Sheet) -> Iterator[str]:
    if key[1]:
        own = f"; `{entry.key}` is an alias" if entry.key else ""
        yield f"citekey: {key[1]}{own}"
    if entry.notes:
        yield f"{len(entry.notes)} {'note' if len(entry.notes) == 1 else 'notes'} from the library"
    if entry.files:
        yield f"left out, {len(entry.files)} attached: {', '.join(entry.files)}"
    if entry.other:
        yield f"kept in the front matter: {', '.join(entry.other)}"
    yield from base.remarks


def skipped(library: Library) -> Iterator[LeftOut]:
    """The items that are no works."""
    yield from (LeftOut(each.place, each.beginning, each.why) for each in library.skipped)
