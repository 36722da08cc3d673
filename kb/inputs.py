"""What a site is made from: the files that are looked at to tell whether anything has changed since the last build."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from kb.file_names import is_left_behind
from kb.resources import PACKAGE, templates_dir
from kb.settings import BIBLIOGRAPHY, FILE, Settings

IGNORED_FOLDERS = ("__pycache__", "node_modules")

# A file as it was last seen: path, size, time of change. Cheaper than its bytes, and what make looks at too.
Seen = tuple[str, int, int]


def snapshot(settings: Settings) -> frozenset[Seen]:
    """The user's files: settings, notes, models, templates and bibliographies."""
    folders = (settings.root / name for name in (settings.notes, settings.models, "templates"))
    single = [settings.root / path for path in dict.fromkeys((FILE, BIBLIOGRAPHY, *settings.bibliography))]
    below = (found for folder in folders for found in seen_in(folder, settings.root))
    return frozenset([*below, *seen(single, settings.root)])


def fingerprint(settings: Settings, *options: str) -> str:
    """A digest of all that a build depends on: the user's files, kb's own, and the installed packages."""
    return digest([*sorted(snapshot(settings)), *tools(), *environment(settings), *options])


def fixed(settings: Settings, *options: str) -> str:
    """A digest of all that is the same for every page: the user's files but for the notes, and what made them."""
    notes = f"{settings.notes}/"
    others = sorted(found for found in snapshot(settings) if not found[0].startswith(notes))
    return digest([*others, *tools(), *environment(settings), *options])


@cache
def tools() -> tuple[object, ...]:
    """kb's own files, the installed packages by their versions, and Python's version."""
    ours = sorted([*seen_in(PACKAGE, PACKAGE), *seen_in(templates_dir(), templates_dir())])
    folders = [folder for folder in sys.path if os.path.isdir(folder)]
    packages = {name for folder in folders for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info"))}
    return (*ours, *sorted(packages), sys.version)


def contents(settings: Settings) -> dict[str, str]:
    """A digest of the bytes of each of the user's files, by path."""
    return {path: digest_of_file(settings.root / path) for path, *_ in sorted(snapshot(settings))}


def digest_of_file(path: Path) -> str:
    """The beginning of the SHA-256 of a file's bytes: enough to tell it from what it was; "" for one just gone."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return ""


def digest_of_bytes(data: bytes) -> str:
    """The same of bytes at hand."""
    return hashlib.sha256(data).hexdigest()[:16]


def environment(settings: Settings) -> list[tuple[str, str | None]]:
    """The environment variables that the settings read (`!ENV`), with their values."""
    text = (settings.root / FILE).read_text(encoding="utf-8", errors="replace")
    named = re.findall(r"!ENV\s+(?:\[([^\]]*)\]|(\w+))", text)
    names = sorted({name for group in named for name in re.findall(r"\w+", " ".join(group))})
    return [(name, os.environ.get(name)) for name in names]


def fingerprint_of_folder(folder: Path) -> str:
    """A digest of what lies in a folder; it changes when a file in it is changed, added or removed."""
    return digest(sorted(seen_in(folder, folder)))


def digest(parts: Iterable[object]) -> str:
    """The SHA-256 of the parts' representations."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


def seen_in(folder: Path, base: Path) -> Iterator[Seen]:
    """The files below a folder, without hidden ones and editors' copies; their paths are relative to `base`."""
    start = len(str(base)) + 1
    for parent, names, files in os.walk(folder):
        names[:] = [name for name in names if not name.startswith(".") and name not in IGNORED_FOLDERS]
        kept = (os.path.join(parent, name) for name in files if not is_left_behind(name))
        yield from _seen(kept, start)


def seen(paths: Iterable[Path], base: Path) -> Iterator[Seen]:
    """The files among the paths that can be looked at."""
    return _seen(map(str, paths), len(str(base)) + 1)


def _seen(paths: Iterable[str], start: int) -> Iterator[Seen]:
    for path in paths:
        try:
            stat = os.stat(path)
        except OSError:  # gone between listing and looking, or a link to nowhere
            continue
        yield path[start:].replace(os.sep, "/"), stat.st_size, stat.st_mtime_ns
