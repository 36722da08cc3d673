"""Running figures: their functions run where models do, in a child process with limits on time and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kb.children import MEMORY, SECONDS, Answer, Children, Conditions, UnavailableError
from kb.drawing.plots import Plot, PlotError, plot_from
from kb.measuring import Progress, described
from kb.problems import problem
from kb.records import Place, Problem
from kb.runnables import Runnable, data_text, fingerprint_of


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a figure's function returned: the text to keep, and the figure that it describes."""

    runnable: Runnable
    text: str
    plot: Plot


def run(
    runnables: Sequence[Runnable],
    root: Path,
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    progress: Progress | None = None,
    models_dir: str = "reference_models",
) -> Iterator[Drawn | Problem]:
    """Runs figures, in their order: for each what it gave, or the Problem that kept it from giving anything."""
    with Children(Conditions(root.resolve(), models_dir, seconds, memory)) as children:
        try:
            for done, runnable in enumerate(runnables):
                if progress:
                    progress(done, len(runnables), runnable.name)
                yield _run(runnable, children)
        except UnavailableError as error:
            yield problem("K422", Place(models_dir), f"no figure can be drawn: {error}", error.hint)


def _run(runnable: Runnable, children: Children) -> Drawn | Problem:
    before = fingerprint_of(runnable, children.conditions.root, children.conditions.models_dir)
    module = str(PurePosixPath(runnable.path).with_suffix("")).replace("/", ".")
    request: Answer = {"figure": runnable.name, "module": module}
    try:
        answer = children.ask(request)
        if "figure" not in answer:
            return _failed(runnable, described(answer["error"]) if "error" in answer else answer["stopped"])
        return Drawn(runnable, data_text(answer["figure"], before), plot_from(answer["figure"]))
    except PlotError as error:
        return _failed(runnable, f"it returned something else than a figure: {error}")


def _failed(runnable: Runnable, reason: str) -> Problem:
    place = Place(runnable.path, runnable.line)
    return problem("K422", place, f"the figure `{runnable.name}` could not be drawn: {reason}")
