"""The citekeys that a work or a note may have on its card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from kb.bibliography.citing import citekeys
from kb.bibliography.records import Entry
from kb.file_names import excess, fault
from kb.heads import read_heading
from kb.importers.drafts import Draft
from kb.importers.mapping import FILE_NAME, FIRST_HEADING, NoteMapping
from kb.schema import Schema


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
    seen = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r"[\s/\\:：*?\"<>|#%\[\]{}`^&$]+", "-", seen)[:60].strip("-.")


def is_file_name(name: str) -> bool:
    """Whether a key can name a file, on every system."""
    usable = name.isprintable() and not name.startswith(".") and not set(name) & set('/\\:*?"<>|')
    return usable and not fault(name) and not excess(name)


def keys(draft: Draft, mapping: NoteMapping, schema: Schema) -> Iterator[tuple[str, str]]:
    """The citekeys that a note's card may have, the best first, each with where it comes from."""
    own = own_key(draft, mapping, schema)
    yield from keys_of(replace(draft.entry, key=own, title=""), schema)
    yield slug(draft.source.path.stem.lstrip("@")) or "note", "the file's name: no author, year and venue give one"
