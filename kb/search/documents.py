"""What can be found, and what each of it adds to the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

from kb.search.words import terms, whole

# How much it means that a term occurs somewhere, from 1 to 15; in the text it depends on how often.
NAME, KEY, TITLE, TAG, AUTHOR, MODEL, HEADING, FACT = 14, 13, 12, 11, 10, 9, 8, 7
WHOLE_NAME = 15
MOST_IN_TEXT = 6
USUAL_LENGTH = 1500  # characters of a card's text

FACET = "="  # begins the terms that stand for a facet's value: `=year=2017`


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page: the fragment that leads to it, its heading, its text without markup."""

    anchor: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A page that can be found. `keys` are its citekey and whatever else names it; `facets` are names and values."""

    path: str
    name: str
    lang: str = ""
    title: str = ""
    year: str = ""
    venue: str = ""
    kind: str = ""
    keys: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    models: tuple[tuple[str, str], ...] = ()  # call, and the fragment that leads to it
    facets: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()
    importance: float = 1.0  # of all but its name and keys, beside other documents'


@dataclass(frozen=True, slots=True)
class Entry:
    """What a document adds: its terms, one a line, each after the letter of its level; and what results show of it."""

    terms: str
    record: str


def entry(document: Document) -> Entry:
    """What a document adds to the index; it depends on nothing else."""
    found = _in_text(document)
    for level, text in _fields(document):
        for term in terms(text):
            found[term] = max(found.get(term, 0), level)
    if name := whole(document.name):
        found[name] = WHOLE_NAME
    found |= {f"{FACET}{name}={' '.join(value.split())}": 0 for name, value in document.facets if value.strip()}
    lines = (chr(65 + found[term]) + term for term in sorted(found))
    return Entry("\n".join(lines), json.dumps(_record(document), ensure_ascii=False, separators=(",", ":")))


def levels(entry: Entry) -> dict[str, int]:
    """The terms of an entry with their levels."""
    return {line[1:]: ord(line[0]) - 65 for line in entry.terms.split("\n") if line}


def _fields(document: Document) -> Iterator[tuple[int, str]]:
    """What names and describes a document, with the level of each; the lower ones first."""
    for level, text in _description(document):
        yield max(1, round(level * document.importance)), text
    yield from ((KEY, key) for key in document.keys)
    yield NAME, document.name


def _description(document: Document) -> Iterator[tuple[int, str]]:
    yield from ((FACT, text) for text in (document.kind, document.venue, document.year))
    yield from ((HEADING, part.heading) for part in document.parts)
    yield from ((MODEL, call) for call, _ in document.models)
    yield from ((AUTHOR, author) for author in document.authors)
    yield from ((TAG, tag) for tag in document.tags)
    yield TITLE, document.title


def _in_text(document: Document) -> dict[str, int]:
    counts = terms("\n".join(part.text for part in document.parts))
    length = sum(len(part.text) for part in document.parts)
    scale = document.importance * 2 * USUAL_LENGTH / (USUAL_LENGTH + length)
    by_count = {count: _level(count * scale) for count in set(counts.values())}
    return {term: by_count[count] for term, count in counts.items()}


def _level(often: float) -> int:
    return max(1, min(MOST_IN_TEXT, round(2 * log2(1 + often))))


def _record(document: Document) -> dict[str, object]:
    """What results show of a document; what is empty is left out."""
    record = {
        "path": document.path,
        "name": document.name,
        "lang": document.lang,
        "title": document.title,
        "year": document.year,
        "venue": document.venue,
        "kind": document.kind,
        "keys": document.keys,
        "authors": document.authors,
        "tags": document.tags,
        "models": document.models,
        "parts": [(part.anchor, part.heading, part.text) for part in document.parts],
    }
    return {name: value for name, value in record.items() if value}
