"""Measuring runs models apart: whatever one does costs one clear problem, and the others come out right."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import yaml
from clusters import wait_for

from kb.lock import layers, read_lock
from kb.measuring import incomplete_problem, measure
from kb.records import Measurement, Problem
from kb.runners import LocalPool

ROOT = Path(__file__).parents[1]
CASES = Path(__file__).parent / "cases" / "measuring"
OUTCOMES = yaml.safe_load((CASES / "outcomes.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Everything that came of measuring all calls of the case file in one go."""
    root = Path(shutil.copytree(CASES, tmp_path_factory.mktemp("measuring") / "base"))
    os.environ["KB_TEST_TOKEN"] = "a secret"
    try:
        calls = [call for call, _ in OUTCOMES]
        yield root, list(measure(calls, root, seconds=5, memory=2**28, runner=LocalPool(1)))
    finally:
        del os.environ["KB_TEST_TOKEN"]


def test_every_call_has_its_outcome(outcomes):
    came = []
    for (call, expected), outcome in zip(OUTCOMES, outcomes[1], strict=True):
        came.append([call, _described(outcome, expected)])
    assert came == OUTCOMES


def _described(outcome, expected):
    """What came, in the form of the case file: the expected text where it is part of the message."""
    if isinstance(outcome, Measurement):
        return outcome.macs
    assert "\n" not in outcome.message
    return expected if isinstance(expected, str) and expected in outcome.message else outcome.message


def test_problems_stand_at_the_model(outcomes):
    root, results = outcomes
    source = (root / "reference_models" / "misbehaving.py").read_text(encoding="utf-8").splitlines()
    for outcome in results:
        if isinstance(outcome, Problem) and outcome.code == "K407" and "misbehaving" in outcome.place.path:
            name = re.match(r"`(\w+)", outcome.message)[1]
            assert source[outcome.place.line - 1].startswith(f"def {name}(")


def test_nothing_is_left_behind(outcomes):
    root, _ = outcomes
    assert not list(root.rglob("__pycache__"))
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 600" not in running


def test_progress_is_told(tmp_path):
    _knowledge_base(tmp_path, "nn.Linear(4, 2)")
    told = []
    list(measure(["net()", "net(width=2)"], tmp_path, progress=lambda *each: told.append(each)))
    assert told[::2] == [(0, 2, "net()"), (2, 2, "")]
    assert told[1][:2] == (1, 2)
    assert told[1][2] in ("net()", "net(width=2)"), "one that is not done yet"


def test_an_incomplete_measurement_says_so(tmp_path):
    _knowledge_base(tmp_path, "nn.Sequential(nn.Linear(4, 2), Fourier())")
    (measurement,) = measure(["net()"], tmp_path)
    found = incomplete_problem(measurement, {})
    assert measurement.macs == 8
    assert found.code == "K408"
    assert "aten::_fft_r2c at 1" in found.message


