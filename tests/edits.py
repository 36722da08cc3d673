"""Edits of a knowledge base, one a line, as people make them: cases are told in them.

in PATH: OLD => NEW      replace a text that stands in a file (`\\n` is a line's end)
write PATH: TEXT         a file
delete PATH              no file any more
move PATH => PATH        another name for a file
kb ARGUMENTS             run kb
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path


def edit(folder: Path, script: str, kb: Callable) -> None:
    """Make the edits of a script in a folder."""
    for line in filter(None, script.splitlines()):
        verb, _, rest = line.partition(" ")
        EDITS[verb](folder, rest.replace("\\n", "\n"), kb)


def replace(folder: Path, rest: str, _: Callable) -> None:
    path, _, change = rest.partition(": ")
    old, new = change.split(" => ")
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text, f"{path} does not hold {old!r}"
    (folder / path).write_text(text.replace(old, new), encoding="utf-8")


def write(folder: Path, rest: str, _: Callable) -> None:
    path, _, text = rest.partition(": ")
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")


def delete(folder: Path, path: str, _: Callable) -> None:
    (folder / path).unlink()


def move(folder: Path, rest: str, _: Callable) -> None:
    old, new = rest.split(" => ")
    (folder / new).parent.mkdir(parents=True, exist_ok=True)
    (folder / old).rename(folder / new)


def run(folder: Path, arguments: str, kb: Callable) -> None:
    done = kb(*shlex.split(arguments), cwd=folder)
    assert done.returncode == 0, done.stderr


EDITS = {"in": replace, "write": write, "delete": delete, "move": move, "kb": run}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, as nobody in particular."""
    nobody = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *nobody, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
