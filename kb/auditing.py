"""An audit: what a file prints of its models, judged as a results table is, by column and with the same conventions.

A model is named by the first of these that there is: the mapping of names to calls, the file's own call, a call or a
reference model's name in place of the model's own, and the module that the models are named after. One that none of
them names is listed as it is printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from kb import remeasuring
from kb.base import Base
from kb.calls import CallError, is_call, is_package_call, normalise
from kb.judging import CONVENTIONS, judge
from kb.lock import stale_calls
from kb.measuring import incomplete_problem
from kb.model_indexes import as_text, read_index
from kb.plain_yaml import PlainMapping, load_plain, place_of
from kb.problems import in_order, problem
from kb.problems import nearest as nearest_name
from kb.records import Measurement, Place, Problem, ResultRow, Verdict
from kb.zoos import Entry, Zoo, read_table

TABLES = (".csv", ".tsv")
INDEXES = (".yml", ".yaml", ".json", ".md")


@dataclass(frozen=True, slots=True)
class Naming:
    """How models are called that the file does not call itself: by a mapping of names, or after a module."""

    calls: PlainMapping = field(default_factory=PlainMapping)
    path: str = ""  # of the mapping's file
    module: str = ""

    def call_for(self, name: str) -> tuple[str, Place] | None:
        """The call that a name stands for: its own entry's before those of patterns."""
        keys = [key for key in self.calls if key == name] or [key for key in self.calls if fnmatchcase(name, key)]
        return next(((str(self.calls[key]), place_of(self.calls, key, Place(self.path))) for key in keys), None)


