"""Measuring on the machines of a Dask cluster: calls are handed to its scheduler, which gives them to its workers.

Workers need what this machine has: kb, torch and the packages whose models are called, in the same versions. The files
of reference models travel with each call. A call whose worker dies is given to another, as often as the scheduler's
`allowed-failures` says (three times, if nobody has changed it).
"""

from __future__ import annotations

import importlib.util
import logging
import pickle
import queue
import socket
import time
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from kb.children import Answer, Conditions
from kb.fingerprints import installed_version, package_of, sources
from kb.runners import Job

CONNECTING_SECONDS = 10.0
WORKERLESS_SECONDS = 300.0  # clusters that grow as needed take a while to get their first worker
POLL_SECONDS = 1.0
LOGGERS = ("distributed", "distributed.client")
INSTALL = 'pip install "paperkb[cluster]"'


class ClusterUsageError(ValueError):
    """Why no cluster can be asked: a package is missing here, or the address is none."""


class ClusterError(OSError):
    """Why the cluster does not answer, or not any more."""


class _There:
    """Something to be done by a worker: unpickling it, there, calls a function of `kb.cluster_worker`.

    So nothing but plain bytes passes through the scheduler, which then needs no kb, and a worker without it says so.
    """

    def __init__(self, name: str, argument: object) -> None:
        self._name, self._argument = name, argument

    def __reduce__(self) -> tuple[object, ...]:
        from kb import cluster_worker

        return getattr(cluster_worker, self._name), (self._argument,)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Dask cluster, by the address of its scheduler: `tcp://HOST:8786`, or `tls://…` with certificates."""

    address: str

    def __post_init__(self) -> None:
        if importlib.util.find_spec("distributed") is None:
            raise ClusterUsageError(f"measuring on a cluster needs Dask: {INSTALL}")
        _host_and_port(self.address)

    def run(self, jobs: Iterable[Job], conditions: Conditions) -> Iterator[tuple[Job, Answer]]:
        """Each job with its answer, as it comes; raises ClusterError where none can come any more."""
        with _connected(self.address) as client:
            run = _Run(client, conditions, self.address)
            try:
                for job in jobs:
                    run.submit(job)
                yield from run.answers()
            finally:
                run.end()


def _host_and_port(address: str) -> tuple[str, int]:
    """Where a scheduler is to be found; raises ClusterUsageError for what is no address."""
    scheme, _, place = address.rpartition("://")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if scheme not in ("", "tcp", "tls") or not host or not port:
        raise ClusterUsageError(f"{address!r} is no scheduler's address: write tcp://HOST:PORT or tls://HOST:PORT")
    return host, port


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of the scheduler."""
    from distributed import Client

    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what is wrong is said here, once
    try:
        socket.create_connection(_host_and_port(address), CONNECTING_SECONDS).close()  # Dask would try again and again
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions: those that matter are compared call by call
            client = Client(address, timeout=CONNECTING_SECONDS, set_as_default=False)
    except (OSError, TypeError, RuntimeError, ImportError, EOFError) as error:
        raise ClusterError(f"no scheduler can be reached at {address}: {_first_cause(error)}") from None
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=CONNECTING_SECONDS)


def _first_cause(error: BaseException) -> str:
    """What is behind an exception: the refused connection, not that time ran out over it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


class _Run:
    """The calls of one run that are with the cluster."""

    def __init__(self, client: Any, conditions: Conditions, address: str) -> None:
        self._client, self._conditions, self._address = client, conditions, address
        self._id = uuid.uuid4().hex
        self._installed = cache(installed_version)
        self._waiting: dict[str, tuple[Any, Job]] = {}
        self._arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(self, job: Job) -> None:
        """Hand a job to the cluster."""
        key = f"kb-measure-{uuid.uuid4().hex}"
        future = self._client.submit(pickle.loads, pickle.dumps(_There("answer", self._parcel(job))), key=key)
        self._waiting[key] = future, job
        future.add_done_callback(self._arrived.put)

    def _parcel(self, job: Job) -> Mapping[str, Any]:
        """All that a worker needs for a job."""
        place = self._conditions
        needs = {name: self._installed(name) for name in ("paperkb", "torch", package_of(job.call)) if name}
        return {
            "run": self._id,
            "request": job.request,
            "models_dir": place.models_dir,
            "seconds": place.seconds,
            "memory": place.memory,
            "files": _files(job, place),
            "needs": {name: version for name, version in needs.items() if version},
        }

    def answers(self) -> Iterator[tuple[Job, Answer]]:
        """The jobs that were handed over, each with its answer, as it comes.

        With a worker die all the calls that it has, and the scheduler cannot tell which of them is to blame. So those
        whose workers died too often are run once more at the end, each alone; then only the guilty one fails.
        """
        suspects = []
        alone = len(self._waiting) == 1
        while self._waiting:
            future, job = self._waiting.pop(self._next().key)
            answer = self._answer(future)
            if "died" in answer and not alone:
                suspects.append(job)
            else:
                yield job, answer
        for job in suspects:
            self.submit(job)
            yield from self.answers()

    def _next(self) -> Any:
        """A future that is done. Workers may come and go meanwhile; it is an error where there are none for long."""
        last_seen = time.monotonic()
        while True:
            with suppress(queue.Empty):
                return self._arrived.get(timeout=POLL_SECONDS)
            with suppress(OSError):
                last_seen = time.monotonic() if self._client.nthreads() else last_seen
            if time.monotonic() - last_seen > WORKERLESS_SECONDS:
                raise ClusterError(f"{self._address} has had no worker for {WORKERLESS_SECONDS:g} seconds")

    def _answer(self, future: Any) -> Answer:
        from distributed import CancelledError, KilledWorker

        try:
            answer: Answer = future.result()
            return answer
        except CancelledError:
            raise ClusterError(f"{self._address} is gone; `kb measure` again measures what is left") from None
        except KilledWorker as error:
            times, last = error.allowed_failures + 1, error.last_worker.address
            return {"died": True, "stopped": f"{times} workers died while they ran it, {last} the last"}
        except ModuleNotFoundError as error:
            hint = f'on the workers: pip install "paperkb[cluster,models]=={installed_version("paperkb")}"'
            return {"stopped": f"a worker of {self._address} lacks kb: {error}{self._where_no_kb}", "hint": hint}
        except Exception as error:  # noqa: BLE001 - whatever befell this worker, the other calls go on
            return {"stopped": f"its worker failed: {type(error).__name__}: {error}"}

    @cached_property
    def _where_no_kb(self) -> str:
        """The workers on which kb is not installed, in brackets."""
        workers = self._client.get_versions(packages=["paperkb"])["workers"]
        without = sorted(address for address, found in workers.items() if not found["packages"]["paperkb"])
        return f" ({', '.join(without)})" if without else ""

    def end(self) -> None:
        """Take back the jobs that are still with the cluster, and leave nothing of the run there."""
        if self._client.status != "running":
            return
        with suppress(Exception):
            self._client.cancel([future for future, _ in self._waiting.values()])
            self._client.run(pickle.loads, pickle.dumps(_There("end", self._id)), on_error="ignore")


def _files(job: Job, place: Conditions) -> dict[str, bytes]:
    """The files that a reference model consists of, by path: its own, and what it imports of its siblings."""
    if not job.path:
        return {}
    folder = PurePosixPath(job.path).parent
    packages = [
        f"{each}/__init__.py" for each in (folder, *folder.parents) if (place.root / each / "__init__.py").exists()
    ]
    paths = {each for path in (job.path, *packages) for each in sources(path, place.root)}
    return {path: (place.root / path).read_bytes() for path in sorted(paths)}
