"""What the compare page is made of: the data files say what was measured, and where each reported accuracy stands."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import copy_repository
from test_pages import Reader, base_from, staged, whole

import kb
from kb.drawing.axes import axis
from kb.editors import schemas
from kb.figures import accuracy_behind
from kb.records import NUMBERS

CASE = Path(__file__).parent / "cases/comparing"
COUNTED = "models.v1"
ZHANG = "Zhang2018CVPR"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return copy_repository(tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def files(root):
    return staged(root)


@pytest.fixture(scope="module")
def base(root):
    return kb.load(root)


@pytest.fixture(scope="module")
def stated(tmp_path_factory):
    """The staged files of the notes that state datasets in every way."""
    return staged(base_from(CASE, tmp_path_factory.mktemp("stated")))


def table(files, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(str(files[f"pages/data/{name}.csv"]), newline="")))


# ------------------------------------------------------------------------------------------------------ data files


def test_the_json_holds_every_measured_call_with_its_measurement(files, base):
    data = json.loads(files["pages/data/models.v1.json"])
    assert data["format"] == 1
    named = {call for card in base.cards for call in base.calls if base.lock.get(call)}
    assert [each["call"] for each in data["calls"]] == sorted(named)
    for each in data["calls"]:
        measured = base.lock.get(each["call"])
        assert {name: each[name] for name in NUMBERS} == {name: getattr(measured, name) for name in NUMBERS}
        assert each["flops"] == 2 * measured.macs
        assert each["input"] == measured.input
        kinds = {kind: [total.params, total.macs] for kind, total in measured.by_kind.items()}
        assert each["by_kind"] == kinds


def test_the_csv_says_the_same_as_the_json(files):
    calls = json.loads(files["pages/data/models.v1.json"])["calls"]
    lines = table(files, COUNTED)
    assert [line["call"] for line in lines] == [each["call"] for each in calls]
    for line, each in zip(lines, calls, strict=True):
        assert {name: int(line[name]) for name in (*NUMBERS, "flops")} == {
            name: each[name] for name in (*NUMBERS, "flops")
        }
        assert line["citekeys"].split(";") == [card["citekey"] for card in each["cards"]]
        for kind, (params, macs) in each["by_kind"].items():
            assert (int(line[f"params:{kind}"]), int(line[f"macs:{kind}"])) == (params, macs)


@pytest.mark.parametrize("name", ["files", "stated"])
def test_the_json_is_as_its_published_schema_says(name, request):
    staged_files = request.getfixturevalue(name)
    schema = json.loads(schemas()["models.schema.json"])
    assert json.loads(staged_files["pages/schemas/models.schema.json"]) == schema
    jsonschema.Draft202012Validator(schema).validate(json.loads(staged_files["pages/data/models.v1.json"]))


def test_a_call_is_of_the_oldest_paper_that_names_it(files):
    calls = {each["call"]: each for each in json.loads(files["pages/data/models.v1.json"])["calls"]}
    assert calls["mobilenet_v2()"]["year"] == 2018
    assert [card["citekey"] for card in calls["mobilenet_v2()"]["cards"]] == ["Sandler2018CVPR", "Howard2019arxiv"]
    assert calls["mobilenet_v3_small()"]["family"] == calls["mobilenet_v3_large()"]["family"] == "mobilenet_v3"


def test_every_accuracy_of_a_tied_row_is_kept_with_its_source(files, base):
    """Those of several tables and cards beside each other, none in place of another."""
    printed = sorted(
        (row.call, card.citekey, row.line, figure.column, figure.printed)
        for card in base.papers
        for row in card.results
        for name, figure in row.metrics.items()
        if row.call and name.split()[0] in ("top1", "top5", "map", "miou")
    )
    found = [line for line in table(files, "reported.v1") if line["error"] == "0"]
    anchors = (re.search(r"#figure-(\d+)-(\d+)$", line["href"]) for line in found)
    kept = sorted(
        (line["call"], line["citekey"], int(anchor[1]), int(anchor[2]), line["printed"].split(" ")[0])
        for line, anchor in zip(found, anchors, strict=True)
    )
    assert kept == printed
    assert len(kept) > 80


def test_an_error_rate_is_shown_as_the_accuracy_that_it_leaves(files):
    """ShuffleNet prints what is wrong: its networks would be missing among those that print what is right."""
    found = {(each["call"], each["printed"]): each for each in table(files, "reported.v1") if each["citekey"] == ZHANG}
    one = found["shufflenet(scale=2)", "26.3 %"]
    assert (one["metric"], float(one["value"]), one["error"], one["dataset"]) == ("top1", 73.7, "1", "ImageNet")


@pytest.mark.parametrize(
    ("header", "metric"),
    [
        ("Top-1 error (%)", "top1"),
        ("top-5 err.", "top5"),
        ("Cls err. (%)", "top1"),
        ("classification error", "top1"),
        ("Top-1 错误率", "top1"),
        ("Mean error (px)", None),
        ("Localisation error", None),
        ("top-1", None),
    ],
)
def test_only_classification_errors_leave_an_accuracy(header, metric):
    assert accuracy_behind(header) == metric


def test_every_reported_accuracy_leads_to_its_cell(files):
    for line in table(files, "reported.v1"):
        card, _, anchor = line["href"].partition("#")
        page = whole(files, f"pages/{card.removesuffix('.html')}.md")
        cell = re.search(rf'<td[^>]*>((?:(?!</td>).)*)<span class="kb-anchor" id="{anchor}">', page)
        assert cell, line
        assert line["printed"].split(" ")[0] in cell[1]


# -------------------------------------------------------------------------------------------------------- datasets


@pytest.mark.parametrize(("label", "expected"), yaml.safe_load((CASE / "expect.yml").read_text("utf-8")).items())
def test_a_dataset_is_what_the_card_says_and_else_none(stated, label, expected):
    (found,) = (line for line in table(stated, "reported.v1") if line["label"] == label)
    assert [found["metric"], float(found["value"]), found["dataset"], found["stated"]] == expected


def test_only_accuracies_of_models_are_reported(stated):
    labels = [line["label"] for line in table(stated, "reported.v1")]
    assert sorted(labels) == sorted(yaml.safe_load((CASE / "expect.yml").read_text("utf-8")))


def test_the_page_says_where_no_dataset_is_stated(stated):
    row = re.search(
        r"<tr>\n<th scope=\"row\"><a [^>]*><code>net\(\)(?:(?!</tr>).)*", str(stated["pages/models.md"]), re.DOTALL
    )
    reported = re.findall(r">([\d.]+ %)</a> (\S+?)<span class=\"kb-label\">([^·]+) ·", row[0])
    assert ("60.5 %", "top-5", "dataset not stated") in reported
    assert ("40 %", "top-1", "Birds of Iceland") in reported


# ------------------------------------------------------------------------------------- the page without its script


def test_the_page_has_a_row_for_every_call_without_the_script(files):
    calls = [each["call"] for each in json.loads(files["pages/data/models.v1.json"])["calls"]]
    page = str(files["pages/models.md"]).partition('data-kb="table"')[2]
    rows = re.findall(r'<th scope="row"><a href="[^"]+"><code>(.*?)</code>', page)
    assert [row.replace("<wbr>", "").replace("&#34;", '"') for row in rows] == calls


def test_the_plot_is_made_of_links_whose_names_hold_their_figures(files):
    drawn = re.search(r"<svg class=\"kb-plot__drawing\".*?</svg>", str(files["pages/models.md"]), re.DOTALL)
    points = Reader(drawn[0]).all("a")
    imagenet = [
        line for line in table(files, "reported.v1") if (line["metric"], line["dataset"]) == ("top1", "ImageNet")
    ]
    assert len(points) == len({(line["call"], line["value"]) for line in imagenet})
    wanted = "mobilenet_v3_large()；217 M MACs"
    (point,) = (each for each in points if (each["aria-label"] or "").startswith(wanted))
    assert "75.2 %" in point["aria-label"]
    assert "MobileNetV3" in point["aria-label"]
    assert point["xlink:href"] == "cards/Howard2019arxiv.html#model-mobilenet_v3_large"


def test_no_marked_point_is_worse_and_dearer_than_another(files):
    """The rings are on the Pareto front, and on all of it."""
    reported = table(files, "reported.v1")
    macs = {line["call"]: int(line["macs"]) for line in table(files, COUNTED)}
    points = {
        (macs[line["call"]], float(line["value"]))
        for line in reported
        if (line["metric"], line["dataset"]) == ("top1", "ImageNet")
    }
    front = sorted(
        point
        for point in points
        if not any(other != point and other[0] <= point[0] and other[1] >= point[1] for other in points)
    )
    rows = re.findall(
        r'<td class="kb-number">([\d,]+)</td><td class="kb-number">([\d.]+)</td><td>.*?</td><td>是</td>',
        str(files["pages/models.md"]),
    )
    assert [(int(cost.replace(",", "")), float(value)) for cost, value in rows] == front


def test_with_many_calls_the_page_holds_the_first_and_the_file_all(tmp_path):
    root = timm_base(tmp_path)
    staged_files = staged(root)
    calls = json.loads(staged_files["pages/data/models.v1.json"])["calls"]
    assert len(calls) > 300
    assert str(staged_files["pages/models.md"]).partition('data-kb="table"')[2].count("<tr>") == 301
    assert str(staged_files["bodies/models/data.html"]).endswith('"data":null}</template>')
    families = {each["call"]: each["family"] for each in calls}
    assert families["timm.models:resnet50()"] == "resnet"
    assert families["timm.models:efficientnet_b0()"] == families["timm.models:tf_efficientnet_b0()"] == "efficientnet"
    assert families["timm.models:swinv2_base_window8_256()"] == "swinv2"


FAMILIES = ("resnet50", "efficientnet_b0", "tf_efficientnet_b0", "swinv2_base_window8_256")
ZOO = """### Zoo: Wightman2019github