@dataclass(frozen=True, slots=True)
class AuditedFigure:
    """A figure of a file with its verdict.

    `nearest` is the convention that comes nearest to an unexplained figure, `nearest_count` what it gives.
    """

    column: str
    verdict: Verdict
    place: Place
    nearest: str = ""
    nearest_count: int | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class AuditedModel:
    """A model of a file, the call that it stands for ("" if none), and its figures."""

    label: str
    call: str
    place: Place
    figures: tuple[AuditedFigure, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """All that came of a file."""

    path: str
    models: tuple[AuditedModel, ...]
    problems: tuple[Problem, ...]

    @property
    def figures(self) -> tuple[AuditedFigure, ...]:
        """The figures of all models."""
        return tuple(figure for model in self.models for figure in model.figures)

    @property
    def unexplained(self) -> bool:
        """Whether any figure is."""
        return any(figure.verdict.status == "unexplained" for figure in self.figures)


def is_readable(path: Path) -> bool:
    """Whether the name of a file says that it is a table or an index."""
    return path.suffix.lower() in TABLES + INDEXES


def read_zoo(path: Path) -> Zoo:
    """The models of a file. Raises OSError where it cannot be read."""
    text = as_text(path.read_bytes(), path.as_posix())
    if isinstance(text, Problem):
        return Zoo(problems=(text,))
    if path.suffix.lower() in TABLES:
        return read_table(text, path.as_posix())
    return read_index(text, path.as_posix(), path.parent)


def read_naming(path: Path | None, module: str = "") -> tuple[Naming, list[Problem]]:
    """The mapping of names to calls in a file, and what is wrong with it. Raises OSError where it cannot be read."""
    if path is None:
        return Naming(module=module), []
    text = as_text(path.read_bytes(), path.as_posix())
    if isinstance(text, Problem):
        return Naming(module=module), [text]
    data, problems = load_plain(text, path.as_posix())
    if not isinstance(data, PlainMapping) and not problems:
        problems = [problem("K505", Place(path.as_posix()), "the calls are no mapping", "write `name: call` lines")]
    return Naming(data if isinstance(data, PlainMapping) else PlainMapping(), path.as_posix(), module), problems


def audit(path: Path, base: Base, naming: Naming, say: remeasuring.Say) -> Audit:
    """Reads a file, measures the models that it names, and judges what it prints of them."""
    zoo = read_zoo(path)
    ties = [_tie(entry, base, naming) for entry in zoo.entries]
    calls = dict.fromkeys(tie.call for tie in ties if tie.call and not tie.problem)
    measured = _measured(base, list(calls), say)
    ties = [_without_unknown(tie, measured) for tie in ties]
    problems = [*base.problems, *zoo.problems, *(tie.problem for tie in ties if tie.problem)]
    problems += [*_failures(ties, measured, base), *_unused(naming, zoo)]
    known = {call: found for call, found in measured.items() if isinstance(found, Measurement)}
    return Audit(path.as_posix(), _judged(zoo.entries, ties, known, base), tuple(in_order(problems)))


# ------------------------------------------------------------------------------------------------ names and calls


@dataclass(frozen=True, slots=True)
class _Tie:
    """The call that an entry stands for, in normal form or with its problem; a guess may be of no model."""

    call: str = ""
    place: Place = field(default_factory=lambda: Place(""))
    guessed: bool = False
    problem: Problem | None = None


def _tie(entry: Entry, base: Base, naming: Naming) -> _Tie:
    written = _written(entry, base, naming)
    if written is None:
        return _guess(entry, naming)
    text, place = written
    try:
        return _Tie(normalise(text, base.factories, base.settings.packages), place)
    except CallError as error:
        hint = f"allow it: --packages {text.partition('.')[0]}" if error.code == "K402" and ":" in text else error.hint
        return _Tie(text, place, problem=problem(error.code, place, error.message, hint))


def _written(entry: Entry, base: Base, naming: Naming) -> tuple[str, Place] | None:
    """What somebody has written to say which model an entry is, and where."""
    mapped = (naming.call_for(name) for name in (entry.label, *entry.names))
    named = ((name, entry.place) for name in entry.names if is_call(name))
    factory = ((f"{name}()", entry.place) for name in entry.names if name in base.factories)
    own = [(_whole(entry.call), entry.call_place or entry.place)] if entry.call else []
    return next(filter(None, (*mapped, *own, *named, *factory)), None)


def _whole(call: str) -> str:
    """A call as it is meant: a factory's bare name, `package.module:factory` too, is the call without arguments."""
    bare = call.isidentifier() or (":" in call and "(" not in call)
    return f"{call}()" if bare else call


def _guess(entry: Entry, naming: Naming) -> _Tie:
    name = next((name for name in entry.names if name.isidentifier()), "")
    return _Tie(f"{naming.module}:{name}()", entry.place, guessed=True) if naming.module and name else _Tie()


def _unused(naming: Naming, zoo: Zoo) -> list[Problem]:
    """The names of the mapping that no model has."""
    names = {name for entry in zoo.entries for name in (entry.label, *entry.names)}
    unused = (key for key in naming.calls if not any(key == name or fnmatchcase(name, key) for name in names))
    return [
        problem("K506", naming.calls.places[key], f"no model of the list is called `{key}`", _nearest(key, names))
        for key in unused
    ]


def _nearest(key: str, names: set[str]) -> str:
    """A hint: the name that was meant. What a pattern was meant for cannot be told."""
    return "" if set(key) & set("*?[") else nearest_name(key, sorted(names))


# ------------------------------------------------------------------------------------------------ measuring


def _measured(base: Base, calls: Sequence[str], say: remeasuring.Say) -> dict[str, Measurement | Problem]:
    """What comes of each call: from the lock where that is fresh."""
    old = stale_calls(base.lock, calls, base.factories, base.settings.root, base.settings.models)
    new = dict(zip(old, remeasuring.outcomes(base, old, say), strict=False)) if old else {}
    held = {call: found for call in calls if call not in new and (found := base.lock.get(call)) and call not in old}
    return {**held, **new}


def _without_unknown(tie: _Tie, measured: Mapping[str, Measurement | Problem]) -> _Tie:
    """A guess that is no model of its module is no call."""
    found = measured.get(tie.call)
    return _Tie() if tie.guessed and isinstance(found, Problem) and found.code == "K402" else tie


def _failures(ties: Sequence[_Tie], measured: Mapping[str, Measurement | Problem], base: Base) -> list[Problem]:
    """What kept calls from being measured, once each: at the model, or for a package's where the file names it."""
    first = {tie.call: tie.place for tie in reversed(ties) if tie.call}
    failed: list[Problem] = []
    for call, place in first.items():
        found = measured.get(call)
        if isinstance(found, Measurement):
            found = incomplete_problem(found, base.factories)
        if found:
            failed.append(replace(found, place=place) if is_package_call(call) else found)
    return failed


# ------------------------------------------------------------------------------------------------ judging


def _judged(
    entries: Sequence[Entry], ties: Sequence[_Tie], measured: Mapping[str, Measurement], base: Base
) -> tuple[AuditedModel, ...]:
    """The whole file is one table: its columns have one convention each."""
    rows = [_row(number, entry, tie) for number, (entry, tie) in enumerate(zip(entries, ties, strict=True), 1)]
    verdicts = judge(rows, measured)
    return tuple(
        AuditedModel(
            entry.label,
            row.call,
            entry.place,
            tuple(
                _figure(column, verdicts[row.line, printed.column], entry, measured, base)
                for column, printed in row.metrics.items()
            ),
        )
        for entry, row in zip(entries, rows, strict=True)
    )


def _row(number: int, entry: Entry, tie: _Tie) -> ResultRow:
    """An entry as a row of a results table, its figures told apart by their order."""
    metrics = {
        name: replace(figure.printed, line=number, column=column)
        for column, (name, figure) in enumerate(entry.figures.items())
    }
    return ResultRow(entry.label, tie.call, number, 1, "", metrics)


def _figure(
    column: str, verdict: Verdict, entry: Entry, measured: Mapping[str, Measurement], base: Base
) -> AuditedFigure:
    place, provisional = entry.figures[column].place, base.is_provisional(verdict)
    if verdict.status != "unexplained":
        return AuditedFigure(column, verdict, place, provisional=provisional)
    counts = {way.id: way.count(measured[verdict.call]) for way in CONVENTIONS[verdict.metric]}
    nearest = min(counts, key=lambda name: abs(counts[name] - verdict.printed.value))
    return AuditedFigure(column, verdict, place, nearest, counts[nearest], provisional)
