"""Runs commands of kb in processes of their own that are killed, or whose disk fails, at a chosen step.

A step is whatever changes a file below the knowledge base: Python tells of each before it is taken
(`sys.addaudithook`), in worker processes as well. Jobs and answers are JSON, one to a line. What is imported here is
imported once; each job is forked from it, so that hundreds of runs take minutes.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import importlib
import json
import mmap
import os
import resource
import signal
import struct
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

MODULES = (
    *("assembling", "base", "building", "check", "cli", "drafting", "fixing", "importing", "pages", "problems"),
    *("remeasuring", "renaming", "reporting", "selection", "site_builder", "staging", "starting", "theme"),
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PATHS = {  # where the paths of an event are among its arguments, and the folders that they start from
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.remove": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),),
    "os.chmod": ((0, 2),),
    "os.truncate": ((0, -1),),
    "exchange": ((1, -1),),
}
TAKES_ROOM = {"open", "os.mkdir", "os.link", "os.symlink"}
GARBAGE = b"\x00half a file"
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Fault:
    """What is to go wrong at a step: `kill`, `half` (killed while a file was written), `error` or `full`, for good."""

    kind: str = ""
    at: int = 0
    number: int = errno.ENOSPC
    worker: bool = False  # only in a process that another one has forked


class Steps:
    """Counts the steps of a process and of those that it forks, and lets one of them fail."""

    def __init__(self, root: str, fault: Fault, log: str, counted: mmap.mmap) -> None:
        self.root, self.fault, self.main = root + os.sep, fault, os.getpid()
        self.counted = counted  # how many steps there were, and how many went wrong: for all processes
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if log else 0
        self.within = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.within or (event != "open" and event not in PATHS):
            return
        self.within = True
        try:
            path = self.changed(event, args)
            if path:
                self.step(event, path, args)
        finally:
            self.within = False

    def changed(self, event: str, args: tuple[Any, ...]) -> str:
        """The file below the root that an event changes; "" for none."""
        if event == "open":
            wanted = isinstance(args[2], int) and args[2] & WRITING
            paths = [whole(args[0], -1)] if wanted else []
        else:
            paths = [whole(args[path], args[folder] if folder >= 0 else -1) for path, folder in PATHS[event]]
        return next((each for each in paths if each.startswith(self.root)), "")

    def step(self, event: str, path: str, args: tuple[Any, ...]) -> None:
        steps, fired = struct.unpack("ii", self.counted[:])
        self.counted[:] = struct.pack("ii", steps + 1, fired)
        if self.log:
            told = [event, path.removeprefix(self.root), os.getpid() != self.main]
            os.write(self.log, f"{json.dumps(told)}\n".encode())
        if self.is_due(event, steps + 1, fired):
            self.counted[:] = struct.pack("ii", steps + 1, fired + 1)
            self.go_wrong(event, path, args)

    def is_due(self, event: str, step: int, fired: int) -> bool:
        if not self.fault.kind or (self.fault.worker and os.getpid() == self.main):
            return False
        if self.fault.kind == "full":
            return step >= self.fault.at and event in TAKES_ROOM
        return not fired and (step >= self.fault.at if self.fault.worker else step == self.fault.at)

    def go_wrong(self, event: str, path: str, args: tuple[Any, ...]) -> None:
        if self.fault.kind == "memory":
            raise MemoryError
        if self.fault.kind in ("error", "full"):
            raise OSError(self.fault.number, os.strerror(self.fault.number), path)
        if self.fault.kind == "half" and event == "open":
            half_written(path, args[2])
        os.kill(os.getpid(), signal.SIGKILL)


def whole(path: object, folder: int) -> str:
    """A path in full; "" for a file that is open already."""
    if isinstance(path, int):
        return ""
    name = os.fsdecode(path)  # type: ignore[arg-type]
    return os.path.abspath(os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name) if folder >= 0 else name)


def half_written(path: str, flags: int) -> None:
    """Leave a file as a process would that is killed while it writes it."""
    try:
        file = os.open(path, flags & ~os.O_CLOEXEC)
        os.write(file, GARBAGE)
        os.close(file)
    except OSError:  # it would not have come to writing
        pass


def enter_measurements(root: Path) -> None:
    """Other measurements for all calls but `vgg()`, which nobody names any more, as `kb measure` enters them."""
    from kb.base import load
    from kb.lock import read_lock, write_lock
    from kb.remeasuring import with_layers

    base, (lock, _) = load(root), read_lock(root)
    others = [with_layers(base, each) for call, each in sorted(lock.entries.items()) if call != "vgg()"]
    new = [replace(each, params=n, layers=each.layers[: 5 + n]) for n, each in enumerate(others)]
    write_lock(root, new, only=[each.call for each in new])


def act(job: dict[str, Any]) -> int:
    """Do what a job says; the exit code."""
    from kb import cli

    if job["do"] == ["enter"]:
        return cli.guarded(lambda _: enter_measurements(Path(job["root"])) or 0, argparse.Namespace())
    return cli.main(job["do"])


def prepare(job: dict[str, Any], counted: mmap.mmap) -> None:
    """Make a forked process ready for its job."""
    from kb import assembling, keeping, staging, workers, writing

    os.chdir(job["root"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{job['told']}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    if job.get("workers"):  # a small knowledge base is shared out, too, and whatever machine this is
        assembling.LEAST = keeping.LEAST = staging.LEAST = 1
        workers.cores = lambda: 2
    if job.get("largest"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["largest"], job["largest"]))
    steps = Steps(job["root"], Fault(**job.get("fault", {})), job.get("log", ""), counted)
    really = writing.exchange

    def exchange(first: Path, second: Path) -> bool:
        steps("exchange", (first, second))
        return not job.get("no_exchange") and really(first, second)

    writing.exchange = exchange
    sys.addaudithook(steps)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Run a job in a process of its own, and wait for all that it has started."""
    counted = mmap.mmap(-1, 8)
    process = os.fork()
    if not process:
        code = 99
        try:
            prepare(job, counted)
            code = act(job)
            sys.stdout.flush()
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    while True:
        try:
            os.waitpid(-1, 0)  # its workers, which end with it
        except ChildProcessError:
            break
    steps, fired = struct.unpack("ii", counted[:])
    return {"status": status, "steps": steps, "fired": fired}


def main() -> None:
    """Answer jobs until there are no more."""
    if sys.argv[1:] == ["naive"]:
        importlib.import_module("naive")
    for name in MODULES:
        importlib.import_module(f"kb.{name}")
    importlib.import_module("mkdocs.commands.build")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