> Dataset
> Wightman R. PyTorch Image Models, GitHub 2019

#### Problem

Many networks.

#### Method

One zoo.

#### Experiments

None of them here.
"""


def timm_base(tmp_path: Path) -> Path:
    """A card on many models of a package, which kb brings the measurements of."""
    root = base_from(CASE, tmp_path / "base")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    (root / "mkdocs.yml").write_text(settings.replace("packages: []", "packages: [timm]"), encoding="utf-8")
    brought = (Path(kb.__file__).parent / "measured/timm-1.0.31.csv").read_text(encoding="utf-8")
    names = sorted(set(re.findall(r"timm\.models:\w+\(\)", brought)))
    picked = [*names[::4], *(f"timm.models:{name}()" for name in FAMILIES)]
    models = "\n".join(f"- `{name}`" for name in dict.fromkeys(picked))
    text = f"{ZOO}\n#### Reference models\n\n{models}\n"
    (root / "notes/Wightman2019github.md").write_text(text, encoding="utf-8")
    return root


# ------------------------------------------------------------------------------------------------------------ axes


@pytest.mark.parametrize(
    ("values", "log", "ticks"),
    [
        ([1, 1000], True, (1, 10, 100, 1000)),
        ([40, 300], True, (50, 100, 200)),
        ([50, 76], False, (50, 55, 60, 65, 70, 75)),
        ([0.1, 0.4], False, (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)),
        ([5, 5], False, (4.8, 4.9, 5.0, 5.1, 5.2)),
        ([], False, None),
        ([0, 7], True, None),
    ],
)
def test_ticks_are_round_and_every_value_is_on_its_axis(values, log, ticks):
    found = axis(values, 0, 100, log=log)
    if ticks is not None:
        assert found.ticks() == ticks
    assert all(0 <= found.at(value) <= 100 for value in values if value > 0 or not log)
