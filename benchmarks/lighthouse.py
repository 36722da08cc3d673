"""Runs Lighthouse, the pinned version of it, over pages of a site that is being served.

    python benchmarks/lighthouse.py URL… [--runs 3]

It is installed by npm into .venv/lighthouse, once. Each page is looked at as on a phone with a slow network
(Lighthouse's own settings), several times; what is printed is the run with the median performance.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION = "12.8.2"
FOLDER = Path(__file__).resolve().parent.parent / ".venv" / "lighthouse"
CHROMIUM = "/usr/bin/chromium"
FLAGS = "--headless=new --no-sandbox --disable-quic --disable-background-networking"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
METRICS = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")


@dataclass(frozen=True)
class Report:
    """What Lighthouse says of a page: scores of 100, metrics as it prints them, and what kept a score below 100."""

    scores: dict[str, int]
    metrics: dict[str, str]
    faults: tuple[str, ...]
    speed: float  # of the machine meanwhile: Lighthouse's own index, 1,500 and more on an idle desktop


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for url in options.urls:
        report = look(url, options.runs)
        print(url, report.scores, report.metrics, f"machine {report.speed:.0f}", *report.faults, sep="\n  ")
    return 0


def look(url: str, runs: int) -> Report:
    """The median run of several."""
    install()
    reports = sorted((_run(url) for _ in range(runs)), key=lambda report: report.scores["performance"])
    return reports[len(reports) // 2]


def install() -> None:
    """Install Lighthouse where it is not there yet."""
    if not (FOLDER / "node_modules" / "lighthouse").is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "package.json").write_text("{}\n", encoding="utf-8")  # else npm installs into the project above
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(["npm", "install", *quiet, f"lighthouse@{VERSION}"], cwd=FOLDER, check=True)


def _run(url: str) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.json")
        program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
        command = ["node", program, url, "--quiet", "--output=json", f"--output-path={path}", f"--chrome-flags={FLAGS}"]
        environment = {**os.environ, "CHROME_PATH": os.environ.get("KB_CHROMIUM", CHROMIUM)}
        subprocess.run([*_first(), *command], env=environment, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(path.read_text(encoding="utf-8"))
    return Report(
        scores={name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES},
        metrics={name: found["audits"][name]["displayValue"].replace("\xa0", " ") for name in METRICS},
        faults=tuple(_faults(found)),
        speed=found["environment"]["benchmarkIndex"],
    )


def _first() -> list[str]:
    """Go before other work on this machine, where one may: they are no part of the page."""
    return ["nice", "-n", "-19"] if os.geteuid() == 0 else []


def _faults(found: dict) -> Iterator[str]:
    """The audits that count and are not passed, as `accessibility color-contrast 0`."""
    for name in CATEGORIES:
        for audit in found["categories"][name]["auditRefs"]:
            score = found["audits"][audit["id"]]["score"]
            if audit["weight"] and score is not None and score < 1:
                yield f"{name} {audit['id']} {score:g}"


if __name__ == "__main__":
    sys.exit(main())
