"""Measures the models of torchvision and timm, for the files that kb brings along (see kb/package_lock.py).

    python benchmarks/package_locks.py              measures all, writes kb/measured/<package>-<version>.csv
    python benchmarks/package_locks.py timm         one package only

It says which models were left out, and why: those that could not be run, and two-stage detectors, most of whose
second stage depends on the data. Packages are to be installed as the tests install them; it takes some minutes.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kb.counting.packages import find_factory
from kb.fingerprints import package_versions
from kb.measuring import measure
from kb.package_lock import FOLDER, text_of
from kb.records import Measurement, Problem
from kb.runners import LocalPool, cores
from kb.writing import write_if_changed

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("torchvision", "timm")
PARTS = ("torchvision.models", *(f"torchvision.models.{each}" for each in ("segmentation", "detection", "video")))
TWO_STAGES = ("fasterrcnn", "maskrcnn", "keypointrcnn")
SECONDS = 300.0  # for one model


def main() -> int:
    """Measure, write, and say what was left out."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("packages", metavar="PACKAGE", nargs="*", default=PACKAGES, help="torchvision, timm (both)")
    options.add_argument("--jobs", type=int, default=cores(), help="how many models at a time (default: the cores)")
    given = options.parse_args()
    for package in given.packages:
        make(package, given.jobs)
    return 0


def make(package: str, jobs: int) -> None:
    """Measure a package's models, and write their file."""
    start = time.monotonic()
    calls = sorted(all_calls(package))
    runner = LocalPool(jobs)
    results = dict(zip(calls, measure(calls, ROOT, seconds=SECONDS, packages=PACKAGES, runner=runner), strict=True))
    found = [each for each in results.values() if isinstance(each, Measurement)]
    [version] = package_versions(calls[0]).values()
    path = FOLDER / f"{package}-{version}.csv"
    for old in FOLDER.glob(f"{package}-*.csv"):
        if old != path:
            old.unlink()
    text = text_of((each, defined_in(each.call)) for each in found)
    write_if_changed(path, text)
    for problem in (each for each in results.values() if isinstance(each, Problem)):
        print(f"left out: {problem.message}")
    seconds = time.monotonic() - start
    print(f"{path.relative_to(ROOT)}: {len(found)} models, {len(text.encode()):,} bytes, {seconds:.0f} s", flush=True)


def all_calls(package: str) -> Iterable[str]:
    """Every model of a package with its defaults."""
    if package == "timm":
        names: Any = find_factory("timm", "list_models")
        return [f"timm.models:{name}()" for name in names()]
    names = find_factory("torchvision.models", "list_models")
    builder: Any = find_factory("torchvision.models", "get_model_builder")
    found = [(part, builder(name).__name__) for part in PARTS for name in names(module=importlib.import_module(part))]
    return [f"{part}:{name}()" for part, name in found if not name.startswith(TWO_STAGES)]


def defined_in(call: str) -> str:
    """The module that defines a model, by which it can be called as well."""
    module, _, name = call.removesuffix("()").partition(":")
    factory = find_factory(module, name)
    home = str(factory.__module__)
    return home if getattr(sys.modules[home], name, None) is factory else module


if __name__ == "__main__":
    sys.exit(main())
