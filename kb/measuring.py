"""Measuring calls: their models run in a child process, and what comes back is a measurement or a problem.

A model that hangs, exits, prints or eats memory costs one problem; the process is started again for the rest.
This is no sandbox: the code of a reference model can do what its user can.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from kb.calls import CallError, find_factories, is_package_call, normalise, parse_call, split_call
from kb.fingerprints import fingerprint, package_versions
from kb.package_lock import package_lock
from kb.problems import problem
from kb.records import Factory, KindTotal, Layer, Measurement, Place, Problem

SECONDS = 60.0  # for one call
MEMORY = 4 * 2**30  # bytes beyond what torch takes
STARTING_SECONDS = 180.0  # importing torch from a cold disk
POLL_SECONDS = 0.05
INSTALL = 'pip install "paperkb[models]"'
PASSED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")  # all of the environment that a model sees, beside HOME and LANG

Answer = dict[str, Any]
Progress = Callable[[int, int, str], None]  # how many are done, of how many, and the call that comes next


class UnavailableError(Exception):
    """The child process cannot measure at all: torch is missing, or does not start. Says why, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ModelStoppedError(Exception):
    """The child process ended, or had to be ended, while a model ran. Says why."""


def measure(
    calls: Sequence[str],
    root: Path | str,
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    progress: Progress | None = None,
    models_dir: str = "reference_models",
    packages: Sequence[str] = (),
) -> Iterator[Measurement | Problem]:
    """Measures calls, in the order asked: for each a Measurement, or the Problem that kept it from being one.

    A measurement may be incomplete: `incomplete_problem` says so. Where torch is missing there is one problem
    and no more.
    """
    root = Path(root).resolve()
    factories, _ = find_factories(root, models_dir)
    with tempfile.TemporaryDirectory(prefix="kb-") as home:
        child = Child(root, models_dir, memory, home)
        try:
            for done, text in enumerate(calls):
                if progress:
                    progress(done, len(calls), text)
                yield _measured(text, factories, packages, child, seconds)
            if progress:
                progress(len(calls), len(calls), "")
        except UnavailableError as error:
            yield problem("K407", Place(models_dir), f"nothing can be measured: {error}", error.hint)
        finally:
            child.stop()


def incomplete_problem(measurement: Measurement, factories: Mapping[str, Factory]) -> Problem | None:
    """What an incomplete measurement leaves out, as a problem at the model's place; None for a complete one."""
    if not measurement.incomplete:
        return None
    message = f"`{measurement.call}` could not be measured completely: {'; '.join(measurement.incomplete)}"
    return problem("K408", place_of(measurement.call, factories), message)


def place_of(call: str, factories: Mapping[str, Factory]) -> Place:
    """Where the model of a call is written; of a package's, where it is allowed."""
    factory = factories.get(call.partition("(")[0])
    return Place(factory.path, factory.line) if factory else Place("mkdocs.yml")


def _measured(
    text: str, factories: Mapping[str, Factory], packages: Sequence[str], child: Child, seconds: float
) -> Measurement | Problem:
    try:
        call = normalise(text, factories, packages)
    except CallError as error:
        return problem(error.code, Place(""), error.message, error.hint)
    place = place_of(call, factories)
    before = fingerprint(call, factories, child.root)
    try:
        answer = child.ask(_request(call, factories), seconds)
    except ModelStoppedError as error:
        return problem("K407", place, f"`{call}` could not be measured: {error}")
    if "unknown" in answer:
        return _unknown(call, answer, place)
    if "error" in answer:
        return problem("K407", place, f"`{call}` could not be measured: {described(answer['error'])}", _hint(call))
    measurement = measurement_from(answer["measurement"])
    return replace(measurement, fingerprint=before, versions=package_versions(call))


def _unknown(call: str, answer: Answer, place: Place) -> Problem:
    module = call.partition(":")[0]
    hint = "".join(f"did you mean `{module}:{name}()`?" for name in answer["nearest"])
    return problem("K402", place, f"`{module}` has no model `{answer['unknown']}`", hint)


def described(error: Mapping[str, str]) -> str:
    """What a child process says of an exception, in words."""
    if error["type"] == "SystemExit":
        return f"the model called exit({error['message']})" + _in_brackets(error["place"])
    return f"{error['type']}: {error['message']}" + _in_brackets(error["place"])


