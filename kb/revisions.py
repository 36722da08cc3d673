"""A knowledge base as it was at a git revision: its files, read from the repository; no file of it is touched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from kb import writing
from kb.base import Base, load
from kb.records import Note
from kb.schema import FILE as TEMPLATE
from kb.settings import FILE, Settings

READ = (".md", ".py", ".yml")  # of what lies in a knowledge base, all that cards and figures come from
REGULAR = ("100644", "100755")  # modes of files; links and submodules are others


class RevisionError(Exception):
    """Why there is no reading a revision, in words."""


def load_at(base: Base, revision: str) -> Base:
    """A knowledge base as it was at a revision; one that was not there yet is empty."""
    settings = base.settings
    files = dict(files_at(settings, commit_of(settings.root, revision)))
    with TemporaryDirectory(prefix="kb-") as folder:
        writing.sync_tree(Path(folder), files)
        return load(folder, known=unchanged(base, files))


def unchanged(base: Base, files: Mapping[str, bytes]) -> dict[str, Note]:
    """The notes that are as they were, where they are read as they were, too: nothing in them need be read again."""

    def same(path: str) -> bool:
        file = base.settings.root / path
        return files.get(path) == (file.read_bytes() if file.is_file() else None)

    if not (same(FILE) and same(TEMPLATE)):
        return {}
    return {note.path: note for note in base.notes if same(note.path)}


def commit_of(root: Path, revision: str) -> str:
    """The commit that a revision names: a branch, a tag, `HEAD^`, a part of a hash."""
    if not run_git(root, "rev-parse", "--is-inside-work-tree"):
        raise RevisionError(f"{root} lies in no git repository, so there is nothing to compare with")
    found = run_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not found:
        raise RevisionError(
            f"git knows no revision `{revision}` here: name a branch, a tag or a commit; in a shallow clone, "
            "fetch more of the history first (git fetch --deepen=1)"
        )
    return found.decode().strip()


def files_at(settings: Settings, commit: str) -> Iterator[tuple[str, bytes]]:
    """The knowledge base's settings, notes, models and template in a commit, by path below its root."""
    wanted = (FILE, settings.notes, settings.models, TEMPLATE)
    listed = run_git(settings.root, "ls-tree", "-r", "-z", commit, "--", *wanted)
    entries = (line.split("\t", 1) for line in listed.decode("utf-8", "surrogateescape").split("\0") if line)
    found = [(path, *details.split()) for details, path in entries]
    blobs = [(path, name) for path, mode, _, name in found if mode in REGULAR and path.endswith(READ)]
    yield from zip((path for path, _ in blobs), contents(settings.root, [name for _, name in blobs]), strict=True)


def contents(root: Path, names: Sequence[str]) -> Iterator[bytes]:
    """What blobs hold, in their order, from one run of git."""
    answer = run_git(root, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names))
    position = 0
    for _ in names:
        start = answer.find(b"\n", position) + 1
        header = answer[position:start].split()
        if len(header) != 3:  # a clone without the contents of files, say
            raise RevisionError("the repository lacks some of the files of that revision: git fetch them first")
        size = int(header[2])
        yield answer[start : start + size]
        position = start + size + 1


def origin_of(folder: Path) -> str:
    """The address of the remote repository of the work tree around a folder; "" where there is none."""
    return run_git(folder, "config", "--get", "remote.origin.url").decode("utf-8", "replace").strip()


def is_below_top(folder: Path) -> bool:
    """Whether a folder lies in a git repository, and is not its top."""
    return bool(run_git(folder, "rev-parse", "--show-prefix").strip())


def run_git(folder: Path, *arguments: str, stdin: str = "") -> bytes:
    """What git answers in a folder; nothing where it has nothing to say. Raises RevisionError without git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, input=stdin.encode(), capture_output=True, check=False)
    except FileNotFoundError:
        raise RevisionError("git is not installed, or not on the path") from None
    if b"dubious ownership" in done.stderr:
        raise RevisionError(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout if done.returncode == 0 else b""
