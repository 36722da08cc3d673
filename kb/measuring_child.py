"""The process in which models run. It reads requests and writes answers, one JSON object to a line.

Standard input and output are taken away before any model is imported: what a model prints goes nowhere, and
what it reads is empty. This keeps accidents apart from answers; it is no sandbox.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import json
import math
import os
import queue
import random
import signal
import sys
import threading
import traceback
import types
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kb.workers import die_with

if TYPE_CHECKING:
    from kb.records import Measurement

Request = dict[str, Any]
DIGITS = 5  # of a figure's numbers: machines differ in later ones
PACKAGES = f"site-packages{os.sep}"


def main() -> None:
    """Answers requests until there are no more. The first line sets up: root, models folder and memory limit."""
    requests, answers = _private_pipes()
    die_with(os.getppid())
    setup = json.loads(next(requests))
    try:
        import torch  # noqa: F401

        import kb.counting  # noqa: F401
    except ImportError as error:
        _answer(answers, {"missing": str(error)})
        return
    _limit_memory(setup["memory"])
    _find_models(Path(setup["root"]), setup["models"])
    _answer(answers, {"ready": True})
    for line in requests:
        _answer(answers, _respond(json.loads(line), Path(setup["root"])))


def _private_pipes() -> tuple[Iterator[str], IO[str]]:
    """The pipes to the parent, under numbers of their own; 0, 1 and 2 then lead nowhere."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    return _as_they_come(requests), answers


def _as_they_come(requests: IO[str]) -> Iterator[str]:
    """The requests. Who asked may be gone while a model runs, and with him this process and all that it started."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        try:
            for line in requests:
                lines.put(line)
        finally:
            _end()

    threading.Thread(target=read, daemon=True).start()
    return iter(lines.get, None)


def _end() -> None:
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _answer(answers: IO[str], answer: dict[str, object]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _limit_memory(memory: int) -> None:
    """Lets the data of this process grow by so many bytes more. Where that cannot be set, the parent watches."""
    try:
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii")
        used = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData")) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (used + memory, used + memory))
    except (ImportError, OSError, StopIteration, ValueError):
        return


def _find_models(root: Path, models: str) -> None:
    """Makes the folder of models importable under its own name, whatever else of that name is installed."""
    sys.path.insert(0, str(root))
    parts = models.strip("/").split("/")
    for depth in range(1, len(parts) + 1):
        folder = root.joinpath(*parts[:depth])
        if not (folder / "__init__.py").exists():
            package = types.ModuleType(".".join(parts[:depth]))
            package.__path__ = [str(folder)]
            sys.modules[package.__name__] = package


def _respond(request: Request, root: Path) -> dict[str, object]:
    try:
        _start_afresh()
        if "figure" in request:
            return {"figure": _plain(getattr(importlib.import_module(request["module"]), request["figure"])())}
        measurement = _measure_package(request) if request["package"] else _measure_factory(request)
        return {"measurement": dataclasses.asdict(measurement)}
    except UnknownModel as error:
        return {"unknown": error.args[0], "nearest": get_close_matches(error.args[0], error.args[1], n=1)}
    except MemoryError as error:
        return {"error": {"type": "MemoryError", "message": str(error) or "out of memory", "place": ""}}
    except BaseException as error:  # noqa: BLE001 (a model may raise anything, SystemExit too)
        return {"error": {"type": type(error).__name__, "message": _first_line(error), "place": _place(error, root)}}


def _start_afresh() -> None:
    """Takes back what the last model may have set for all of torch."""
    import torch

    importlib.invalidate_caches()  # on a worker, the models' files come call by call
    random.seed(0)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)


def _first_line(error: BaseException) -> str:
    line = next(iter(str(error).strip().splitlines()), "")[:300]
    return ", ".join([line.rstrip("."), *getattr(error, "__notes__", [])])


def _place(error: BaseException, root: Path) -> str:
    """Where a mistake is: the innermost line of the knowledge base, else of an installed package's model."""
    theirs = (f"{Path(__file__).parent}{os.sep}", f"{os.path.dirname(sys.modules['torch'].__file__ or '')}{os.sep}")
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith(theirs)]
    base = f"{root}{os.sep}"
    own = [each for each in frames if each.filename.startswith(base) and PACKAGES not in each.filename]
    installed = [each for each in frames if PACKAGES in each.filename]
    for frame in reversed(own or installed):
        path = frame.filename.removeprefix(base) if own else frame.filename.rpartition(PACKAGES)[2]
        return f"{path.replace(os.sep, '/')}:{frame.lineno}"
    return ""


def _measure_factory(request: Request) -> Measurement:
    from kb.counting import build, make_inputs, measure_module, noting_lines

    file = importlib.import_module(request["module"])
    with noting_lines(os.path.dirname(file.__file__ or "")):
        module = _network(build(getattr(file, request["factory"]), _literal(request["arguments"])), request)
    inputs = make_inputs(getattr(file, request["inputs"]), _literal(request["inputs_arguments"]))
    return measure_module(module, inputs, request["call"])


def _literal(text: str) -> dict[str, object]:
    arguments: dict[str, object] = ast.literal_eval(text)
    return arguments


def _network(made: Any, request: Request) -> Any:
    from torch import nn

    if not isinstance(made, nn.Module):
        raise TypeError(f"{request['factory']} returned {type(made).__name__}, not an nn.Module")
    return made


class UnknownModel(LookupError):
    """A package has no such model: the name, and the names that its module has."""


def _plain(value: Any) -> Any:
    """A figure as JSON has it: tensors are lists, numbers have five digits, what is no number is None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") + 0.0 if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"a figure holds numbers, texts, lists, mappings and tensors, not a {type(value).__name__}")


def _measure_package(request: Request) -> Measurement:
    from kb.counting import measure_module
    from kb.counting.packages import build_package_model, find_factory, input_for, split_arguments

    try:
        factory = find_factory(request["module"], request["factory"])
    except AttributeError:
        module = sys.modules.get(request["module"])
        if module is None or hasattr(module, request["factory"]):
            raise
        raise UnknownModel(request["factory"], dir(module)) from None
    arguments, ours = split_arguments(factory, _literal(request["arguments"]))
    module = _network(build_package_model(factory, arguments), request)
    return measure_module(module, input_for(factory, module, ours, arguments.get("weights")), request["call"])


if __name__ == "__main__":
    main()
