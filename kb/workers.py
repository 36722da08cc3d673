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
from typing import Any, BinaryIO, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

PR_SET_PDEATHSIG = 1


def cores() -> int:
    """How many processes can work at a time; one where a process cannot be split, or has threads at work."""
    if not hasattr(os, "fork") or sys.platform == "darwin" or threading.active_count() > 1:
        return 1
    return len(os.sched_getaffinity(0))


def shared_out(work: Callable[[Sequence[Item]], Result], items: Sequence[Item], least: int) -> list[Result]:
    """What `work` makes of the items, in shares: one for each core, each of at least so many items."""
    gc.set_threshold(50_000, 20, 50)  # parsing makes many objects and leaves few of them in circles
    shares = max(1, min(cores(), len(items) // least))
    if shares == 1:
        return [work(items)]
    gc.freeze()  # what is there already would be copied page by page if the collector went over it
    others = [_begin(work, items[number::shares]) for number in range(1, shares)]
    try:
        return [work(items[::shares]), *(_end(each) for each in others)]
    finally:
        gc.unfreeze()
        for process, _ in others:
            _stop(process)


def _begin(work: Callable[[Sequence[Item]], Result], share: Sequence[Item]) -> tuple[int, BinaryIO]:
    reading, writing = os.pipe()
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        os.close(writing)
        return process, os.fdopen(reading, "rb")
    try:  # the child, which never returns
        os.close(reading)
        _die_with(parent)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_outcome(work, share))
    finally:
        os._exit(0)


def _outcome(work: Callable[[Sequence[Item]], Result], share: Sequence[Item]) -> bytes:
    """What came of a share: a result, or the error that ended it."""
    try:
        return pickle.dumps((work(share), None))
    except BaseException as error:  # noqa: BLE001 - it is raised again in the process that asked
        try:
            return pickle.dumps((None, error))
        except Exception:  # noqa: BLE001 - an error that cannot travel is told in words
            return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))


def _end(child: tuple[int, BinaryIO]) -> Any:
    with child[1] as pipe:
        data = pipe.read()
    if not data:
        raise ChildProcessError("a process that worked on a part of the build has died")
    result, error = pickle.loads(data)
    if error is not None:
        raise error
    return result


def _stop(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def _die_with(parent: int) -> None:
    """End when the parent does, however that ends, so that nothing writes on into the next build."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
