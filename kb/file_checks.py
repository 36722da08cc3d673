"""What is wrong with files as files: links that lead astray, names that not every system can have."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from kb.base import Base
from kb.file_names import fault, hidden_letter, leads_out, named, same
from kb.problems import problem
from kb.records import Place, Problem

_TEMPLATES = "templates"


def misleading_files(base: Base) -> Iterator[Problem]:
    """Links in the file system to what lies outside, and to folders: neither is followed; names that get lost."""
    root, settings = base.settings.root, base.settings
    for name in (settings.notes, settings.models, _TEMPLATES):
        if os.path.islink(root / name):
            yield from _link_problems(root, name)
        for folder, names in _walk(root, name):
            for each in names:
                if os.path.islink(root / folder / each):
                    yield from _link_problems(root, posixpath.join(folder, each))
            if name == settings.notes:
                yield from _unusable_names(folder, names)


def _link_problems(root: Path, path: str) -> Iterator[Problem]:
    if leads_out(root / path, root):
        hint = "copy into the knowledge base what it leads to"
        yield problem("K305", Place(path), "the link leads out of the knowledge base, and is not followed", hint)
    elif (root / path).is_dir() and "/" in path:
        hint = "put the files of that folder here, or remove the link"
        yield problem("K101", Place(path), "the link leads to a folder, and such links are not followed", hint)


def _unusable_names(folder: str, names: Sequence[str]) -> Iterator[Problem]:
    """Names among those of one folder that would be lost, or taken for each other, on other systems."""
    taken: dict[str, str] = {}
    for name in names:
        place = Place(posixpath.join(folder, name))
        earlier = taken.setdefault(same(name), name)
        if earlier != name:
            message = f"the name differs from `{earlier}` by case or Unicode form alone"
            yield problem("K109", place, message, "on many systems one of the two replaces the other: rename it")
        elif wrong := _wrong_with(name):
            yield problem("K109", place, f"the name {wrong}", "rename it")


def _wrong_with(name: str) -> str:
    letter = hidden_letter(name)
    return f"holds {named(letter)}, which cannot be seen" if letter else fault(name)


def _walk(root: Path, top: str) -> Iterator[tuple[str, list[str]]]:
    """One of the root's folders and those below it, by their paths from the root, with what is in them, not hidden."""
    if not leads_out(root / top, root):
        for parent, folders, files in os.walk(root / top):
            folders[:] = (name for name in folders if not name.startswith("."))
            shown = Path(parent).relative_to(root).as_posix()
            yield shown, sorted([*folders, *(name for name in files if not name.startswith("."))])


def hidden_letters(base: Base) -> Iterator[Problem]:
    """Letters that cannot be seen in what links lead to: what is read is not where they lead."""
    for card in base.cards:
        for link in card.references:
            if letter := hidden_letter(link.target):
                place = Place(card.path, link.line, link.column)
                message = f"the link `{link.target}` holds {named(letter)}, which cannot be seen"
                yield problem("K216", place, message, "write it without")
