"""Runnable figures: drawn where their code runs, kept beside it, made again only when it changes, safe on a page."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch

from kb.base import load
from kb.drawing.plots import PlotError, plot_from
from kb.drawing.plotting import standalone
from kb.lock import read_lock
from kb.pages import pages
from kb.problems import Problem
from kb.runnables import find_runnables, is_stale
from kb.running import run

FIGURES = "reference_models/figures"
NOTE = "notes/Simonyan2015ICLR.md"
SHARED = "SCALE = 2\n"
WIDTHS = """
from reference_models.scales import SCALE
Figure = dict[str, object]

def widths() -> Figure:
    return {"title": "Widths", "series": [{"name": "line", "x": [1, 2, 4], "y": [SCALE, 4, 16]}]}
"""


@pytest.fixture
def base(starter) -> Path:
    """A small knowledge base with a figure that imports a reference model's file, shown on its card."""
    write(starter, WIDTHS)
    (starter / "reference_models" / "scales.py").write_text(SHARED, encoding="utf-8")
    note = starter / NOTE
    text = note.read_text(encoding="utf-8")
    note.write_text(text.replace("#### Experiments", "![Caption](figure:widths)\n\n#### Experiments"), encoding="utf-8")
    assert "figure:widths" in note.read_text(encoding="utf-8")
    return starter


def write(root: Path, source: str) -> None:
    path = root / FIGURES / "widths.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")


def drawn(root: Path, **limits: float) -> object:
    """What comes of running the figure."""
    runnables, problems = find_runnables(root, "reference_models")
    assert problems == []
    [found] = run(list(runnables.values()), root, **limits)
    return found


# ------------------------------------------------------------------------------------------------------- the lock


def test_a_figure_is_drawn_once_and_again_when_its_code_changes(base, kb):
    """A locked build runs nothing: it names what is stale. Any other build draws it, and nothing else anew."""
    locked = kb("build", "--locked", cwd=base)
    assert locked.returncode == 3
    assert f"{FIGURES}/widths.py:5:1: K423 the figure `widths` is not drawn as it is now" in locked.stderr
    assert kb("build", cwd=base).returncode == 0
    svg, data = (base / FIGURES / f"widths.{ending}" for ending in ("svg", "json"))
    before = svg.read_bytes(), data.read_bytes()
    assert kb("build", "--locked", cwd=base).returncode == 0
    assert 'class="kb-plot"' in (base / "site/cards/Simonyan2015ICLR.html").read_text(encoding="utf-8")
    assert json.loads((base / "site/figures/widths.json").read_text(encoding="utf-8"))["figure"]["title"] == "Widths"

    write(base, WIDTHS.replace("16]", "17]"))
    locked = kb("build", "--locked", cwd=base)
    assert (locked.returncode, "K423 the figure `widths`" in locked.stderr) == (3, True)
    assert kb("measure", cwd=base).returncode == 0
    assert svg.read_bytes() != before[0]
    assert json.loads(data.read_text(encoding="utf-8"))["figure"]["series"][0]["y"] == [2, 4, 17]
    assert kb("build", "--locked", cwd=base).returncode == 0

    write(base, WIDTHS)
    assert kb("measure", cwd=base).returncode == 0
    assert (svg.read_bytes(), data.read_bytes()) == before


@pytest.mark.parametrize("change", ["the model it imports", "its drawing", "its data"])
def test_what_makes_a_figure_stale(base, kb, change):
    assert kb("measure", cwd=base).returncode == 0
    runnable = load(base).runnables["widths"]
    assert not is_stale(runnable, base, "reference_models")
    if change == "the model it imports":
        (base / "reference_models/scales.py").write_text("SCALE = 3\n", encoding="utf-8")
    elif change == "its drawing":
        (base / runnable.drawing).unlink()
    else:
        (base / runnable.data).write_text("<<<<<<< ours", encoding="utf-8")
    assert is_stale(runnable, base, "reference_models")


