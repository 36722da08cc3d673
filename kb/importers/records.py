"""What importers read and what they give: sources in; notes to write, and what was left out, back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kb.records import Card, Place, Problem

Form = Literal["cards", "obsidian", "notes", "bibliography"]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import. `inside` is its path within the folder that was given, POSIX; `shown` how problems name it."""

    path: Path
    shown: str
    inside: str
    text: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was given, or the one of a single file: its notes, and every other file by its path inside."""

    path: Path
    notes: tuple[Source, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that a note shows: where it lies, and where it belongs, relative to the new note."""

    source: Path
    target: str
    place: Place


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note to write: one card. `remarks` say what was changed on the way, in words."""

    card: Card  # as it reads in `text`, but with the path and line of its source
    text: str
    copies: tuple[Copy, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Lines of a source that went into no card, and why."""

    place: Place
    beginning: str  # the first of them that says something
    why: str = "in no card"
    more: int = 0  # lines that say something after the first


@dataclass(frozen=True, slots=True)
class Reading:
    """What an importer made of its sources. `about` says in a line how they were read."""

    notes: tuple[NewNote, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[Problem, ...] = ()
    about: tuple[str, ...] = ()
