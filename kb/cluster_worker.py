"""What a worker of a cluster does with a call: check that it is fit for it, and run it in a child process of its own.

Only this module runs there. The files that the call imports come with it, as bytes; the child process, its limits and
its answers are those of any other machine.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.children import Answer, Children, Conditions, UnavailableError
from kb.fingerprints import installed_version, package_versions
from kb.writing import write_if_changed

IDLE_SECONDS = 60.0  # processes that wait so long for a call are ended

Parcel = Mapping[str, Any]  # a call on its way; plain data, which another version of kb can read as well


@dataclass
class Bench:
    """The folder and the processes for the calls of one run; gone when no call has come for a while."""

    children: Children
    busy: int = 0
    closing: threading.Timer | None = None


_benches: dict[str, Bench] = {}
_lock = threading.Lock()


def answer(parcel: Parcel) -> Answer:
    """What comes of a call; where this worker is not fit for it, why, with its address."""
    from distributed import get_worker

    worker = get_worker()
    missing = _missing(parcel["needs"])
    if missing:
        return _refusal(f"the worker {worker.address} has {missing[0]}", missing[1])
    try:
        with _bench(parcel, Path(worker.local_directory)) as children:
            return children.ask(parcel["request"]) | {"versions": package_versions(parcel["request"]["call"])}
    except UnavailableError as error:
        return _refusal(f"the worker {worker.address} cannot measure: {error}", error.hint)


def _refusal(reason: str, hint: str) -> Answer:
    return {"stopped": reason, "hint": hint}


def _missing(needs: Mapping[str, str]) -> tuple[str, str] | None:
    """The first distribution that is not here as it is where the call comes from, and what to do; None if all are."""
    for name, wanted in needs.items():
        here = installed_version(name)
        if here != wanted:
            there = f"{name} {here} where {wanted} is asked for" if here else f"no {name} {wanted}"
            return there, f'there: pip install "{name}=={wanted}"'
    return None


@contextmanager
def _bench(parcel: Parcel, scratch: Path) -> Iterator[Children]:
    """The processes for a call, with the files that it imports in their folder."""
    with _lock:
        bench = _benches.get(parcel["run"]) or _opened(parcel, scratch)
        bench.busy += 1
        if bench.closing:
            bench.closing.cancel()
        for path, content in parcel["files"].items():
            write_if_changed(bench.children.conditions.root / path, content)
    try:
        yield bench.children
    finally:
        with _lock:
            bench.busy -= 1
            if not bench.busy:
                bench.closing = threading.Timer(IDLE_SECONDS, _close, [parcel["run"]])
                bench.closing.daemon = True
                bench.closing.start()


def _opened(parcel: Parcel, scratch: Path) -> Bench:
    root = Path(tempfile.mkdtemp(prefix="kb-", dir=scratch)).resolve()
    conditions = Conditions(root, parcel["models_dir"], parcel["seconds"], parcel["memory"])
    bench = _benches[parcel["run"]] = Bench(Children(conditions, scratch))
    return bench


def _close(run: str) -> None:
    with _lock:
        if run in _benches and not _benches[run].busy:
            _clear(_benches.pop(run))


def end(run: str) -> None:
    """Ends what is left of a run here, calls that nobody waits for any more too."""
    with _lock:
        if run in _benches:
            _clear(_benches.pop(run))


def _clear(bench: Bench) -> None:
    bench.children.end()
    shutil.rmtree(bench.children.conditions.root, ignore_errors=True)
