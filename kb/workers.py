"""Work shared out among processes: forked from this one, so that they know all it knows, and ended with it."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

PR_SET_PDEATHSIG = 1
_DIED = "a process that worked on a part of it {}; perhaps memory ran out"


def cores() -> int:
    """How many processes can work at a time; one where a process cannot be split, or has threads at work."""
    if not hasattr(os, "fork") or sys.platform == "darwin" or threading.active_count() > 1:
        return 1
    return len(os.sched_getaffinity(0))


class Other:
    """Another process that works on a share."""

    def __init__(self, work: Callable[[Sequence[Item]], Result], share: Sequence[Item]) -> None:
        reading, writing = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self._process = os.fork()
        if not self._process:
            os.close(reading)
            _work(work, share, parent, writing)
        os.close(writing)
        self._pipe = os.fdopen(reading, "rb")

    def end(self) -> Any:
        """Its result; raises what it raised, or that it died."""
        data = self._pipe.read()
        if status := self._wait():
            raise ChildProcessError(_DIED.format(_ending(status)))
        result, error = pickle.loads(data)
        if error is not None:
            raise error
        return result

    def stop(self) -> None:
        """End it, if it is still there."""
        self._pipe.close()
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            self._wait()

    def _wait(self) -> int:
        process, self._process = self._process, 0
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def collect_seldom() -> None:
    """Let the collector go over this process seldom: parsing makes many objects and leaves few of them in circles."""
    gc.set_threshold(50_000, 20, 50)


def shared_out(work: Callable[[Sequence[Item]], Result], items: Sequence[Item], least: int) -> list[Result]:
    """What `work` makes of the items, in shares: one for each core, each of at least so many items."""
    collect_seldom()
    shares = max(1, min(cores(), len(items) // least))
    if shares == 1:
        return [work(items)]
    gc.freeze()  # what is there already would be copied page by page if the collector went over it
    others: list[Other] = []
    try:
        for number in range(1, shares):
            others.append(Other(work, items[number::shares]))
        return [work(items[::shares]), *(each.end() for each in others)]
    finally:
        gc.unfreeze()
        for each in others:
            each.stop()


def _work(work: Callable[[Sequence[Item]], Result], share: Sequence[Item], parent: int, writing: int) -> NoReturn:
    """What the other process does; it never returns."""
    try:
        die_with(parent)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_outcome(work, share))
        os._exit(0)
    finally:
        os._exit(1)


def _ending(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"


def _outcome(work: Callable[[Sequence[Item]], Result], share: Sequence[Item]) -> bytes:
    """What came of a share: a result, or the error that ended it."""
    try:
        return pickle.dumps((work(share), None))
    except BaseException as error:  # noqa: BLE001 - it is raised again in the process that asked
        try:
            return pickle.dumps((None, error))
        except Exception:  # noqa: BLE001 - an error that cannot travel is told in words
            return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))


def die_with(parent: int) -> None:
    """End when the parent does, however that ends, so that nothing writes on into the next build."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
