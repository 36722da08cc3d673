"""Real clusters for the tests: a scheduler and its workers, each a process of its own, that talk over TCP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
QUIET = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1", "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": "10"}


class Machines:
    """A scheduler, and the workers that are started beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        about = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", about]
        without_kb = shadow(folder / "scheduler", "kb.py", "raise ImportError('the scheduler has no kb')")
        self.scheduler = self._start("scheduler", *options, search=without_kb)
        self.address = json.loads(wait_for(lambda: about.exists() and about.read_text(encoding="utf-8")))["address"]

    def worker(self, *, search: Path | None = None) -> subprocess.Popen[bytes]:
        """One more worker with a nanny, which is the process that is returned, and starts it again when it dies."""
        options = ["--nthreads", "1", "--no-dashboard", "--local-directory", self.folder / "scratch"]
        return self._start("worker", self.address, *options, search=search)

    def _start(self, kind: str, *options: object, search: Path | None) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{kind}-{len(self.processes)}.log").open("wb")
        paths = [str(each) for each in (search, *sys.path) if each]
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", kind, *map(str, options)],
            cwd=self.folder,
            env=os.environ | QUIET | {"PYTHONPATH": os.pathsep.join(paths)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End every process, and all that they started."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def machines(folder: Path) -> Iterator[Machines]:
    """A scheduler without workers, for as long as it is needed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Machines(folder)
    try:
        yield made
    finally:
        made.stop()


def shadow(folder: Path, name: str, text: str) -> Path:
    """A folder to search before all others, with one file in it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def wait_for(found: Callable[[], T], seconds: float = 60) -> T:
    """What a function gives as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return value
