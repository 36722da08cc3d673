"""Drafts from what is known of a paper (`kb new --from`): an entry of a bibliography, a DOI or an arXiv number.

What the source does not say stays as the template has it, for the author to fill in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_lowercase

from kb import bibliography, writing
from kb.base import Base, load
from kb.bibliographic_checks import repeated_paper, same_paper
from kb.bibliography import Entry, Library
from kb.bibliography.citing import author_name, called, citation, with_short_venue
from kb.bibliography.identity import Mark, marks_of_card, marks_of_entry
from kb.bibliography.lookups import look_up, number_in
from kb.encoding import decode
from kb.heads import field_of, key_problems, known_pair, read_quote
from kb.importers.composing import Sheet, as_heading, missing_fields
from kb.importers.keys import is_file_name, keys_of
from kb.new_cards import fill, refusals, same_key, taken
from kb.notes import parse_note
from kb.plain_yaml import as_plain
from kb.problems import problem
from kb.records import Card, Citation, Place, Problem
from kb.schema import Schema
from kb.settings import Settings

STDIN = "-"
_QUOTED = re.compile(r"(?P<mark>\s*>\s*)(?P<text>.*\S)\s*")
_TO_FILL = re.compile(r"\{[^{}]*\}|")


def read_source(source: str, stdin: Callable[[], bytes]) -> Library | None:
    """The works that a source names; None for a text that names none. Unanswered where a look-up fails."""
    if source == STDIN:
        return _read(stdin(), "stdin")
    number = None if bibliography.is_bibliography(source) else number_in(source)
    if number:
        return Library("", (look_up(number),))
    is_file = bibliography.is_bibliography(source) or Path(source).is_file()
    return _read(Path(source).read_bytes(), source) if is_file else None


def _read(data: bytes, shown: str) -> Library:
    text = decode(data, shown)
    return Library("", problems=(text,)) if isinstance(text, Problem) else bibliography.read(text, shown)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What became of an entry: the new file, or None and why not; and what its author ought to know."""

    path: Path | None = None
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()


class Drafter:
    """Makes drafts in one knowledge base, one after the other; no card is written over, no paper gets a second one."""

    def __init__(self, settings: Settings) -> None:
        writing.sweep(settings.root / settings.notes)
        self._base: Base = load(settings.root)
        self._cards: dict[Mark, Card] = {}
        self._keys: dict[str, Card] = {}
        for card in self._base.cards:
            self._know(card)

    def draft(self, entry: Entry, name: str = "", citekey: str = "") -> Drafted:
        """Write the draft of a work. A citekey that is given makes one also where the paper has a card."""
        entry = _trimmed(entry)
        there = same_paper(marks_of_entry(entry), self._cards)
        if there and not citekey:
            return Drafted(problems=(_has_card(*there),))
        name = " ".join((name or called(entry)).split())
        if not name:
            hint = "give both on the command line: kb new --from SOURCE NAME CITEKEY"
            return Drafted(problems=(problem("K208", entry.place, "the entry has no title to make a name of", hint),))
        key, why = (unicodedata.normalize("NFC", citekey), "") if citekey else self._key(entry)
        return self._written(entry, name, key, why, there)

    def _written(self, entry: Entry, name: str, key: str, why: str, there: tuple[Card, Mark] | None) -> Drafted:
        settings = self._base.settings
        path = f"{settings.notes}/{key}.md"
        text = self._text(entry, name, key, path)
        note = parse_note(text, path, self._base.schema, settings)
        problems = refusals(note, name, key)
        problems += [taken(key, card.path, card.line) for card in self._keys.values() if same_key(card.citekey, key)]
        if any(found.severity == "error" for found in problems):
            return Drafted(problems=tuple(problems))
        if not writing.create(settings.root / path, text):
            raise FileExistsError(17, "there is such a file already", path)
        self._know(note.cards[0])
        also = [repeated_paper(key, Place(path, note.cards[0].line), *there)] if there else []
        return Drafted(settings.root / path, (*problems, *also), tuple(self._remarks(entry, key, why)))

    def _remarks(self, entry: Entry, key: str, why: str) -> Iterator[str]:
        if why and (entry.key or not self._base.schema.match_citekey(key)):
            yield f"the citekey {key} is {why}"
        known = {"authors": entry.authors, "venue": entry.venue, "year": entry.year, "title": entry.title}
        unknown = [name for name, value in known.items() if not value]
        if unknown:
            yield f"the source says nothing of: {', '.join(unknown)}. That is left to you"

    def _know(self, card: Card) -> None:
        self._keys.setdefault(card.citekey.casefold(), card)
        for mark in marks_of_card(card):
            self._cards.setdefault(mark, card)

    def _key(self, entry: Entry) -> tuple[str, str]:
        """The best key for a work, and how it was made; one that was made takes a letter where another has it."""
        keys = [(key, why) for key, why in keys_of(entry, self._base.schema) if self._may_be(key)]
        key, why = keys[0] if keys else ("", "")
        letters = ("", *ascii_lowercase) if why else ("",)
        free = (f"{key}{letter}" for letter in letters if f"{key}{letter}".casefold() not in self._keys)
        return next(free, key), why

    def _may_be(self, key: str) -> bool:
        found = key_problems(key, Place(""), Citation(""), self._base.schema)
        return all(each.severity != "error" for each in found)

    def _text(self, entry: Entry, name: str, key: str, path: str) -> str:
        """The template with all that is known filled in: in its blockquote, else in the front matter."""
        schema, settings = self._base.schema, self._base.settings
        alias = entry.key if entry.key not in (key, "") and is_file_name(entry.key) else ""
        quoted = replace(schema, template=_with_head(schema, entry))
        added: dict[str, object] = {"aliases": [alias]} if alias and alias.casefold() not in self._keys else {}
        added |= _asked_for(schema, entry)
        text = fill(_with_front(quoted, added), as_heading(name), key)
        cards = parse_note(text, path, schema, settings).cards
        if len(cards) == 1:
            missing = missing_fields(Sheet(entry.place, key, name, entry), cards[0], frozenset())
            text = fill(_with_front(quoted, {**missing, **added}), as_heading(name), key)
        return text