def _hint(call: str) -> str:
    """For a package's model that kb does not know at all, the nearest that it does."""
    brought = package_lock(call) if is_package_call(call) else None
    known = brought is None or brought.get(f"{call.partition('(')[0]}()")
    return "" if known or brought is None else brought.hint(call)


def _in_brackets(place: str) -> str:
    return f" ({place})" if place else ""


def _request(call: str, factories: Mapping[str, Factory]) -> Answer:
    parsed = parse_call(call)
    if is_package_call(call):
        module, _, name = parsed.name.partition(":")
        arguments = repr(dict(parsed.arguments))
        return {"call": call, "package": True, "module": module, "factory": name, "arguments": arguments}
    factory = factories[parsed.name]
    own, of_inputs = split_call(parsed, factory)
    return {
        "call": call,
        "package": False,
        "module": str(PurePosixPath(factory.path).with_suffix("")).replace("/", "."),
        "factory": factory.name,
        "arguments": repr(own),
        "inputs": factory.inputs,
        "inputs_arguments": repr(of_inputs),
    }


def measurement_from(data: Mapping[str, Any]) -> Measurement:
    """A measurement from its JSON form, which is `dataclasses.asdict` of it."""
    layers = tuple(
        Layer(**(layer | {"input": tuple(layer["input"]), "output": tuple(layer["output"])}))
        for layer in data["layers"]
    )
    by_kind = {kind: KindTotal(**total) for kind, total in data["by_kind"].items()}
    return Measurement(**{**data, "layers": layers, "by_kind": by_kind, "incomplete": tuple(data["incomplete"])})


@dataclass
class Child:
    """The process in which models run: started when first asked, and again when a model has stopped it."""

    root: Path
    models_dir: str
    memory: int
    home: str
    _process: subprocess.Popen[str] | None = None
    _answers: queue.Queue[str | None] = field(default_factory=queue.Queue)

    def ask(self, request: Answer, seconds: float) -> Answer:
        """The child's answer; raises ModelStoppedError where none came in time, or the process ended."""
        process = self._process or self._start()
        try:
            self._send(process, request)
            return self._receive(process, seconds)
        except ModelStoppedError:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the process, and whatever a model has started in it."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    def _start(self) -> subprocess.Popen[str]:
        self._answers = queue.Queue()
        process = self._process = subprocess.Popen(
            [sys.executable, "-B", "-P", "-c", "from kb.measuring_child import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.root,
            env=_environment(self.home),
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=_read_lines, args=(process, self._answers), daemon=True).start()
        setup: Answer = {"root": str(self.root), "models": self.models_dir, "memory": self.memory}
        try:
            self._send(process, setup)
            answer = self._receive(process, STARTING_SECONDS)
        except ModelStoppedError as error:
            raise UnavailableError(f"torch does not start: {error}") from None
        if "missing" in answer:
            raise UnavailableError(answer["missing"], INSTALL)
        return process

    def _send(self, process: subprocess.Popen[str], message: Answer) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        except OSError:
            raise ModelStoppedError(_ending(process)) from None

    def _receive(self, process: subprocess.Popen[str], seconds: float) -> Answer:
        """Waits for one line; meanwhile watches the clock and the memory."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._answers.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise ModelStoppedError(f"it took longer than {seconds:g} seconds") from None
                if resident_bytes(process.pid) > 2 * self.memory:
                    raise ModelStoppedError(f"it took more than {self.memory / 2**30:g} GiB of memory") from None
                continue
            return self._decoded(process, line)

    @staticmethod
    def _decoded(process: subprocess.Popen[str], line: str | None) -> Answer:
        if line is None:
            raise ModelStoppedError(_ending(process))
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ModelStoppedError("its process answered what cannot be read")
        return answer


def _environment(home: str) -> dict[str, str]:
    """What a model sees of the environment: no tokens, and no home but an empty one."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    search = [str(Path(__file__).resolve().parent.parent), *filter(None, sys.path)]
    return kept | {
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(search),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "TORCHDYNAMO_DISABLE": "1",  # compiling a model would change nothing that is counted
    }


def _read_lines(process: subprocess.Popen[str], answers: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answers.put(line)
    except ValueError:  # the pipe was closed while waiting
        pass
    answers.put(None)


def _ending(process: subprocess.Popen[str]) -> str:
    """How the process came to its end."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "it closed its output"
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"


def _kill(process: subprocess.Popen[str]) -> None:
    """Ends the process and its children: it leads a process group of its own where the system has such."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        return


def resident_bytes(pid: int) -> int:
    """The memory that a process holds; 0 where the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
