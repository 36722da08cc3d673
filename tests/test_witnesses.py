"""A model is proved before it judges: witnesses are compared for real, recorded, and forgotten when a model changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import copy_repository

import kb
from kb.base import load
from kb.check import check
from kb.lock import write_lock
from kb.pages import pages
from kb.problems import format_problems
from kb.witnesses import read_witnesses

CASES = Path(__file__).parent / "cases" / "witnesses"
BASE = Path(__file__).parent / "cases" / "check" / "base"


def recorded(root):
    return read_witnesses(root)[0].by_call


@pytest.fixture
def tiny(tmp_path):
    """A small knowledge base, to be spoiled."""
    return Path(shutil.copytree(BASE, tmp_path / "base"))


@pytest.mark.parametrize(
    "case", yaml.safe_load((CASES / "damaged.yml").read_text("utf-8")), ids=lambda case: case["text"]
)
def test_a_damaged_record_is_reported_and_not_used(case, tiny):
    (tiny / "reference_models" / "witnesses.yml").write_text(case["text"], encoding="utf-8")
    base = load(tiny)
    assert format_problems(check(base)) == case["printed"]
    assert base.witnesses.by_call == {}


def test_the_comparison_comes_out_as_it_is_recorded(root):
    """Made again, all of it: shapes of parameters and multiply-adds of ours and of the installed packages."""
    done = subprocess.run(
        [sys.executable, "benchmarks/witnesses.py", "--check"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    same = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("same")]
    assert len(same) >= 15
    assert not [line for line in done.stdout.splitlines() if line.startswith("DIFFERS")]


def test_every_recorded_witness_still_holds(root):
    base = load(root)
    assert len(base.witnesses.by_call) >= 15
    for call, witnesses in base.witnesses.by_call.items():
        if base.lock.get(call):
            assert base.witnesses_of(call) == witnesses, "benchmarks/witnesses.py has to compare it again"


def test_the_same_network_on_another_input_needs_no_witness_of_its_own(root):
    base = load(root)
    (witness,) = base.witnesses_of("mobilenet_v2(resolution=96)")
    assert witness.call == "mobilenet_v2()"
    assert base.witnesses_of("mobilenet_v2(width=0.9)") == ()


def test_a_model_that_has_changed_has_lost_its_witness(tmp_path):
    base = load(copy_repository(tmp_path))
    assert base.witnesses_of("squeezenet()")
    source = tmp_path / "reference_models" / "squeezenet.py"
    source.write_text(source.read_text("utf-8").replace("96", "97"), encoding="utf-8")
    write_lock(tmp_path, [kb.measure("squeezenet()", root=tmp_path)])
    assert load(tmp_path).witnesses_of("squeezenet()") == ()


def test_verdicts_of_a_model_without_witness_are_provisional(tmp_path):
    root = copy_repository(tmp_path)
    card = load(root)["Sandler2018CVPR"].card
    without = "kb-provisional"
    page, body = "pages/cards/Sandler2018CVPR.md", "bodies/cards/Sandler2018CVPR/experiments.html"
    before = load(root)
    proved = pages(before)
    doubted = [before.is_provisional(each) for each in before.verdicts(card).values() if each.measured is not None]
    assert str(proved[body]).count(without) == sum(doubted) < len(doubted)
    assert "torchvision 0.28.0" in str(proved[page])
    (root / "reference_models" / "witnesses.yml").unlink()
    base = load(root)
    judged = [each for each in base.verdicts(card).values() if each.measured is not None]
    assert str(pages(base)[body]).count(without) == len(judged) > 0
    assert all(map(base.is_provisional, judged))
