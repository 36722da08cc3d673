"""A printed figure explained: which conventions give it, which leads fit, and how little a lead may mean."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from kb import asking
from kb.explaining import LEAD_KINDS, explain
from kb.records import Layer, Measurement

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "explaining" / "figures.yml").read_text("utf-8"))
SHAPE = (1, 8, 4, 4)
LAYERS = (
    Layer("stem", "conv", 1, SHAPE, SHAPE, 1000, 400_000),
    Layer("blocks.0.depthwise", "depthwise", 1, SHAPE, SHAPE, 500, 50_000),
    Layer("blocks.0.norm", "normalisation", 1, SHAPE, SHAPE, 300, 0),
    Layer("blocks.1.depthwise", "depthwise", 1, SHAPE, SHAPE, 500, 50_000),
    Layer("blocks.1.norm", "normalisation", 1, SHAPE, SHAPE, 300, 0),
    Layer("fc", "linear", 1, (1, 8), (1, 10), 4000, 4000),
)
NET = Measurement(
    call="net()",
    input="1×8×4×4",
    params=6600,
    weights=5900,
    biases=100,
    normalisation=600,
    buffers=0,
    macs=504_000,
    activations=0,
    peak_activation_bytes=0,
    largest_activation=0,
    classifier="fc",
    classifier_params=4000,
    classifier_macs=4000,
    by_kind={},
)
WIDE = replace(NET, call="net(width=2)", params=26_000, weights=25_000, normalisation=900, macs=2_000_000)


def explained(text):
    printed, metric = asking.read(text)
    return explain(NET, metric, printed, LAYERS, [NET, WIDE])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["printed"])
def test_figures(case):
    found = explained(case["printed"])
    assert [each.convention for each in found.fitting] == case["conventions"]
    fitting = {
        trial.kind: [" ".join(filter(None, [lead.how, *lead.what])) for lead in trial.best if lead.fits]
        for trial in found.trials
    }
    expected = {kind: case["leads"].get(kind, []) for kind in fitting}
    assert set(expected.pop("misprint")) <= set(fitting.pop("misprint"))
    if case["conventions"] != ["plain", "truncated"]:
        assert {kind: sorted(leads) for kind, leads in fitting.items()} == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["printed"])
def test_a_lead_that_fits_prints_as_the_figure(case):
    found = explained(case["printed"])
    for trial in found.trials:
        assert trial.fitting == sum(lead.fits for lead in trial.best) or trial.fitting > len(trial.best)
        for lead in trial.best:
            if lead.fits and trial.kind not in ("misprint", "arguments"):
                assert found.low <= lead.count <= found.high


def test_the_chance_of_a_lead_is_the_share_of_figures_that_it_meets():
    """Counted the slow way: every figure around, asked by itself."""
    found = explained("6.9K params")
    around = [f"{tenths / 10}K params" for tenths in range(51, 87)]
    for kind in ("layers", "factor", "classes"):
        met = sum(fitting(explained(text), kind) for text in around)
        (trial,) = [each for each in found.trials if each.kind == kind]
        assert abs(trial.chance - Decimal(met) / len(around)) < Decimal("0.04"), kind


def fitting(found, kind):
    return any(trial.fitting for trial in found.trials if trial.kind == kind)


def test_more_digits_leave_less_to_chance():
    chances = [
        {trial.kind: trial.chance for trial in explained(text).trials}
        for text in ("6.9K params", "6.91K params", "6.913K params")
    ]
    for kind in LEAD_KINDS:
        assert chances[0][kind] >= chances[1][kind] >= chances[2][kind]


def test_no_figure_breaks_it():
    numbers = random.Random(3)
    for _ in range(200):
        digits = numbers.choice([f"{numbers.random() * 10**6:.{numbers.randrange(7)}f}", "0", "0.0", "000", "9" * 18])
        text = f"{digits}{numbers.choice('KMBGT')} {numbers.choice(['params', 'MACs', 'FLOPs'])}"
        found = explained(text)
        assert len(found.readings) >= 6


# ------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize(
    ("figure", "value", "metric"),
    [
        ("6.9M", 6_900_000, ""),
        ("6.9 M", 6_900_000, ""),
        ("1700M MACs", 1_700_000_000, "macs"),
        ("1.7 GFLOPs", 1_700_000_000, "flops"),
        ("6,108,776", 6_108_776, ""),
        ("690万 参数", 6_900_000, "params"),
        ("3.8 × 10^9 FLOPs", 3_800_000_000, "flops"),
    ],
)
def test_figures_are_read_as_they_are_typed(figure, value, metric):
    printed, named = asking.read(figure)
    assert (printed.value, named) == (value, metric)


@pytest.mark.parametrize("figure", ["6.9", "many", "", "70.6 %", "75 ms latency", "M"])
def test_what_is_no_figure_is_refused(figure, starter, kb):
    done = kb("explain", "vgg()", figure, cwd=starter)
    assert (done.returncode, done.stdout) == (2, "")
    assert "`" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_screen_from_the_lock(starter, kb):
    done = kb("explain", "vgg()", "138M", cwd=starter)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) < 45
    assert "138 M printed (Parameters)" in lines
    assert "  = 138,357,544      138 M  all parameters" in lines
    assert "The plain convention gives 138 M." in done.stdout
    assert "What else was tried" not in lines
    assert "wrong" not in done.stdout


def test_the_screen_answers_first_and_weighs_the_leads(starter, kb):
    done = kb("explain", "vgg()", "143M params", cwd=starter)
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "143 M printed (Parameters)",
        "vgg() gives 138,357,544: −3.2 % from the printed figure.",
        "The printed digits accept 142,500,000 to 143,500,000.",
        "None of the 8 conventions gives 143 M. The nearest: all parameters, 138,357,544 (−4,642,456).",
    ]
    tried = [line for line in lines if line.startswith("  ") and line.endswith(")") and "tried" in line]
    fitting = [line for line in lines if re.search(r"\((?:weak|fair|strong): \d+ of \d+ fit; for [<\d. ]+ % of", line)]
    assert len(fitting) + len(tried) >= 4
    assert lines.index(fitting[0]) < lines.index(tried[0])


def test_a_call_that_is_not_in_the_lock_is_measured_and_not_kept(starter, kb):
    before = (starter / "reference_models" / "measured.yml").read_bytes()
    done = kb("explain", "vgg(classes=10)", "1M params", "--format", "json", cwd=starter)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["measured"] == 134_301_514
    assert data["explained"] is False
    assert (starter / "reference_models" / "measured.yml").read_bytes() == before


def test_a_call_that_is_none(starter, kb):
    done = kb("explain", "vggg()", "138M", cwd=starter)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("kb: K402 ")
    assert "did you mean `vgg()`?" in done.stderr
