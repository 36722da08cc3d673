"""Finding what there is to import in a folder, or beside a single file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from kb.importers.records import Folder, Source

NOTES = (".md", ".markdown")
_OUR_OWN = frozenset({".obsidian", ".trash", ".git", "node_modules"})


def find(path: Path) -> Folder:
    """The notes and other files of a folder; for a file, itself and what lies beside and below it."""
    if not path.is_dir():
        return Folder(path.parent, (Source(path, path.as_posix(), path.name, ""),), Beside(path.parent))
    files = {inside: path / inside for inside in sorted(_inside(path))}
    notes = [inside for inside in files if inside.casefold().endswith(NOTES) and not _hidden(inside)]
    return Folder(path, tuple(Source(path / each, (path / each).as_posix(), each, "") for each in notes), files)


def _inside(folder: Path) -> Iterator[str]:
    """The paths of all files in a folder, POSIX; of what programs keep for themselves only the names."""
    for parent, folders, names in os.walk(folder):
        inside = Path(parent).relative_to(folder)
        yield from ((inside / name).as_posix() for name in names)
        if inside.name in _OUR_OWN:
            folders.clear()
        folders.sort()


def _hidden(inside: str) -> bool:
    return any(part.startswith(".") or part in _OUR_OWN for part in inside.split("/"))


class Beside(Mapping[str, Path]):
    """The files beside and below a note, by their relative paths: looked for when asked, never listed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, inside: str) -> Path:
        path = self._folder / inside
        if inside.startswith(("../", "/")) or not path.is_file():
            raise KeyError(inside)
        return path

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
