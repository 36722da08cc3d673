"""kb: paper notes whose numbers are tested by the models that they describe.

    base = kb.load(".")
    base["Howard2017arxiv"].results[0].verdicts
    kb.parse("notes.md")
    kb.measure("mobilenet_v1()", root=".")

Importing kb loads none of its parts; each function loads what it needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kb.base import Base
    from kb.records import Card, Measurement

__all__ = ["load", "measure", "parse"]


def load(root: Path | str = ".") -> Base:
    """The knowledge base in a folder, or in the nearest one above it that is one."""
    from kb.base import load as load_base

    return load_base(_root(root))


def parse(path: Path | str) -> tuple[Card, ...]:
    """The cards in a file, read by the template of the knowledge base that it lies in, else by kb's own."""
    from kb.selection import cards_of

    return tuple(cards_of(Path(path))[0])


def measure(*calls: str, root: Path | str = ".", scheduler: str = "") -> Measurement | tuple[Measurement, ...]:
    """What running models gives: one measurement for one call, else a tuple, in the order of the calls.

    They run on the cores of this machine, or on the Dask cluster with this scheduler (`tcp://HOST:8786`). Raises
    ValueError for a call that is none, or whose model cannot be run, and OSError where the cluster cannot be reached.
    """
    from kb.clusters import Cluster
    from kb.measuring import measure as measure_models
    from kb.records import Problem
    from kb.runners import LocalPool
    from kb.settings import load_settings

    settings, _ = load_settings(_root(root))
    runner = Cluster(scheduler) if scheduler else LocalPool()
    models, packages = settings.models, settings.packages
    found = tuple(measure_models(calls, settings.root, models_dir=models, packages=packages, runner=runner))
    for each in found:
        if isinstance(each, Problem):
            raise ValueError(f"{each.message} ({each.hint})" if each.hint else each.message)
    measured = tuple(each for each in found if not isinstance(each, Problem))
    return measured[0] if len(calls) == 1 else measured


def _root(start: Path | str) -> Path:
    from kb.settings import FILE, find_root

    root = find_root(start)
    if root is None:
        raise FileNotFoundError(f"{Path(start).resolve()} is no knowledge base: it has no {FILE}")
    return root
