"""Bringing measurements up to date: which calls to run, and the lock that they are written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from kb import running
from kb.base import Base
from kb.drawing.plotting import standalone
from kb.lock import layers, read_lock, stale_calls, write_lock
from kb.measuring import incomplete_problem, measure
from kb.records import Measurement, Problem
from kb.runnables import Runnable, is_stale, unused_files
from kb.writing import change_together, remove, sweep

Say = Callable[[str], None]
Results = tuple[list[Measurement], list[Problem]]


def stale(base: Base) -> list[str]:
    """The calls that cards name and whose measurement is missing, or older than the model."""
    return stale_calls(base.lock, base.calls, base.factories, base.settings.root, base.settings.models)


def run(base: Base, calls: Sequence[str], say: Say) -> Results:
    """What measuring the calls gives, in their order, and the problems of those that failed."""
    results = list(outcomes(base, calls, say))
    return [each for each in results if isinstance(each, Measurement)], [
        each for each in results if isinstance(each, Problem)
    ]


def outcomes(base: Base, calls: Sequence[str], say: Say) -> Iterator[Measurement | Problem]:
    """What comes of each call, in their order; where nothing can be measured at all, one problem and no more."""
    settings = base.settings
    return measure(
        calls,
        settings.root,
        progress=lambda done, total, call: say(f"measuring {done + 1} of {total}: {call}" if call else ""),
        models_dir=settings.models,
        packages=settings.packages,
    )


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


def update(base: Base, calls: Sequence[str], say: Say) -> list[Problem]:
    """Measure the calls and enter them into the lock; the problems of those that failed."""
    measurements, problems = run(base, calls, say)
    write_lock(base.settings.root, measurements, base.settings.models)
    return problems


def update_all(base: Base, say: Say, *, again: bool) -> Results:
    """Bring the lock up to date and drop what no card names any more; all measurements, with their layers."""
    settings = base.settings
    measurements, problems = run(base, base.calls if again else stale(base), say)
    whole = not any(found.severity == "error" for found in base.problems)  # else calls may be missing
    write_lock(settings.root, measurements, settings.models, only=base.calls if whole else None)
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