def test_line_ends_make_no_figure_stale(base, kb):
    assert kb("measure", cwd=base).returncode == 0
    for path in (base / FIGURES / "widths.py", base / "reference_models/scales.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert not is_stale(load(base).runnables["widths"], base, "reference_models")


def test_drawings_go_with_their_figure_and_nothing_else_does(base, kb):
    assert kb("measure", cwd=base).returncode == 0
    own = {base / FIGURES / name for name in ("photo.svg", "numbers.json")}
    for path in own:
        path.write_text("{}", encoding="utf-8")
    write(base, WIDTHS.replace("def widths", "def heights"))
    (base / NOTE).write_text((base / NOTE).read_text(encoding="utf-8").replace("figure:widths", "figure:heights"))
    assert kb("measure", cwd=base).returncode == 0
    names = {path.name for path in (base / FIGURES).iterdir() if path.is_file()}
    assert names == {"widths.py", "heights.svg", "heights.json", "photo.svg", "numbers.json"}


def test_the_repository_s_drawings_are_what_their_code_gives(root):
    """To the byte: so they are deterministic, and no drawing was edited by hand."""
    base = load(root)
    assert set(base.runnables) >= {"cost_ratio", "accuracy", "relu_spiral", "hswish"}
    for found in run(list(base.runnables.values()), root):
        assert not isinstance(found, Problem), found
        assert (root / found.runnable.data).read_text(encoding="utf-8") == found.text
        drawing = standalone(found.plot, base.settings.language)
        assert (root / found.runnable.drawing).read_text(encoding="utf-8") == drawing


# ------------------------------------------------------------------------------------------- what the four of them say


def series(root: Path, name: str) -> dict[str, dict]:
    figure = json.loads((root / FIGURES / f"{name}.json").read_text(encoding="utf-8"))["figure"]
    return {named(each["name"]): each for each in figure["series"]}


def named(text: object) -> str:
    return text if isinstance(text, str) else text["en"]


def test_measured_ratios_lie_on_the_formula(root):
    """1/N + 1/D_K²: PyTorch's own counter and the formula agree to the five digits that are kept."""
    found = series(root, "cost_ratio")
    for kernel in (3, 5, 7):
        points = found[f"measured, D_K = {kernel}"]
        expected = [1 / n + 1 / kernel**2 for n in points["x"]]
        assert points["y"] == pytest.approx(expected, rel=1e-4)


def test_multiply_adds_of_the_grid_are_those_that_kb_measured(root):
    """Two counters: PyTorch's in the figure, kb's in the lock."""
    lock, _ = read_lock(root)
    compared = 0
    for name, each in series(root, "accuracy").items():
        width = re.match(r"width ([\d.]+), README", name)
        for million, label in zip(each["x"], each["labels"], strict=True) if width else ():
            resolution = int(label.removesuffix("²"))
            arguments = [f"width={width[1]}"] * (width[1] != "1") + [f"resolution={resolution}"] * (resolution != 224)
            held = lock.get(f"mobilenet_v1({', '.join(arguments)})")
            if held:
                compared += 1
                assert million * 1e6 == pytest.approx(held.macs, rel=1e-4)
    assert compared >= 8


def test_accuracies_are_those_of_the_card(root):
    """What the figure says the paper prints stands in the card's tables."""
    card = load(root).card("Howard2017arxiv")
    printed = {
        (row.call, str(row.metrics["top1"].printed))
        for row in card.results
        if row.call.startswith("mobilenet_v1(") and "top1" in row.metrics and "classes" not in row.call
    }
    points = series(root, "accuracy")["the paper's Tables 6, 7 and 9"]
    for label, top1 in zip(points["labels"], points["y"], strict=True):
        width, resolution = label.removesuffix("²").split(", ")
        arguments = [f"width={width}"] * (width != "1") + [f"resolution={resolution}"] * (resolution != "224")
        assert (f"mobilenet_v1({', '.join(arguments)})", str(top1)) in printed


def test_more_dimensions_keep_more_of_the_spiral(root):
    """V2's Figure 1: at 2 dimensions much is folded away, at 15 and 30 the spiral comes back, smaller."""
    figure = json.loads((root / FIGURES / "relu_spiral.json").read_text(encoding="utf-8"))["figure"]
    lines = [torch.tensor([panel["series"][0]["x"], panel["series"][0]["y"]]) for panel in figure["panels"]]
    whole = distinct(lines[0])
    kept = [distinct(line) / whole for line in lines[1:]]
    assert len(kept) == 5
    assert kept[0] < 0.7
    assert min(kept[3:]) > 0.95


def distinct(line: torch.Tensor) -> int:
    """How many points of a line lie apart from all others."""
    apart = torch.cdist(line.T, line.T) + 10 * torch.eye(line.shape[1])
    return int((apart.min(0).values > 1e-3).sum())


def test_hswish_is_what_pytorch_has(root):
    figure = json.loads((root / FIGURES / "hswish.json").read_text(encoding="utf-8"))["figure"]
    drawn = {each["name"]: each for panel in figure["panels"] for each in panel["series"]}
    x = torch.tensor(drawn["h-swish"]["x"])
    for name, function in (("h-swish", torch.nn.functional.hardswish), ("swish", torch.nn.functional.silu)):
        assert torch.allclose(torch.tensor(drawn[name]["y"]), function(x), atol=1e-4)


# ------------------------------------------------------------------------------------------------------- mistakes


FAILURES = {
    "raises": ('    raise ValueError("no data")', "ValueError: no data (reference_models/figures/widths.py:6)"),
    "never ends": ("    while True: pass", "it took longer than 2 seconds"),
    "exits": ("    exit(3)", "exit(3)"),
    "returns nothing": ("    return None", "it returned something else than a figure: the figure is no mapping"),
    "returns a module": ("    import torch; return {'series': [torch.nn.ReLU()]}", "not a ReLU"),
    "two lengths": ('    return {"series": [{"x": [1, 2], "y": [1]}]}', "`x` has 2 numbers and `y` has 1"),
    "a wrong key": ('    return {"series": [], "colour": "red"}', "has a key `colour`"),
    "log of zero": ('    return {"x": {"log": True}, "series": [{"x": [0], "y": [1]}]}', "is logarithmic"),
    "far too much": ('    return {"series": [{"x": [0.0] * 30000, "y": [1.0] * 30000}]}', "more than 20,000 points"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_figure_that_fails_says_why(starter, name):
    body, expected = FAILURES[name]
    write(starter, f"\n\nFigure = dict[str, object]\ndef widths() -> Figure:\n    # what it does\n{body}\n")
    found = drawn(starter, seconds=2 if name == "never ends" else 60)
    assert isinstance(found, Problem)
    assert (found.code, found.place.path, found.place.line) == ("K422", f"{FIGURES}/widths.py", 4)
    assert expected in found.message


def test_a_figure_that_fails_keeps_the_old_site(base, kb):
    write(base, WIDTHS.replace("    return", "    raise RuntimeError('broken')\n    return"))
    done = kb("build", cwd=base)
    assert done.returncode == 1
    assert "K422 the figure `widths` could not be drawn: RuntimeError: broken" in done.stderr
    assert not (base / "site").exists()


def test_two_figures_of_one_name_are_reported(base, kb):
    (base / FIGURES / "again.py").write_text("Figure = dict\ndef widths() -> Figure: ...\n", encoding="utf-8")
    done = kb("check", cwd=base)
    assert f"K422 there is a figure `widths` already, at {FIGURES}/again.py:2" in done.stdout


HOSTILE = '<script>alert(1)</script> & "quoted" ]]> </title></svg>\x00'


def test_texts_of_a_figure_are_escaped(base, kb):
    """Code that is trusted may take its labels from data that is not."""
    write(base, WIDTHS.replace('"Widths"', repr(HOSTILE)).replace('"line"', repr(HOSTILE)))
    assert kb("measure", cwd=base).returncode == 0
    svg = (base / FIGURES / "widths.svg").read_text(encoding="utf-8")
    tree = ElementTree.fromstring(svg)
    assert not [each for each in tree.iter() if each.tag.endswith("script")]
    assert tree[0].text.startswith('<script>alert(1)</script> & "quoted"')
    files = pages(load(base))
    html = "".join(str(text) for path, text in files.items() if path.startswith("bodies/"))
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_an_author_cannot_place_a_figure_by_html(base, kb):
    """Only an image does: attributes that a note writes by hand do not reach the page's own markup."""
    assert kb("measure", cwd=base).returncode == 0
    note = base / NOTE
    text = note.read_text(encoding="utf-8")
    note.write_text(
        text.replace("![Caption](figure:widths)", '<span data-kb-figure="widths">x</span>'), encoding="utf-8"
    )
    html = "".join(str(text) for path, text in pages(load(base)).items() if path.startswith("bodies/"))
    assert "kb-plot" not in html


# ----------------------------------------------------------------------------------------------------- the page


def test_a_figure_has_its_numbers_in_a_table(base, kb):
    """For those who cannot see it, or who want the numbers."""
    assert kb("measure", cwd=base).returncode == 0
    files = pages(load(base))
    body = str(files["bodies/cards/Simonyan2015ICLR/method.html"])
    figure = body[body.index("<figure") : body.index("</figure>")]
    assert "<p><figure" not in body
    assert ">Caption <span" in figure
    rows = re.findall(r'<th scope="row">line</th><td>(\S+)</td><td>(\S+)</td>', figure)
    assert rows == [("1", "2"), ("2", "4"), ("4", "16")]
    anchor = re.search(r'href="#(source-(\d+)-5)"', figure)
    assert f'id="{anchor[1]}"' in str(files[f"bodies/cards/Simonyan2015ICLR/source-{anchor[2]}.html"])


def test_in_a_line_of_text_a_figure_is_its_drawing_alone(base, kb):
    assert kb("measure", cwd=base).returncode == 0
    note = base / NOTE
    text = note.read_text(encoding="utf-8")
    note.write_text(text.replace("![Caption](figure", "Before ![Caption](figure"), encoding="utf-8")
    body = str(pages(load(base))["bodies/cards/Simonyan2015ICLR/method.html"])
    assert re.search(r'<p>Before <span class="kb-figure kb-figure--inline"[^>]*><svg class="kb-plot"', body)
    assert "<figure" not in body


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], "no mapping"),
        ({"panels": []}, "no panels"),
        ({"series": [{"x": [1], "y": ["a"]}]}, "a number, not a str"),
        ({"series": [{"x": [1], "y": [True]}]}, "a number, not a bool"),
        ({"series": [{"x": [1], "y": [1], "draw": "pie"}]}, "one of line, points, both"),
        ({"series": [{"x": [1], "y": [1], "labels": ["a", "b"]}]}, "2 labels for 1 points"),
        ({"x": {"low": 2, "high": 1}, "series": []}, "`low` is not below `high`"),
        ({"title": 3, "series": []}, "a text, not a int"),
    ],
)
def test_data_that_is_no_figure_is_refused(data, expected):
    with pytest.raises(PlotError, match=re.escape(expected)):
        plot_from(data)


@pytest.mark.parametrize("numbers", [[], [0], [5, 5], [1e-300, 1e300], [None, 1, None], [-1e9, 1e-9]])
def test_any_numbers_can_be_drawn(numbers):
    """One point, none, all alike, or far apart: the drawing is well-formed and has no `nan` in it."""
    plot = plot_from({"series": [{"x": numbers, "y": numbers, "draw": "both"}]})
    svg = standalone(plot, "en")
    ElementTree.fromstring(svg)
    assert "nan" not in svg
    assert "inf" not in svg
