"""A cluster measures what this machine would, byte for byte; what befalls its workers costs time, and no result."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from clusters import machines, shadow, wait_for
from conftest import run_kb

from kb import clusters
from kb.lock import read_lock
from kb.measuring import measure
from kb.records import Measurement
from kb.runners import LocalPool

CASES = Path(__file__).parent / "cases"
MISBEHAVING = """
hanging well_behaved calling_exit ending_at_once crashing eating_memory leaving_a_process raising broken_import
borrowing well_behavd
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler with two workers, for the whole module."""
    with machines(tmp_path_factory.mktemp("cluster")) as made:
        made.worker()
        made.worker()
        yield made


@pytest.fixture
def base(tmp_path):
    """A knowledge base whose cards name five calls, one of which fails."""
    return Path(shutil.copytree(CASES / "cluster", tmp_path / "base"))


@pytest.fixture
def start(base):
    """Start `kb measure` of these calls and go on; it is waited for at the end."""
    started = []

    def start_kb(*arguments):
        command = [sys.executable, "-m", "kb", "-C", str(base), "measure", *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start_kb
    for process in started:
        process.kill()
        process.communicate()


def measured_files(base):
    """The lock and the tables of layers."""
    folder = base / "reference_models"
    paths = [folder / "measured.yml", *sorted((folder / "measured").iterdir())]
    return {path.relative_to(base).as_posix(): path.read_bytes() for path in paths}


def lingering(marker):
    return f"lingering(marker={json.dumps(str(marker))})"


def test_the_lock_and_all_that_is_said_are_the_same(cluster, base, tmp_path):
    """Else whoever measures on another machine changes the files of everybody."""
    other = Path(shutil.copytree(base, tmp_path / "other"))
    here = run_kb("measure", "--format", "json", cwd=base)
    there = run_kb("measure", "--format", "json", "--scheduler", cluster.address, cwd=other)
    assert here.returncode == there.returncode == 1
    assert "`broken()` could not be measured: ValueError: it never worked (reference_models/net.py:23)" in there.stderr
    assert (there.stdout, there.stderr) == (here.stdout, here.stderr)
    assert measured_files(other) == measured_files(base)
    assert len(measured_files(base)) == 5


def test_models_are_kept_to_the_same_limits(cluster, tmp_path):
    """A model that hangs, exits, crashes or eats memory costs one problem there as here, and no worker."""
    root = Path(shutil.copytree(CASES / "measuring", tmp_path / "base"))
    before = workers(cluster)
    runners = LocalPool(), clusters.Cluster(cluster.address)
    calls = [f"{name}()" for name in MISBEHAVING.split()]
    here, there = (list(measure(calls, root, seconds=3, memory=2**28, runner=each)) for each in runners)
    assert there == here
    assert "it took longer than 3 seconds" in there[0].message
    assert workers(cluster) == before
    below = [each for process in cluster.processes for each in psutil.Process(process.pid).children(recursive=True)]
    assert not [each for each in below if "measuring_child" in " ".join(command_of(each))]


def workers(cluster):
    """The addresses of the workers; a worker that was started again has another."""
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        return sorted(client.nthreads())


def command_of(process):
    try:
        return process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("victim", ["worker", "nanny"])
def test_a_call_whose_worker_dies_is_run_by_another(cluster, start, tmp_path, victim):
    """The machine that a call runs on may be taken away in the middle; the call is measured all the same."""
    marker = tmp_path / "marker"
    kb = start(lingering(marker), "net(width=3)", "net(width=5)", "--format", "csv", "--scheduler", cluster.address)
    worker = psutil.Process(int(wait_for(lambda: marker.exists() and marker.read_text(encoding="utf-8"))))
    (worker if victim == "worker" else worker.parent()).kill()
    said, complained = kb.communicate(timeout=60)
    assert (kb.returncode, complained) == (0, "")
    assert [line.partition(",")[0] for line in said.splitlines()[1:]] == [
        '"lingering(marker=""' + str(marker).partition(",")[0] + '"")"',
        "net(width=3)",
        "net(width=5)",
    ]
    if victim == "nanny":
        cluster.worker()


def test_a_call_that_kills_its_workers_is_named_and_the_others_are_measured(cluster, base, tmp_path):
    """A call that takes machines down must not go round for ever, nor cost the calls that shared a worker with it."""
    deaths = tmp_path / "deaths"
    calls = [f"deadly(marker={json.dumps(str(deaths))})", *(f"net(width={n})" for n in range(1, 6))]
    first, *others = measure(calls, base, runner=clusters.Cluster(cluster.address))
    assert re.fullmatch(
        r"`deadly\(.*\)` could not be measured: 2 workers died .*tcp://127.0.0.1:\d+ the last", first.message
    )
    assert [each.macs for each in others if isinstance(each, Measurement)] == [1, 4, 9, 16, 25]
    assert deaths.read_text(encoding="utf-8").count("dead") in (2, 3, 4)  # twice, and as often alone


def test_an_interruption_takes_the_calls_back_and_keeps_what_was_measured(cluster, start, base, tmp_path):
    """Ctrl-C must neither lose an hour's results nor leave the cluster busy for nobody."""
    marker = tmp_path / "marker"
    note = base / "notes" / "net.md"
    note.write_text(f"{note.read_text(encoding='utf-8')}- Long: `{lingering(marker)}`\n", encoding="utf-8")
    kb = start("--scheduler", cluster.address)
    child_of = int(wait_for(lambda: marker.exists() and marker.read_text(encoding="utf-8")))
    wait_for(lambda: len(read_lock(base)[0].entries) >= 4)
    kb.send_signal(signal.SIGINT)
    _, complained = kb.communicate(timeout=30)
    assert (kb.returncode, complained) == (130, "")
    assert {"net()", "net(width=8)", "net(depth=3)"} <= set(read_lock(base)[0].entries)
    wait_for(lambda: not [each for each in psutil.Process(child_of).children() if command_of(each)], 20)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("kb.py", "", r"lacks kb: No module named 'kb.cluster_worker'.*"),
        ("torchvision-0.0.1.dist-info/METADATA", "Name: torchvision\nVersion: 0.0.1\n",
         r"the worker tcp://127.0.0.1:\d+ has torchvision 0.0.1 where \S+ is asked for"),
    ],
    ids=["kb", "a package"],
)  # fmt: skip
def test_a_worker_that_is_not_fit_for_a_call_says_so(base, tmp_path, name, text, reason):
    """Another version may count otherwise: better no number than one that only this worker has."""
    with machines(tmp_path / "cluster") as made:
        made.worker(search=shadow(tmp_path / "shadow", name, text))
        calls = ["torchvision.models:alexnet()"]
        [found] = measure(calls, base, packages=["torchvision"], runner=clusters.Cluster(made.address))
    assert found.code == "K407"
    assert re.fullmatch(rf"`torchvision.models:alexnet\(\)` could not be measured: .*{reason}", found.message)
    assert "pip install" in found.hint


