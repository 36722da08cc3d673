"""Running figures: their functions run where models do, in a child process with limits on time and memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kb.drawing.plots import Plot, PlotError, plot_from
from kb.measuring import MEMORY, SECONDS, Answer, Child, ModelStoppedError, Progress, UnavailableError, described
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
    root = root.resolve()
    with tempfile.TemporaryDirectory(prefix="kb-") as home:
        child = Child(root, models_dir, memory, home)
        try:
            for done, runnable in enumerate(runnables):
                if progress:
                    progress(done, len(runnables), runnable.name)
                yield _run(runnable, child, seconds)
        except UnavailableError as error:
            yield problem("K422", Place(models_dir), f"no figure can be drawn: {error}", error.hint)
        finally:
            child.stop()


def _run(runnable: Runnable, child: Child, seconds: float) -> Drawn | Problem:
    before = fingerprint_of(runnable, child.root, child.models_dir)
    module = str(PurePosixPath(runnable.path).with_suffix("")).replace("/", ".")
    request: Answer = {"figure": runnable.name, "module": module}
    try:
        answer = child.ask(request, seconds)
        if "error" in answer:
            return _failed(runnable, described(answer["error"]))
        return Drawn(runnable, data_text(answer["figure"], before), plot_from(answer["figure"]))
    except ModelStoppedError as error:
        return _failed(runnable, str(error))
    except PlotError as error:
        return _failed(runnable, f"it returned something else than a figure: {error}")


def _failed(runnable: Runnable, reason: str) -> Problem:
    place = Place(runnable.path, runnable.line)
    return problem("K422", place, f"the figure `{runnable.name}` could not be drawn: {reason}")