def _trimmed(entry: Entry) -> Entry:
    """A work with what a card says of one: no address that its DOI or arXiv number is, no tags of others."""
    doubled = re.match(r"https?://(?:dx\.)?doi\.org/|https?://arxiv\.org/", entry.url) and (entry.doi or entry.arxiv)
    return with_short_venue(replace(entry, url="" if doubled else entry.url, tags=()))


def _has_card(card: Card, mark: Mark) -> Problem:
    message = f"`{card.citekey}` is the paper's card already: it has {mark.shown}"
    hint = "open it; with NAME and CITEKEY, kb new makes another card all the same"
    return problem("K213", Place(card.path, card.line), message, hint, severity="error")


def _asked_for(schema: Schema, entry: Entry) -> dict[str, object]:
    """What the work gives for the fields that the template's front matter has empty."""
    values: dict[str, object] = {
        **{"title": entry.title, "authors": [*map(author_name, entry.authors)], "venue": entry.venue},
        **{"year": entry.year, "arxiv": entry.arxiv, "doi": entry.doi, "url": entry.url},
    }
    empty = (field_of(str(name)) for name, value in schema.front_matter.items() if not value)
    return {field: values[field] for field in empty if values.get(field)}


def _with_front(schema: Schema, added: Mapping[str, object]) -> Schema:
    """The schema with more in the front matter of new cards: under the template's own names where it has them empty."""
    front = {str(name): as_plain(value) for name, value in schema.front_matter.items()}
    own = {field_of(name): name for name in front}
    for field, value in added.items():
        name = own.get(field, field)
        front[name] = front.get(name) or as_plain(value)
    return replace(schema, front_matter=front)


def _with_head(schema: Schema, entry: Entry) -> str:
    """The template's card with the lines of its blockquote filled in where the work gives what they ask for."""
    values = {
        "citation": citation(entry),
        "title": entry.title,
        "authors": ", ".join(map(author_name, entry.authors)),
        "venue": entry.venue,
        "year": str(entry.year or ""),
        "arxiv": entry.arxiv,
        "doi": entry.doi,
        "url": entry.url,
    }
    lines = schema.template.split("\n")
    return "\n".join(_filled(line, values, schema) for line in lines)


def _filled(line: str, values: Mapping[str, str], schema: Schema) -> str:
    """A line of a blockquote: `{citation: …}` becomes the citation, `year: {…}` and `{year: …}` become `year: 2018`."""
    found = _QUOTED.fullmatch(line)
    if not found:
        return line
    text = found["text"]
    inner = text[1:-1] if _TO_FILL.fullmatch(text) else ""
    known, value = known_pair(inner or text)
    known = known or field_of(inner)
    if not values.get(known) or not (inner or _TO_FILL.fullmatch(value)):
        return line
    label = re.split(r"[:：]", inner or text, maxsplit=1)[0].strip()
    labelled = f"{label}: {values[known]}"
    bare = bool(inner) and known == "citation" and _reads_as_citation(values[known], schema)
    return f"{found['mark']}{values[known] if bare else labelled}"


def _reads_as_citation(text: str, schema: Schema) -> bool:
    return set(read_quote([(Place(""), text)], schema).fields) == {"citation"}