def test_without_torch_one_problem_names_the_command(tmp_path):
    """A Python that has kb's own dependencies and no torch: the folder of an empty one shadows it."""
    _knowledge_base(tmp_path, "nn.Linear(4, 2)")
    shadow = tmp_path / "shadow" / "torch"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\")", encoding="utf-8")
    script = (
        "from kb.measuring import measure\n"
        "for each in measure(['net()', 'net(width=2)'], '.'): print(each.code, each.message, each.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(shadow.parent), str(ROOT)])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "K407 nothing can be measured: No module named 'torch' pip install \"paperkb[models]\"\n"


def test_models_of_installed_packages(tmp_path):
    calls = {
        "torchvision.models:mobilenet_v2()": ("1×3×224×224", 3_504_872, 300_774_272),
        "torchvision.models:inception_v3(aux_logits=True)": ("1×3×299×299", 27_161_264, 5_713_216_096),
        "torchvision.models:alexnet(resolution=256)": ("1×3×256×256", 61_100_840, 927_124_160),
        "torchvision.models.detection:retinanet_resnet50_fpn()": ("1×3×224×224", 34_014_999, 151_540_437_248),
        'torchvision.models:vit_h_14(weights="IMAGENET1K_SWAG_E2E_V1")': ("1×3×518×518", 633_470_440, None),
        "timm.models.vision_transformer:vit_tiny_patch16_384()": ("1×3×384×384", 5_790_376, None),
    }
    for measurement in measure(list(calls), tmp_path, packages=["torchvision", "timm"]):
        shape, params, macs = calls[measurement.call]
        assert (measurement.input, measurement.params) == (shape, params)
        assert macs in (measurement.macs, None)
        assert list(measurement.versions) == [measurement.call.partition(".")[0]]


def test_the_committed_measurements_come_out_again():
    lock, problems = read_lock(ROOT)
    assert problems == []
    assert lock.entries
    again = {each.call: each for each in measure(list(lock.entries), ROOT)}
    assert again == {call: replace(each, layers=layers(ROOT, call)) for call, each in lock.entries.items()}


MEETING = """
import json
import time
from pathlib import Path

import torch
from torch import nn


def meeting(log: str, wanted: int = 1, width: int = 4) -> nn.Module:
    \"\"\"Signs its name, and waits until so many have signed.\"\"\"
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"{width}\\n")
    while len(Path(log).read_text(encoding="utf-8").splitlines()) < wanted:
        time.sleep(0.01)
    return nn.Linear(width, 2)


def meeting_inputs(width: int = 4):
    return (torch.empty(1, width),)
"""
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


@pytest.fixture
def meeting(tmp_path):
    """A knowledge base whose model can wait for others; called with the calls of each of its cards."""
    base = tmp_path / "base"
    (base / "reference_models").mkdir(parents=True)
    (base / "notes").mkdir()
    (base / "mkdocs.yml").write_text("site_name: Base\ntheme: {language: en}\n", encoding="utf-8")
    (base / "reference_models" / "meeting.py").write_text(MEETING, encoding="utf-8")

    def with_cards(*cards):
        for year, calls in enumerate(cards, 2020):
            text = CARD.format(year=year, calls="\n".join(f"- `{call}`" for call in calls))
            (base / "notes" / f"Author{year}CVPR.md").write_text(text, encoding="utf-8")
        return base

    return with_cards


def test_calls_run_at_the_same_time(meeting, tmp_path):
    """Each of three waits for the others: one after the other, none would ever be done."""
    calls = [f"meeting(log={str(tmp_path / 'log')!r}, wanted=3, width={width})" for width in (1, 2, 3)]
    found = list(measure(calls, meeting(), seconds=60, runner=LocalPool(3)))
    assert [each.macs for each in found] == [2, 4, 6]


def test_a_call_is_measured_once_however_many_cards_name_it_and_however_often_kb_runs(meeting, tmp_path, kb):
    log = tmp_path / "log"
    call = f"meeting(log={str(log)!r})"
    base = meeting([call], [call, call.replace("log=", ""), call.replace(")", ", width=4)")], [call])
    for _ in range(2):
        done = kb("measure", cwd=base)
        assert (done.returncode, done.stderr) == (0, "")
        assert log.read_text(encoding="utf-8") == "4\n"
    (changed,) = (base / "reference_models").glob("*.py")
    changed.write_text(f"{changed.read_text(encoding='utf-8')}\n\nNEW = 1\n", encoding="utf-8")
    assert kb("measure", "--jobs", "1", cwd=base).returncode == 0
    assert log.read_text(encoding="utf-8") == "4\n4\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_what_was_measured_before_an_interruption_is_kept(meeting, tmp_path, number, code):
    """One model waits for ever; all the others are in the lock when kb is stopped, and no process is left behind."""
    log = tmp_path / "log"
    calls = [f"meeting(log={str(log)!r}, wanted={9 if width == 2 else 1}, width={width})" for width in range(1, 6)]
    base = meeting(calls)
    command = [sys.executable, "-m", "kb", "measure", "--jobs", "2"]
    with subprocess.Popen(command, cwd=base, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        wait_for(lambda: len(read_lock(base)[0].entries) == 4)
        children = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(number)
        _, complained = running.communicate(timeout=30)
    assert (running.returncode, complained) == (code, "")
    assert len(read_lock(base)[0].entries) == 4
    assert len(children) == 2
    assert psutil.wait_procs(children, timeout=20)[1] == []


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "١", ""])
def test_a_number_of_jobs_that_is_none(starter, kb, number):
    done = kb("measure", f"--jobs={number}", cwd=starter)
    assert done.returncode == 2
    assert "is no number from 1 to 1024" in done.stderr


def _knowledge_base(root, network):
    """A folder with one reference model that gives this network."""
    folder = root / "reference_models"
    folder.mkdir()
    (folder / "net.py").write_text(
        f"""import torch
from torch import nn

class Fourier(nn.Module):
    def forward(self, x):
        return torch.fft.fft(x)

def net(width=1) -> nn.Module:
    return {network}

def example_inputs():
    return torch.empty(1, 4),
""",
        encoding="utf-8",
    )