def test_a_scheduler_that_goes_away_ends_it_and_what_was_measured_stays(start, base, tmp_path):
    """The results that came before are in the lock, and what is left is measured the next time."""
    marker = tmp_path / "marker"
    note = base / "notes" / "net.md"
    note.write_text(f"{note.read_text(encoding='utf-8')}- Long: `{lingering(marker)}`\n", encoding="utf-8")
    with machines(tmp_path / "cluster") as made:
        for _ in range(2):
            made.worker()
        kb = start("--scheduler", made.address)
        wait_for(lambda: marker.exists() and read_lock(base)[0].entries)
        made.scheduler.kill()
        _, complained = kb.communicate(timeout=60)
    assert kb.returncode == 4
    assert complained == f"kb: {made.address} is gone; `kb measure` again measures what is left\n"
    assert read_lock(base)[0].entries


def test_a_cluster_without_workers_is_not_waited_for_for_ever(base, tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "WORKERLESS_SECONDS", 1)
    with machines(tmp_path / "cluster") as made, pytest.raises(OSError, match="has had no worker for 1 seconds"):
        list(measure(["net()"], base, runner=clusters.Cluster(made.address)))


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("tcp://127.0.0.1:9", 4, "no scheduler can be reached at tcp://127.0.0.1:9: "),
        ("127.0.0.1", 2, "'127.0.0.1' is no scheduler's address: write tcp://HOST:PORT or tls://HOST:PORT"),
    ],
)
def test_a_wrong_address_is_told_in_a_line(base, kb, address, code, words):
    done = kb("measure", "net()", "--scheduler", address, cwd=base)
    assert done.returncode == code
    assert done.stderr.startswith(f"kb: {words}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "address", ["", "host", "host:port", "host:0", "host:99999", ":8786", "http://host:8786", "tcp://"]
)
def test_what_is_no_address(address):
    with pytest.raises(clusters.ClusterUsageError, match="is no scheduler's address"):
        clusters.Cluster(address)


@pytest.mark.parametrize("address", ["host:8786", "tcp://10.0.0.1:8786", "tls://[::1]:8786"])
def test_what_is_an_address(address):
    assert clusters.Cluster(address).address == address


def test_without_dask_the_command_to_install_it_is_named(base):
    script = "import sys; sys.modules['distributed'] = None; from kb.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "measure", "net()", "--scheduler", "tcp://127.0.0.1:9"]
    done = subprocess.run(command, cwd=base, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 2
    assert done.stderr == 'kb: measuring on a cluster needs Dask: pip install "paperkb[cluster]"\n'
