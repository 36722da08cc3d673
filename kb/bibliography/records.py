"""What a bibliography says of one work, whichever form it was written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kb.records import Place, Problem


@dataclass(frozen=True, slots=True)
class Author:
    """A person, or an organisation, which has a `family` name alone."""

    family: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One work. Fields are plain text ("" or None where the file does not give them), abstract and notes Markdown."""

    place: Place
    type: str = ""  # as the file says: article, paper-conference, journalArticle, …
    key: str = ""
    title: str = ""
    short_title: str = ""
    authors: tuple[Author, ...] = ()
    et_al: bool = False  # the list ends in `and others`
    venue: str = ""
    year: int | None = None
    doi: str = ""
    arxiv: str = ""
    url: str = ""
    tags: tuple[str, ...] = ()
    abstract: str = ""
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # attachments: they stay where they are
    other: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that is no work: a note of its own, an attachment, a comment between entries."""

    place: Place
    beginning: str
    why: str


@dataclass(frozen=True, slots=True)
class Library:
    """All that one file holds. `form` is bibtex, csl, zotero or json."""

    form: str
    entries: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    problems: tuple[Problem, ...] = ()
