"""What measuring gains from more cores, and from a cluster: the same calls, with the same results, timed in turn.

    python benchmarks/measuring.py                 48 calls: one process, all cores, a cluster of two workers
    python benchmarks/measuring.py --calls 200

The calls are the models of timm with their defaults, every so many of them, none of which is in the lock of any base.
The cluster is a scheduler and two workers on this machine; it shows what going through it costs, not what it gains.
Beside the clock's time, the processor's time says how busy the cores were. It also says what a second run does with
twice the cards: it measures nothing.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from package_locks import all_calls

from kb.clusters import Cluster
from kb.measuring import Outcome, measure
from kb.runners import LocalPool, Runner, cores

WORKERS = 2
CARD = """### Net: Author{year}CVPR

> architecture
> Author A., et al. A Network, CVPR {year}

#### Problem

One.

#### Method

Two.

#### Experiments

Three.

#### Reference models

{calls}
"""


def main() -> int:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=48, help="how many models to measure (default: 48)")
    number = options.parse_args().calls
    every = sorted(all_calls("timm"))
    calls = every[:: max(1, len(every) // number)][:number]
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as address:
        runners: dict[str, Runner] = {
            "1 process": LocalPool(1),
            f"{cores()} processes": LocalPool(),
            f"{WORKERS} workers of a cluster": Cluster(address),
        }
        compared(calls, runners, Path(name))
        again(calls, Path(name) / "base")
    return 0


def compared(calls: list[str], runners: dict[str, Runner], root: Path) -> None:
    """Measure the calls with each, and say how long it took."""
    first: tuple[float, list[Outcome]] | None = None
    print(f"{len(calls)} calls of timm, {cores()} cores")
    for words, runner in runners.items():
        start, cpu = time.perf_counter(), busy()
        found = list(measure(calls, root, packages=["timm"], runner=runner))
        took = time.perf_counter() - start
        first = first or (took, found)
        assert found == first[1], f"{words}: other results"
        used = f"{busy() - cpu:6.1f} s of the processors" if isinstance(runner, LocalPool) else ""
        print(f"{words:24} {took:6.1f} s  {first[0] / took:4.2f} ×  {used}", flush=True)


def busy() -> float:
    """The seconds that processors have worked for the processes that this one has started and that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def again(calls: list[str], base: Path) -> None:
    """Two cards that name all the calls: `kb measure` twice."""
    (base / "notes").mkdir(parents=True)
    (base / "mkdocs.yml").write_text("site_name: Base\nextra: {kb: {packages: [timm]}}\n", encoding="utf-8")
    lines = "\n".join(f"- `{call}`" for call in calls)
    for year in (2020, 2021):
        text = CARD.format(year=year, calls=lines)
        (base / "notes" / f"Author{year}CVPR.md").write_text(text, encoding="utf-8")
    for words in ("2 cards that name them", "once more"):
        start = time.perf_counter()
        command = [sys.executable, "-m", "kb", "measure", "--again"][: 4 if words == "once more" else 5]
        subprocess.run([*command, "--allow-incomplete"], cwd=base, check=False, capture_output=True)
        entries = (base / "reference_models" / "measured.yml").read_text(encoding="utf-8").count("fingerprint:")
        print(f"{words:24} {time.perf_counter() - start:6.1f} s  {entries} measurements in the lock", flush=True)


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A scheduler and its workers, each a process; the scheduler's address."""
    about = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": os.environ}
    own = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", about]
    started = [subprocess.Popen([*dask, "scheduler", *own], **quiet)]
    try:
        while not about.exists():
            time.sleep(0.1)
        scratch = ["--nthreads", "1", "--no-dashboard", "--local-directory", folder]
        for _ in range(WORKERS):
            started.append(subprocess.Popen([*dask, "worker", "--scheduler-file", about, *scratch], **quiet))
        from distributed import Client

        with Client(scheduler_file=str(about), set_as_default=False) as client:
            client.wait_for_workers(WORKERS)
            address = client.scheduler.address
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
