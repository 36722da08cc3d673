"""Bringing measurements up to date: which calls to run, and the lock that they are written to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kb import running
from kb.base import Base
from kb.children import Conditions
from kb.drawing.plotting import standalone
from kb.lock import layers, read_lock, stale_calls, write_lock
from kb.measuring import Progress, arriving, incomplete_problem, measure
from kb.records import Measurement, Problem
from kb.runnables import Runnable, is_stale, unused_files
from kb.runners import LocalPool, Runner
from kb.writing import change_together, remove, sweep

WRITING = 0.05  # of the time, at most, goes into writing a large lock while calls are measured
SOON = 0.05  # seconds; a lock that is written faster is written with each measurement

Say = Callable[[str], None]
Results = tuple[list[Measurement], list[Problem]]


def stale(base: Base) -> list[str]:
    """The calls that cards name and whose measurement is missing, or older than the model."""
    return stale_calls(base.lock, base.calls, base.factories, base.settings.root, base.settings.models)


def run(base: Base, calls: Sequence[str], say: Say, runner: Runner | None = None) -> Results:
    """What measuring the calls gives, in their order, and the problems of those that failed."""
    results = list(outcomes(base, calls, say, runner))
    return [each for each in results if isinstance(each, Measurement)], [
        each for each in results if isinstance(each, Problem)
    ]


def outcomes(
    base: Base, calls: Sequence[str], say: Say, runner: Runner | None = None
) -> Iterator[Measurement | Problem]:
    """What comes of each call, in their order; where nothing can be measured at all, one problem and no more."""
    settings = base.settings
    return measure(
        calls,
        settings.root,
        progress=_telling(say),
        models_dir=settings.models,
        packages=settings.packages,
        runner=runner,
    )


def _telling(say: Say) -> Progress:
    """How far the measuring is, in words."""
    return lambda done, total, call: say(f"measuring {done + 1} of {total}: {call}" if call else "")


def up_to_date(base: Base, calls: Sequence[str], say: Say) -> tuple[dict[str, Measurement], list[Problem]]:
    """Measurements of calls in normal form, with their layers: from the lock where that is fresh; it stays as it is."""
    settings = base.settings
    old = set(stale_calls(base.lock, calls, base.factories, settings.root, settings.models))
    measured, problems = run(base, sorted(old), say) if old else ([], [])
    held = (with_layers(base, found) for call in calls if call not in old and (found := base.lock.get(call)))
    return {each.call: each for each in (*measured, *held)}, problems


def stale_figures(base: Base) -> list[Runnable]:
    """The runnable figures that were never drawn, or whose code has changed since."""
    settings = base.settings
    return [each for each in base.runnables.values() if is_stale(each, settings.root, settings.models)]


def draw(base: Base, runnables: Sequence[Runnable], say: Say) -> list[Problem]:
    """Run figures and keep what they give, beside them; the problems of those that failed."""
    settings, problems = base.settings, []
    sweep(settings.root / settings.models)
    progress = lambda done, total, name: say(f"drawing {done + 1} of {total}: {name}")  # noqa: E731
    for found in running.run(runnables, settings.root, progress=progress, models_dir=settings.models):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            drawing = standalone(found.plot, settings.language)
            files = {found.runnable.drawing: drawing, found.runnable.data: found.text}
            change_together((), {settings.root / path: content for path, content in files.items()})
    return problems


def draw_all(base: Base, say: Say, *, again: bool) -> list[Problem]:
    """Bring all drawings up to date, and drop those that nothing makes any more."""
    settings = base.settings
    problems = draw(base, [*base.runnables.values()] if again else stale_figures(base), say)
    for path in unused_files(base.runnables, settings.root, settings.models):
        remove(path)
    return problems


def incomplete(base: Base, measurements: Sequence[Measurement]) -> list[Problem]:
    """What measurements leave out, as problems."""
    problems = (incomplete_problem(each, base.factories) for each in measurements)
    return [each for each in problems if each]


@dataclass(slots=True)
class Arrivals:
    """Measurements on their way into the lock: written together, but soon, so that no interruption loses many."""

    base: Base
    _held: list[Measurement] = field(default_factory=list)
    _next: float = 0.0

    def add(self, measurement: Measurement) -> None:
        """Take a measurement, and write it and what was held back if it is time."""
        self._held.append(measurement)
        if time.monotonic() >= self._next:
            self.write()

    def write(self) -> None:
        """Write what was held back."""
        start = time.monotonic()
        if self._held:
            write_lock(self.base.settings.root, self._held, self.base.settings.models)
        self._held.clear()
        took = time.monotonic() - start
        self._next = time.monotonic() + (took / WRITING if took > SOON else 0)


def update(base: Base, calls: Sequence[str], say: Say, runner: Runner | None = None) -> list[Problem]:
    """Measure the calls and enter them into the lock as they come; the problems of those that failed, in order."""
    settings, failed, arrivals = base.settings, dict[str, Problem](), Arrivals(base)
    conditions = Conditions(settings.root, settings.models)
    try:
        for call, found in arriving(calls, conditions, settings.packages, runner or LocalPool(), _telling(say)):
            if isinstance(found, Problem):
                failed[call] = found
            else:
                arrivals.add(found)
    finally:
        arrivals.write()
    return [failed[call] for call in (*dict.fromkeys(calls), "") if call in failed]


def update_all(base: Base, say: Say, *, again: bool, runner: Runner | None = None) -> Results:
    """Bring the lock up to date and drop what no card names any more; all measurements, with their layers."""
    settings = base.settings
    problems = update(base, base.calls if again else stale(base), say, runner)
    whole = not any(found.severity == "error" for found in base.problems)  # else calls may be missing
    write_lock(settings.root, (), settings.models, only=base.calls if whole else None)
    return kept(base), problems


def kept(base: Base) -> list[Measurement]:
    """The measurements of all calls that cards name, as the lock has them now."""
    settings = base.settings
    lock, _ = read_lock(settings.root, settings.models)
    found = [measurement for call in base.calls if (measurement := lock.get(call))]
    return [with_layers(base, measurement) for measurement in found]


def with_layers(base: Base, measurement: Measurement) -> Measurement:
    """A measurement from the lock, together with its layers."""
    return replace(measurement, layers=layers(base.settings.root, measurement.call, base.settings.models))
