"""The child processes in which models run: started, asked, watched, and ended.

A model that hangs, exits, prints or eats memory costs one answer; its process is started again for the next.
This is no sandbox: the code of a reference model can do what its user can.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 60.0  # for one call
MEMORY = 4 * 2**30  # bytes beyond what torch takes
STARTING_SECONDS = 180.0  # importing torch from a cold disk
POLL_SECONDS = 0.05
INSTALL = 'pip install "paperkb[models]"'
PASSED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")  # all of the environment that a model sees, beside HOME and LANG

Answer = dict[str, Any]


class UnavailableError(Exception):
    """The child process cannot measure at all: torch is missing, or does not start. Says why, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ModelStoppedError(Exception):
    """The child process ended, or had to be ended, while a model ran. Says why."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where models lie, and what each of them may take."""

    root: Path
    models_dir: str = "reference_models"
    seconds: float = SECONDS
    memory: int = MEMORY


@dataclass
class Child:
    """The process in which models run: started when first asked, and again when a model has stopped it."""

    conditions: Conditions
    home: str
    _process: subprocess.Popen[str] | None = None
    _answers: queue.Queue[str | None] = field(default_factory=queue.Queue)
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def ask(self, request: Answer) -> Answer:
        """The child's answer; raises ModelStoppedError where none came in time, or the process ended."""
        process = self._process or self._start()
        try:
            self._send(process, request)
            return self._receive(process, self.conditions.seconds)
        except ModelStoppedError:
            self.stop()
            raise

    def end(self) -> None:
        """Stops for good, from whatever thread: who is waiting for an answer waits no longer."""
        with self._starting:
            self._ended = True
        self.stop()

    def stop(self) -> None:
        """Ends the process, and whatever a model has started in it."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what was still to be written can no longer be
                if pipe:
                    pipe.close()

    def _start(self) -> subprocess.Popen[str]:
        process = self._launch()
        threading.Thread(target=_read_lines, args=(process, self._answers), daemon=True).start()
        place = self.conditions
        setup: Answer = {"root": str(place.root), "models": place.models_dir, "memory": place.memory}
        try:
            self._send(process, setup)
            answer = self._receive(process, STARTING_SECONDS)
        except ModelStoppedError as error:
            raise UnavailableError(f"torch does not start: {error}") from None
        if "missing" in answer:
            raise UnavailableError(answer["missing"], INSTALL)
        return process

    def _launch(self) -> subprocess.Popen[str]:
        with self._starting:
            if self._ended:
                raise ModelStoppedError("it was no longer wanted")
            self._answers = queue.Queue()
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-P", "-c", "from kb.measuring_child import main; main()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self.conditions.root,
                env=_environment(self.home),
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            return self._process

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
                if resident_bytes(process.pid) > 2 * self.conditions.memory:
                    limit = f"{self.conditions.memory / 2**30:g} GiB"
                    raise ModelStoppedError(f"it took more than {limit} of memory") from None
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


class Children:
    """As many child processes as are asked at the same time; one that has answered is asked again."""

    def __init__(self, conditions: Conditions, scratch: Path | None = None) -> None:
        self.conditions = conditions
        self._home = tempfile.TemporaryDirectory(prefix="kb-", dir=scratch, ignore_cleanup_errors=True)
        self._all: list[Child] = []
        self._idle: list[Child] = []  # appending and popping are safe between threads

    def ask(self, request: Answer) -> Answer:
        """What Child.ask gives, from a process that is not busy; where a model stopped it, what it is to blame for."""
        child = self._idle.pop() if self._idle else self._another()
        try:
            return child.ask(request)
        except ModelStoppedError as error:
            return {"stopped": str(error)}
        finally:
            self._idle.append(child)

    def _another(self) -> Child:
        child = Child(self.conditions, tempfile.mkdtemp(dir=self._home.name))
        self._all.append(child)
        return child

    def end(self) -> None:
        """Ends all processes, whoever may be waiting for their answers."""
        for child in self._all:
            child.end()
        self._home.cleanup()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


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
