"""How fast kb is, beside plain MkDocs with Material's search on the same cards, in one run.

    python benchmarks/speed.py [--cards 100 1000 3000 10000] [--peer FOLDER] [--output benchmarks/speed.md]

For each size a corpus is made from a seed, and the same cards as pages for plain MkDocs. Measured are seconds, seconds
of all cores, and peak memory, of the processes that are started and those that they start. MkDocs runs with jieba, as
Chinese notes need it; `--peer` is where `pip install --target FOLDER jieba` has put it.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import corpus

SIZES = (100, 1000, 3000, 10_000)
NOTICE = 0.1  # seconds between two looks at the memory
GROWING = {"HTML and search index": (".html", ".js"), "data files": (".json", ".yml", ".txt", ".csv", ".bib")}
KB = (sys.executable, "-m", "kb")
HEAD = """\
| cards | | seconds | core seconds | of plain | of clean | peak MB |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: seconds, seconds of all cores together, and the most memory, in MB."""

    wall: float
    cpu: float
    memory: float


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cards", type=int, nargs="+", default=SIZES)
    parser.add_argument("--peer", type=Path, default=Path(".venv/peers"), help="where jieba is")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--no-plain", action="store_true", help="measure kb alone")
    options = parser.parse_args()
    lines = [HEAD]
    with tempfile.TemporaryDirectory() as folder:
        run([*KB, "init", "base"], Path(folder))
        run([*KB, "build"], Path(folder, "base"))  # compiles what is imported
    machine = f"\n{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}.\n"
    for cards in options.cards:
        with tempfile.TemporaryDirectory() as folder:
            for line in measured(cards, Path(folder), None if options.no_plain else options.peer):
                print(line, end="", flush=True)
                lines.append(line)
        options.output.write_text("".join([*lines, machine]), encoding="utf-8")
    return 0


def measured(cards: int, folder: Path, peer: Path | None) -> Iterator[str]:
    """The lines of the table for one size."""
    root, plain = folder / "kb", folder / "plain"
    corpus.write(root, cards, seed=1)
    reference = None
    if peer:
        corpus.write_plain(plain, cards, seed=1)
        reference = run([sys.executable, "-m", "mkdocs", "build", "-q"], plain, {"PYTHONPATH": str(peer.resolve())})
        yield row(cards, "plain MkDocs", reference, reference, None)
    clean = run([*KB, "build"], root)
    yield row(cards, "kb build, clean", clean, reference, clean)
    changed = several(lambda: run([*KB, "build"], root), before=lambda number: edit(root, number))
    yield row(cards, "one card changed", changed, reference, clean)
    unchanged = several(lambda: run([*KB, "build"], root))
    yield row(cards, "nothing changed", unchanged, reference, clean)
    shutil.rmtree(root / "build")
    check = run([*KB, "check"], root)
    yield row(cards, "kb check, from nothing", check, reference, clean)
    edit(root, 0)
    yield row(cards, "kb check, one changed", run([*KB, "check"], root), reference, clean)
    for name, endings in GROWING.items():
        yield f"| {cards:,} | {name} | | | | | {size(root / 'site', endings) / cards / 1000:.1f} KB a card |\n"


def several(measure: Callable[[], Cost], before: Callable[[int], None] = lambda _: None) -> Cost:
    """The median of five."""
    found = []
    for number in range(5):
        before(number)
        found.append(measure())
    return Cost(*(statistics.median(values) for values in zip(*map(parts, found), strict=True)))


def parts(cost: Cost) -> tuple[float, float, float]:
    """A cost's numbers."""
    return cost.wall, cost.cpu, cost.memory


def edit(root: Path, number: int) -> None:
    """Change a sentence of one card's text."""
    notes = sorted((root / "notes").glob("*.md"))
    note = notes[(number * 7919 + 13) % len(notes)]
    note.write_text(f"{note.read_text(encoding='utf-8').rstrip()}\n\nAdded {number}.\n", encoding="utf-8")


def run(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> Cost:
    """What a command takes; it has to succeed."""
    started = time.monotonic()
    compiled = {"PYTHONDONTWRITEBYTECODE": ""}  # as everything is where it was installed
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", **compiled, **(environment or {})}
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    memory = Memory(process.pid)
    _, said = process.stderr, process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = memory.stop()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {said.decode(errors='replace')[-2000:]}")
    return Cost(time.monotonic() - started, usage.ru_utime + usage.ru_stime, max(peak, usage.ru_maxrss / 1000))


class Memory:
    """Watches the memory of a process and those below it; what they share counts once."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0.0
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    def stop(self) -> float:
        """The most that was seen, in MB."""
        self._over.set()
        self._watcher.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(NOTICE):
            self._peak = max(self._peak, sum(map(proportional, family(self._pid))) / 1000)


def family(pid: int) -> Iterator[int]:
    """A process and those that it has started."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def proportional(pid: int) -> int:
    """A process's share of memory, in kB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def size(site: Path, endings: tuple[str, ...]) -> int:
    """The bytes of a site's files with these endings, but for those that are the same for any cards."""
    grown = (path for path in site.rglob("*") if path.is_file() and path.relative_to(site).parts[0] != "assets")
    return sum(path.stat().st_size for path in grown if path.suffix in endings)


def row(cards: int, name: str, cost: Cost, plain: Cost | None, clean: Cost | None) -> str:
    """A line of the table; the shares are of seconds, and of core seconds."""
    shares = [share(cost, other) for other in (plain, clean)]
    return (
        f"| {cards:,} | {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {shares[0]} | {shares[1]} | {cost.memory:.0f} |\n"
    )


def share(cost: Cost, other: Cost | None) -> str:
    """A cost's share of another's."""
    return f"{cost.wall / other.wall:.1%}, {cost.cpu / other.cpu:.1%}" if other and cost is not other else ""


if __name__ == "__main__":
    sys.exit(main())
