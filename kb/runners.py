"""Who has models run: a runner takes jobs, and gives back each with its answer, in whatever order they come.

`LocalPool` runs them on the cores of this machine, `kb.clusters.Cluster` on those of others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from kb.children import Answer, Children, Conditions

AHEAD = 2  # jobs for each process: the next is there when one is done


@dataclass(frozen=True, slots=True)
class Job:
    """One call to be measured: what the child process is asked, and the model's file with the state that it is in."""

    call: str
    request: Answer
    path: str = ""  # none for a package's model
    fingerprint: str = ""


class Runner(Protocol):
    """Runs jobs. An answer holds a measurement, or says why there is none.

    The jobs are taken one by one, as they are needed; a runner that nobody listens to any more stops its work.
    """

    def run(self, jobs: Iterable[Job], conditions: Conditions) -> Iterator[tuple[Job, Answer]]:
        """Each job with its answer; raises UnavailableError where nothing can be measured at all."""
        ...


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class LocalPool:
    """Child processes on this machine, so many at a time."""

    size: int = field(default_factory=cores)

    def run(self, jobs: Iterable[Job], conditions: Conditions) -> Iterator[tuple[Job, Answer]]:
        """Each job with its answer, as it comes."""
        with ThreadPoolExecutor(self.size) as threads, Children(conditions) as children:
            running: dict[Future[Answer], Job] = {}
            try:
                for job in jobs:
                    running[threads.submit(children.ask, job.request)] = job
                    if len(running) >= AHEAD * self.size:
                        yield from _finished(running)
                while running:
                    yield from _finished(running)
            finally:
                for future in running:
                    future.cancel()


def _finished(running: dict[Future[Answer], Job]) -> Iterator[tuple[Job, Answer]]:
    """Waits until some are done, and takes them out."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in [each for each in running if each in done]:
        yield running.pop(future), future.result()
