"""What a command is about: the notes that its arguments name, wherever they lie."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from kb.base import with_normal_calls
from kb.factories import find_factories
from kb.notes import note_paths, read_note
from kb.records import Card, Problem
from kb.schema import load_schema
from kb.settings import Settings, find_root, load_settings


def cards_of(file: Path) -> tuple[list[Card], list[Problem]]:
    """The cards of one file, read as the knowledge base around it says, or around the working folder, or by default."""
    file.stat()  # a file that is not there is no mistake in a note
    root = find_root(file.parent) or find_root(Path.cwd())
    settings = load_settings(root)[0] if root else Settings(root=Path.cwd())
    schema, problems = load_schema(settings.root)
    note = read_note(settings.root, relative(file, settings.root), schema, settings)
    factories, _ = find_factories(settings.root, settings.models)
    cards = [with_normal_calls(card, factories, settings) for card in note.cards]
    return cards, [*problems, *note.problems]


def relative(path: str | Path, root: Path) -> str:
    """A path as problems show it: relative to the root, with forward slashes."""
    Path(path).stat()
    return Path(os.path.relpath(Path(path).resolve(), root.resolve())).as_posix()


def notes_outside(paths: Iterable[str], settings: Settings) -> list[str]:
    """The notes among the paths, or in folders among them, that do not lie in the notes' folder."""
    found = [note for path in paths for note in _notes_in(settings.root, path)]
    return [path for path in found if not lies_in(path, [settings.notes])]


def notes_among(paths: Sequence[str], settings: Settings) -> list[str]:
    """The notes that these paths name, or that lie in folders among them; all where there are none."""
    places = [relative(path, settings.root) for path in paths]
    notes = {*note_paths(settings.root, settings.notes), *notes_outside(places, settings)}
    return sorted(path for path in notes if not places or lies_in(path, places))


def _notes_in(root: Path, path: str) -> list[str]:
    if (root / path).is_dir():
        return [relative(each, root) for each in sorted((root / path).rglob("*.md"))] if path.startswith("..") else []
    return [path] if path.endswith(".md") else []


def lies_in(path: str, places: Sequence[str]) -> bool:
    """Whether a path is one of the places, or lies in one that is a folder."""
    return any(place == "." or path == place or path.startswith(f"{place}/") for place in places)
