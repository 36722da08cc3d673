"""Cards changed at random are rendered or rejected, at their line, in time: no note ends a build with a traceback.

60 of them each time, 10,000 with `--long`; the same ones unless another `--seed` is given, as it is each night. A
failure names seed and number; `python tests/torture/test_mutations.py SEED NUMBER` writes that card to the output.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
import traceback
from dataclasses import replace
from multiprocessing import connection
from pathlib import Path

import pytest
from conftest import copy_repository
from mutations import mutated

import kb
from kb.base import Base, reread
from kb.check import check
from kb.pages import card_pages, pages
from kb.pages.site import Site
from kb.records import Problem
from kb.runners import cores
from kb.serialise import cards_to_yaml

SECONDS = 10  # of the processor, for one card
PATIENCE = 300  # seconds on the clock
MEMORY = 1 << 30  # bytes beyond what the process takes at its start
BATCH = 200  # cards for one process
WHOLE = 20  # with each so many-th card, the whole site is rendered
NOTE = "notes/case.md"
STUBS = {f"notes/{path.name}" for path in (Path(__file__).resolve().parents[2] / "notes").glob("*.md")}
ENDED = f"it took more than {SECONDS} seconds, or ended the process"


@pytest.fixture(scope="module")
def seed(request):
    """The seed of the cards."""
    return request.config.getoption("--seed")


def test_mutated_cards_are_rendered_or_rejected(tmp_path, long, seed):
    numbers = list(range(10_000 if long else 60))
    workers = cores() if long else 1
    trials = [Trial(seed, numbers[first::workers], base(tmp_path / str(first))) for first in range(workers)]
    while busy := {each.answers: each for each in trials if each.left}:
        ready = connection.wait(busy, PATIENCE)
        assert ready, f"nothing came within {PATIENCE} seconds"
        for each in ready:
            busy[each].take()
    failed = sorted(each for trial in trials for each in trial.failed)
    assert failed == [], f"{len(failed)} of {len(numbers)} cards; {[number for number, _ in failed]}; {failed[0][1]}"


def base(folder: Path) -> Path:
    """The repository's knowledge base, each of its notes cut down to its head: something to link to."""
    copy_repository(folder)
    for note in (folder / "notes").glob("*.md"):
        note.write_text(note.read_text(encoding="utf-8").partition("\n\n#### ")[0] + "\n", encoding="utf-8")
    (folder / NOTE).write_text("", encoding="utf-8")
    return folder


class Trial:
    """Some of the cards, tried by one process after another: a new one for each batch, and after each disaster."""

    def __init__(self, seed: int, numbers: list[int], folder: Path) -> None:
        self.seed, self.left, self.folder = seed, numbers, folder
        self.failed: list[tuple[int, str]] = []
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.answers, theirs = context.Pipe(duplex=False)
        self.batch = self.left[:BATCH]
        self.process = context.Process(target=try_all, args=(self.seed, self.batch, self.folder, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def take(self) -> None:
        """Take what is said of the next card."""
        try:
            words = self.answers.recv()
        except EOFError:
            words = ENDED
        number, *self.left = self.left
        if words:
            self.failed.append((number, f"seed {self.seed}, card {number}: {words}"))
        if words == ENDED or number == self.batch[-1]:
            self.process.kill()
            self.process.join()
            if self.left:
                self.start()


def try_all(seed: int, numbers: list[int], folder: Path, theirs: connection.Connection) -> None:
    """Try cards one after the other; the process is ended over one that takes too long."""
    limit_memory()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    others = kb.load(folder)
    for number in numbers:
        content = mutated(seed, number)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        theirs.send(tried(others, content, whole=number % WHOLE == 0))


def limit_memory() -> None:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    used = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData")) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, used + MEMORY))


def tried(others: Base, content: bytes, *, whole: bool) -> str:
    """What went wrong with a card that was read, checked, written as YAML and rendered; nothing where all is well."""
    (others.settings.root / NOTE).write_bytes(content)
    try:
        loaded = alone(reread(others, [NOTE]))
        problems = [found for found in check(loaded) if found.place.path not in STUBS]
        cards_to_yaml(loaded.cards)
        if not any(found.severity == "error" for found in problems):  # else a build stops here
            render(loaded, whole=whole)
    except BaseException:  # noqa: BLE001 - whatever it is, it is what is looked for
        return traceback.format_exc()
    [note] = (each for each in loaded.notes if each.path == NOTE)
    if note.slices and "".join(each.text for each in note.slices).encode() != content:
        return "its slices are not the file"
    return next((f"not said as it should be: {found}" for found in problems if not well_said(found, content)), "")


def alone(base: Base) -> Base:
    """The base without the cards whose keys the note has as well: it is a copy of one of them."""
    own = {card.citekey.casefold() for card in base.cards if card.path == NOTE}
    cards = (card for card in base.cards if card.path == NOTE or card.citekey.casefold() not in own)
    return replace(base, cards=tuple(cards))


def render(base: Base, *, whole: bool) -> None:
    """The pages of the note's cards; where it is asked for, all others, too."""
    site = Site(base)
    for view in site.cards:
        if view.card.path == NOTE:
            card_pages(site, view)
    if whole:
        pages(base)


def well_said(found: Problem, content: bytes) -> bool:
    """Whether a problem stands in the card, and in one line."""
    lines = len(content.splitlines()) + 1
    here = found.place.path == NOTE and 1 <= found.place.line <= lines and found.place.column >= 1
    return here and bool(found.message) and "\n" not in found.message


if __name__ == "__main__":
    sys.stdout.buffer.write(mutated(int(sys.argv[1]), int(sys.argv[2])))
