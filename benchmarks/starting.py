"""How long `kb --help` and `kb new` take to start and end, beside a Python that does nothing.

    python benchmarks/starting.py             best and median of 20 runs each, and what each imports that is slow
    python benchmarks/starting.py --runs 50

The commands are run in turn, so that a busy machine is busy for all of them. kb is compiled beforehand, as it is where
it was installed.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KB = (sys.executable, "-m", "kb")
SLOWEST = 6  # modules to name


def main() -> int:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=20, help="how often each is run (default: 20)")
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        base = Path(name) / "base"
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{name}/compiled"}
        subprocess.run([*KB, "init", base], check=True, capture_output=True)
        for command in commands(0).values():
            timed(command, base)
        times: dict[str, list[float]] = {}
        for number in range(1, runs + 1):
            for words, command in commands(number).items():
                times.setdefault(words, []).append(timed(command, base))
        print(f"{'command':16} {'best':>8} {'median':>8}   of {runs}")
        for words, taken in times.items():
            print(f"{words:16} {min(taken) * 1000:5.0f} ms {statistics.median(taken) * 1000:5.0f} ms")
        for words, command in list(commands(runs + 1).items())[1:]:
            print(f"\n{words} imports, with what comes along: {', '.join(slowest(command, base))}")
    return 0


def commands(number: int) -> dict[str, tuple[str, ...]]:
    """What is run, by how it is called here."""
    new = (*KB, "new", "MobileNetV4", f"Qin{2000 + number}ECCV")
    return {"python -c pass": (sys.executable, "-c", "pass"), "kb --help": (*KB, "--help"), "kb new": new}


def timed(command: tuple[str, ...], folder: Path) -> float:
    """The seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def slowest(command: tuple[str, ...], folder: Path) -> list[str]:
    """The modules at the top of the import tree that take longest, with their milliseconds."""
    timing = (command[0], "-X", "importtime", *command[1:])
    done = subprocess.run(timing, cwd=folder, check=True, capture_output=True, text=True)
    found = re.findall(r"import time: +\d+ \| +(\d+) \| {1,5}(\S+)$", done.stderr, re.MULTILINE)
    taken = sorted(((int(micros), name) for micros, name in found), reverse=True)[:SLOWEST]
    return [f"{name} {micros / 1000:.0f} ms" for micros, name in taken]


if __name__ == "__main__":
    sys.exit(main())
