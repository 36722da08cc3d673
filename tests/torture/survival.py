"""Scenarios to be cut off at any step, and what must be whole afterwards."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trees

from kb.lock import read_lock

Files = dict[str, bytes]
Fault = dict[str, Any]  # of `faults.py`, in JSON
PART = ".kb-part"
MADE = ("site/", "build/", ".site.old/", ".site.new/")
FAILED = 4  # kb's exit code where the machine fails


class Driver:
    """Runs jobs of `faults.py`."""

    def __init__(self, *options: str) -> None:
        faults = Path(__file__).with_name("faults.py")
        self._process = subprocess.Popen(
            [sys.executable, faults, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, root: Path, do: Sequence[str], **more: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        told = root.with_name(f"{root.name}.told")
        job = {"root": str(root), "do": list(do), "told": str(told), **more}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return {**answer, "err": Path(f"{told}.err").read_text(encoding="utf-8")}

    def close(self) -> None:
        self._process.communicate()


@dataclass
class Scenario:
    """A command, the knowledge base that it is given in, and what that is before and after."""

    name: str
    folder: Path
    do: tuple[str, ...]
    options: dict[str, Any]
    again: tuple[int, ...]  # how the same command may end that is given after one that was cut off
    old: Files
    new: Files
    all_new: frozenset[str]
    steps: list[tuple[str, str, bool]]  # what changes, where, and whether a worker does it

    @staticmethod
    def of(
        driver: Driver, folder: Path, name: str, do: Sequence[str], again: Sequence[int] = (0,), **options: Any
    ) -> Scenario:
        """See what an undisturbed run does."""
        copy, log = folder.with_name(f"{folder.name} after"), folder.with_name(f"{folder.name}.log")
        shutil.copytree(folder, copy)
        answer = driver.run(copy, do, log=str(log), **options)
        assert answer["status"] == 0, answer
        steps = [tuple(json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]
        assert steps, "the harness sees nothing of what is written"
        new, names = authored(copy) | trees.tree(copy), frozenset(paths(copy))
        shutil.rmtree(copy)
        return Scenario(
            name, folder, tuple(do), options, tuple(again), authored(folder) | trees.tree(folder), new, names, steps
        )

    def cut_off(self, driver: Driver, fault: Fault) -> tuple[bool, list[str]]:
        """Whether the fault came about, and what was not whole after it, or after the next run."""
        root = self.folder.with_name("base")
        shutil.copytree(self.folder, root)
        try:
            answer = driver.run(root, self.do, fault=fault, **self.options)
            harm = [*self.harm(root), *self.told(answer, root, fault)] if answer["fired"] else []
            again = driver.run(root, self.do, **self.options)
            if again["status"] not in self.again:
                harm.append(f"the next run ended with {again['status']}: {again['err']}")
            return bool(answer["fired"]), [*harm, *self.left_over(root)]
        finally:
            shutil.rmtree(root)

    def harm(self, root: Path) -> Iterator[str]:
        """What is neither as it was nor as it is to be."""
        set_aside = self.options.get("no_exchange") and (root / ".site.old").exists() and not (root / "site").exists()
        if not set_aside and _site(trees.tree(root)) not in (_site(self.old), _site(self.new)):
            yield "the site is neither the old one nor the new one"
        moved = _authored(self.old).values() if "--rename" in self.do else ()
        for path, data in authored(root).items():
            if data not in (self.old.get(path), self.new.get(path), *moved) and not path.endswith(PART):
                yield f"{path} is neither what it was nor what it is to be"
        gone = [path for path in _authored(self.old) if path in self.new and not (root / path).exists()]
        yield from (f"{path} is gone" for path in gone)
        if read_lock(root)[1]:
            yield "the lock cannot be read"

    def told(self, answer: dict[str, Any], root: Path, fault: Fault) -> Iterator[str]:
        """What is wrong with how a run ended whose disk had failed."""
        if "Traceback" in answer["err"] or PART in answer["err"]:
            yield f"it said: {answer['err']}"
        if answer["status"] == -signal.SIGKILL:
            return
        now = authored(root)
        if answer["status"] == 0 and now == _authored(self.new):
            return  # it did without, in what is not needed
        if answer["status"] != FAILED:
            yield f"it ended with {answer['status']}: {answer['err']}"
        if fault["kind"] in ("error", "full"):
            if not re.search(rf"^kb: [^:]+: {os.strerror(fault['number'])}: .+$", answer["err"], re.MULTILINE):
                yield f"it said: {answer['err']}"
            if fault["kind"] == "full" and now not in (_authored(self.old), _authored(self.new)):
                yield "something was done, and something was not"

    def left_over(self, root: Path) -> Iterator[str]:
        """What differs from a knowledge base in which nothing had gone wrong."""
        now = authored(root) | trees.tree(root)
        different = sorted(path for path in now.keys() | self.new.keys() if now.get(path) != self.new.get(path))
        if different:
            yield f"after the next run, other than they should be: {different[:5]}"
        left = sorted(path for path in paths(root) if path not in self.all_new and not path.startswith("build/.site-"))
        left += [path for path in paths(root) if path.endswith(PART) and path not in left]
        if left:
            yield f"after the next run, left over: {left[:5]}"


def _site(files: Files) -> Files:
    return {path: data for path, data in files.items() if path.startswith("site/")}


def _authored(files: Files) -> Files:
    return {path: data for path, data in files.items() if not path.startswith(MADE)}


def authored(root: Path) -> Files:
    """The files that are neither the site nor what it is made of on the way."""
    return {path: (root / path).read_bytes() for path in paths(root) if not path.startswith(MADE)}


def paths(root: Path) -> Iterator[str]:
    for parent, _, names in os.walk(root):
        for name in names:
            yield Path(parent, name).relative_to(root).as_posix()


def spread(scenario: Scenario, most: int) -> Iterator[tuple[int, str]]:
    """At most so many steps, evenly spread, with what they change; all, where there are fewer."""
    number = len(scenario.steps)
    for at in sorted({1 + each * number // most for each in range(most)} if number > most else range(1, number + 1)):
        yield at, scenario.steps[at - 1][0]


def kills(scenario: Scenario, most: int) -> Iterator[Fault]:
    """Faults that kill: before a step, and in the middle of a file."""
    for at, event in spread(scenario, most):
        yield {"kind": "kill", "at": at}
        if event == "open":
            yield {"kind": "half", "at": at}


def failures(scenario: Scenario, most: int) -> Iterator[Fault]:
    """Faults of the disk, in turns: full from a step on, or a step that is not allowed."""
    for number, (at, _) in enumerate(spread(scenario, most)):
        if number % 2:
            yield {"kind": "error", "at": at, "number": errno.EACCES}
        else:
            yield {"kind": "full", "at": at, "number": errno.ENOSPC}
