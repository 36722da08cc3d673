"""Measuring calls: a runner has their models run, and what comes back is a measurement or a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from kb.calls import CallError, find_factories, is_package_call, normalise, parse_call, split_call
from kb.children import MEMORY, SECONDS, Answer, Conditions, UnavailableError
from kb.fingerprints import fingerprint, package_versions
from kb.package_lock import package_lock
from kb.problems import problem
from kb.records import Factory, KindTotal, Layer, Measurement, Place, Problem
from kb.runners import Job, LocalPool, Runner

Outcome = Measurement | Problem
Progress = Callable[[int, int, str], None]  # how many are done, of how many, and a call that is running


def measure(
    calls: Sequence[str],
    root: Path | str,
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    progress: Progress | None = None,
    models_dir: str = "reference_models",
    packages: Sequence[str] = (),
    runner: Runner | None = None,
) -> Iterator[Outcome]:
    """Measures calls, in the order asked: for each a Measurement, or the Problem that kept it from being one.

    A measurement may be incomplete: `incomplete_problem` says so. Where torch is missing there is one problem
    and no more. Calls that come to the same are measured once; the runner is this machine's cores where none is given.
    """
    conditions = Conditions(Path(root).resolve(), models_dir, seconds, memory)
    came: dict[str, Outcome] = {}
    waiting = list(reversed(calls))
    for call, outcome in arriving(calls, conditions, packages, runner or LocalPool(), progress):
        if not call:
            yield outcome
            return
        came[call] = outcome
        while waiting and waiting[-1] in came:
            yield came[waiting.pop()]


def arriving(
    calls: Iterable[str],
    conditions: Conditions,
    packages: Sequence[str],
    runner: Runner,
    progress: Progress | None = None,
) -> Iterator[tuple[str, Outcome]]:
    """Measures calls: each as it was asked, with what came of it, as soon as that is there.

    Where nothing can be measured at all, the last that comes is one problem, of no call.
    """
    factories, _ = find_factories(conditions.root, conditions.models_dir)
    asked, mistaken = _asked(calls, factories, packages)
    yield from mistaken.items()
    told = _Told(list(asked), progress)
    jobs = (_job(call, factories, conditions) for call in asked)
    try:
        told.next()
        for job, answer in runner.run(jobs, conditions):
            told.next(job.call)
            outcome = _outcome(job, answer, factories)
            yield from ((text, outcome) for text in asked[job.call])
    except UnavailableError as error:
        place = Place(conditions.models_dir)
        yield "", problem("K407", place, f"nothing can be measured: {error}", error.hint)


def _asked(
    calls: Iterable[str], factories: Mapping[str, Factory], packages: Sequence[str]
) -> tuple[dict[str, list[str]], dict[str, Outcome]]:
    """The calls to measure in normal form, each with how it was written, and problems for those that are none."""
    asked: dict[str, list[str]] = {}
    mistaken: dict[str, Outcome] = {}
    for text in dict.fromkeys(calls):
        try:
            asked.setdefault(normalise(text, factories, packages), []).append(text)
        except CallError as error:
            mistaken[text] = problem(error.code, Place(""), error.message, error.hint)
    return asked, mistaken


class _Told:
    """Tells how far the measuring is: at the beginning, and whenever an answer has come."""

    def __init__(self, calls: Sequence[str], progress: Progress | None) -> None:
        self._waiting = dict.fromkeys(calls)
        self._total = len(calls)
        self._progress = progress

    def next(self, done: str = "") -> None:
        self._waiting.pop(done, None)
        if self._progress:
            self._progress(self._total - len(self._waiting), self._total, next(iter(self._waiting), ""))


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


def _job(call: str, factories: Mapping[str, Factory], conditions: Conditions) -> Job:
    factory = factories.get(call.partition("(")[0])
    before = fingerprint(call, factories, conditions.root)
    return Job(call, _request(call, factories), factory.path if factory else "", before)


def _outcome(job: Job, answer: Answer, factories: Mapping[str, Factory]) -> Outcome:
    place = place_of(job.call, factories)
    if "unknown" in answer:
        return _unknown(job.call, answer, place)
    if "measurement" in answer:
        measurement = measurement_from(answer["measurement"])
        versions = answer.get("versions") or package_versions(job.call)
        return replace(measurement, fingerprint=job.fingerprint, versions=versions)
    hint = _hint(job.call) if "error" in answer else answer.get("hint", "")
    reason = described(answer["error"]) if "error" in answer else answer["stopped"]
    return problem("K407", place, f"`{job.call}` could not be measured: {reason}", hint)


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
