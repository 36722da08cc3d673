"""Inputs made to take for ever are rendered or rejected within seconds: nobody's note can hold up a build.

Each case of `pathological.yml` is repeated in one note of a small knowledge base, which is read, checked and rendered
in a process of its own that may take 5 seconds of the processor: 10,000 times with `--long`, else 2,000 times.
"""

from __future__ import annotations

import multiprocessing
import resource
from pathlib import Path

import pytest
import yaml

import kb
from kb.check import check
from kb.pages import pages
from kb.records import Problem

SECONDS = 5  # of the processor: a busy machine is no failure
PATIENCE = 120  # seconds on the clock
MEMORY = 1 << 30  # bytes
CASES = yaml.safe_load((Path(__file__).parent / "pathological.yml").read_text(encoding="utf-8"))
CARD = """---
{front}
---
### {heading}: Author2020CVPR

> architecture
> {head}

#### Problem

{body}

#### Method

Two.

#### Experiments

Three.
"""
CITATION = "Author A., et al. A Tiny Network, CVPR 2020"
PLACES = {"front": "rating: 1", "heading": "Tiny", "head": CITATION, "body": "One."}


def payload(times: int, place: str, before: str = "", each: str = "", after: str = "", last: str = "") -> str:
    """A case, written out."""
    end = "\n" if place == "line" else ""
    repeated = "".join(part(each, number) + end for number in range(times))
    return before + end + repeated + after + last * times


def part(each: str, number: int) -> str:
    """One repetition; what grows with its number grows to a length that a note can hold."""
    grown = each.replace("{indent}", "  " * (number % 100)).replace("{ticks}", "`" * (number % 40))
    return grown.replace("{i}", str(number))


def note(case: list[str], times: int) -> str:
    """The note that holds a case."""
    place = "body" if case[0] == "line" else case[0]
    text = payload(times, *case)
    return text if place == "note" else CARD.format(**{**PLACES, place: text})


def build(folder: Path, answer: multiprocessing.connection.Connection) -> None:
    """Read, check and, as a build does where there is no error, render; what is wrong with the note is the answer."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    base = kb.load(folder)
    problems = check(base)
    if not any(found.severity == "error" for found in problems):
        pages(base)
    answer.send(problems)


@pytest.mark.parametrize("name", CASES)
def test_it_is_rendered_or_rejected_in_time(name, tmp_path, long):
    (tmp_path / "notes").mkdir()
    (tmp_path / "mkdocs.yml").write_text("site_name: Pathological\ntheme: {language: en}\n", encoding="utf-8")
    (tmp_path / "notes" / "case.md").write_text(
        note(CASES[name], 10_000 if long else 2_000), encoding="utf-8", newline=""
    )
    problems = in_time(tmp_path)
    assert all(found.place.path == "notes/case.md" and found.place.line > 0 for found in problems), problems


def in_time(folder: Path) -> list[Problem]:
    """What comes of a knowledge base; a failure where that takes too long, or too much memory."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=build, args=(folder, theirs))
    process.start()
    theirs.close()
    try:
        assert ours.poll(PATIENCE), f"nothing came within {PATIENCE} seconds"
        return ours.recv()  # raises EOFError where the process was ended by a limit
    finally:
        process.kill()
        process.join()
