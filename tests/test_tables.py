"""Results tables: which columns are figures, what their cells print, and which model a row is tied to."""

from __future__ import annotations

from pathlib import Path

import pytest

import kb
from kb.notes import parse_note
from kb.schema import default_schema
from kb.settings import Settings

CASES = Path(__file__).parent / "cases" / "tables"
SCHEMA = default_schema()
CARD = "### Tiny: Author2020CVPR\n\n> 架构\n> Author A., et al. A Tiny Network, CVPR 2020\n\n"


def figures():
    """Each header in the case file with each of its cells, and what is expected of it."""
    header = ""
    for line in (CASES / "figures.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            cell, expected = line.strip().rsplit("  ", 1)
            yield header, cell.strip(), expected.strip()
        elif line and not line.startswith("# "):
            header = line


def read(header, cell):
    """What is read from a cell, as the case file writes it."""
    table = f"#### 实验\n\n| Model | {header} |\n|---|---|\n| a | 1 |\n| b | {cell} |\n\n[^a]: A footnote.\n"
    note = parse_note(CARD + table, "note.md", SCHEMA, Settings(Path()))
    (card,) = note.cards
    metrics = [figure for row in card.results if row.label == "b" for figure in row.metrics.items()]
    if not metrics:
        return "?" if [problem.code for problem in note.problems] == ["K502"] else "-"
    ((metric, figure),) = metrics
    return f"{metric} {figure.printed} {figure.unit or '-'} {figure.value:f} {figure.step:f}"


@pytest.mark.parametrize(("header", "cell", "expected"), list(figures()))
def test_figures(header, cell, expected):
    assert read(header, cell) == expected


@pytest.mark.parametrize(
    "header",
    [
        "Input",
        "Input size",
        "Operator",
        "t",
        "c",
        "stride",
        "Kernel size",
        "备注",
        "大小写",
        "Step",
        "Map size",
        "Recap",
        "Batch",
    ],
)
def test_headers_that_name_no_metric(header):
    assert read(header, "4.2") == "-"


def test_a_table_of_settings_is_no_results_table():
    note = parse_note(
        CARD + "#### 实验\n\n| 参数 | 说明 |\n|---|---|\n| 学习率 | 0.1 |\n", "note.md", SCHEMA, Settings(Path())
    )
    assert note.cards[0].results == ()
    assert note.problems == ()


def test_rows_are_tied_by_label_or_call():
    cards = kb.parse(CASES / "ties.md")
    found = [
        (row.label, row.call, {name: each.printed for name, each in row.metrics.items()}) for row in cards[0].results
    ]
    expected = [
        ("0.75 MobileNet-192", "mobilenet_v1(width=0.75, resolution=192)", {"params": "2.6", "params 2": "2.5"}),
        ("0.75 mobilenet-192", "mobilenet_v1(width=0.75, resolution=192)", {"params": "2.6"}),
        ("0.75  ＭobileNet-192".replace("  ", " "), "mobilenet_v1(width=0.75, resolution=192)", {"params": "2.6"}),
        ("0.75 MobileNet", "", {"params": "2.6"}),
        ("by a call", "mobilenet_v2()", {"params": "3.4"}),
        ("by a call beside a figure", "mobilenet_v2(width=1.4)", {"params": "6.9"}),
        ("mobilenet_v2()", "mobilenet_v2()", {"params": "3.4"}),
        ("1.0 MobileNet-224", "mobilenet_v1()", {"params": "4.2"}),
        ("unknown", "", {"params": "1"}),
        ("with a pipe |x|", "", {"params": "7"}),
    ]
    assert found == expected


def test_footnotes_hang_on_cells():
    (card,) = kb.parse(CASES / "footnotes.md")
    found = {row.label: (row.metrics["params"].footnotes, dict(row.footnote_calls)) for row in card.results}
    assert found == {
        "one": (("head",), {"head": ("mobilenet_v3_small(head=1280)", "kb= 1 + 1", "nn.Linear(1, 2)")}),
        "two": (
            ("head", "gone"),
            {"head": ("mobilenet_v3_small(head=1280)", "kb= 1 + 1", "nn.Linear(1, 2)"), "gone": ()},
        ),
        "three": ((), {}),
    }
