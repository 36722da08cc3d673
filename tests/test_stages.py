"""A network's stages are those of its paper's table, and each leads to the line that makes it."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

import kb
from kb.base import load
from kb.lock import layers
from kb.pages import pages
from kb.stages import stages

MODELS = "reference_models"


def table(root: Path, call: str) -> list[tuple[object, int, int, int]]:
    """The stages of a call as Table 2 of MobileNetV2 writes them: t, c, n, s."""
    return [
        (stage.first.expansion, stage.last.channels, len(stage.units), stage.first.stride)
        for stage in stages(layers(root, call))
    ]


def test_mobilenet_v2_has_the_rows_of_its_table_2(root):
    """Sandler2018CVPR, Table 2; the classifier is its last row."""
    assert table(root, "mobilenet_v2()") == [
        (None, 32, 1, 2),
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
        (None, 1280, 1, 1),
        (None, 1000, 1, 1),
    ]


def test_resnet_50_has_the_rows_of_its_table_1(root):
    """He2016CVPR, Table 1: a block's shortcut branches off, and blocks give what the next one is given."""
    found = [(stage.last.channels, len(stage.units), stage.last.output) for stage in stages(layers(root, "resnet()"))]
    assert found == [
        (64, 1, (112, 112)),
        (256, 3, (56, 56)),
        (512, 4, (28, 28)),
        (1024, 6, (14, 14)),
        (2048, 3, (7, 7)),
        (1000, 1, ()),
    ]


def test_mobilenet_v3_small_has_the_rows_of_its_table_2(root):
    """Howard2019arxiv, Table 2: kernel, expansion, output channels, stride; rows that are alike are one stage."""
    found = [
        (stage.first.kernel, stage.first.expansion * stage.first.given, stage.last.channels, stage.first.stride)
        for stage in stages(layers(root, "mobilenet_v3_small()"))
        if stage.first.expansion
    ]
    assert found == [
        (3, 16, 16, 2), (3, 72, 24, 2), (3, 88, 24, 1), (5, 96, 40, 2), (5, 240, 40, 1),
        (5, 120, 48, 1), (5, 288, 96, 2),
    ]  # fmt: skip


def test_blocks_that_join_branches_give_what_the_next_is_given(root):
    """Szegedy2015CVPR, Table 1: depths 256, 480, 512 (three times), 528, 832, 832, 1024."""
    blocks = [stage for stage in stages(layers(root, "googlenet()")) if stage.first.name == "Inception"]
    assert [channels for stage in blocks for channels in [stage.last.channels] * len(stage.units)] == [
        256, 480, 512, 512, 512, 528, 832, 832, 1024,
    ]  # fmt: skip


def test_every_measured_network_falls_into_stages_without_loss(root):
    """Each layer in one stage, once: else a picture would leave out some of the costs."""
    base = load(root)
    for call, measurement in base.lock.entries.items():
        found = stages(layers(root, call))
        assert sum(stage.macs for stage in found) == measurement.macs, call
        assert sum(stage.params for stage in found) == measurement.params, call


def test_a_measurement_without_layers_has_no_stages():
    """Those of packages' models, which kb brings along: their cards have no picture, and are pages all the same."""
    assert stages(()) == ()


EXPECTED_LINES = {
    "mobilenet_v2()": {"conv": "self.conv = Conv(3, k, 3, stride=2)", "bottlenecks.6": "InvertedResidual("},
    "mobilenet_v3_large()": {"conv": "self.conv = nn.Sequential(", "bottlenecks.0": "Bottleneck("},
    "ssd_mobilenet_v2(lite=True)": {"to_c4.2": "InvertedResidual(", "head": "Head("},
    "vgg()": {"convolutions.0": "nn.Conv2d("},
    "resnet()": {"blocks.3": "Block(", "fc": "self.fc = nn.Linear("},
    "vit()": {"encoders.0": "Encoder(", "head": "self.head = nn.Linear("},
}


@pytest.mark.parametrize("call", EXPECTED_LINES)
def test_a_stage_is_made_on_the_line_that_is_named(root, call):
    """Also where the file is another's, a helper makes the layers, or a comprehension the blocks."""
    made = {stage.first.path: stage.first.made for stage in stages(layers(root, call))}
    for path, text in EXPECTED_LINES[call].items():
        file, _, line = made[path].rpartition(":")
        source = (root / MODELS / file).read_text(encoding="utf-8").splitlines()
        assert text in source[int(line) - 1], (path, made[path])


def test_the_line_of_a_layer_is_noted_while_it_is_measured(tmp_path):
    """A subclass's own `super().__init__` is not what asks for it, and a copy is asked for where its original was."""
    (tmp_path / "mkdocs.yml").write_text("site_name: x\n", encoding="utf-8")
    folder = tmp_path / MODELS
    folder.mkdir()
    source = NETWORK.strip("\n")
    (folder / "net.py").write_text(source, encoding="utf-8")
    found = kb.measure("net()", root=tmp_path)
    lines = source.splitlines()
    for layer in found.layers:
        *_, last = layer.made.split(" ")
        line = lines[int(re.split("[@:]", last)[-1]) - 1]
        assert line.endswith(f"# {layer.path}") or f"# {layer.path.partition('.')[0]}" in line, (layer, line)
    assert stages(found.layers)[0].first.name == "Twice"


NETWORK = """
import copy
import torch
from torch import nn

class Twice(nn.Conv2d):
    def __init__(self, channels):
        super().__init__(channels, 2 * channels, 1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Twice(  # first
            4
        )
        block = nn.Linear(8, 8)  # copies
        self.copies = nn.ModuleList(copy.deepcopy(block) for _ in range(2))
        self.last = nn.Linear(8, 2)  # last

    def forward(self, x):
        x = self.first(x).mean((2, 3))
        for each in self.copies:
            x = each(x)
        return self.last(x)

def net() -> nn.Module:
    return Net()

def example_inputs():
    return (torch.zeros(1, 4, 6, 6),)
"""


# ------------------------------------------------------------------------------------------------------ on the page


@pytest.fixture(scope="module")
def files(root):
    return pages(load(root))


def panel(files, card: str, call: str) -> str:
    """The HTML of a model's panel, with what the page fetches when it is opened."""
    page = str(files[f"pages/cards/{card}.md"])
    html = next(each for each in page.split('<details class="kb-model"') if f"<code>{call}</code>" in each[:400])
    later = re.search(r'data-kb-panel="([^"]+)"', html)
    return html + (json.loads(files[f"pages/cards/{card}.panels.json"])[later[1]] if later else "")


def test_bars_show_the_shares_of_the_measurement(files, root):
    """V1's Table 2 as a picture: the widths are the shares, to a tenth of a per mille, and they fill the bar."""
    measurement = load(root).lock.get("mobilenet_v1()")
    html = panel(files, "Howard2017arxiv", "mobilenet_v1()")
    bars = re.findall(r'<svg class="kb-bar__track".*?</svg>', html, re.DOTALL)
    for metric, bar in zip(("params", "macs"), bars, strict=True):
        widths = [float(width) for width in re.findall(r'width="([\d.]+)" height="10"', bar)]
        shares = [getattr(total, metric) / getattr(measurement, metric) for total in measurement.by_kind.values()]
        assert sorted(widths) == pytest.approx(sorted(1000 * share for share in shares if share), abs=0.051)
        assert sum(widths) == pytest.approx(1000, abs=0.3)
    assert "94.9 %" in bars[1]
    assert "24.2 %" in bars[0]


def test_heights_in_the_picture_of_stages_are_the_units_costs(files, root):
    """The areas of one colour above the boxes are to each other as the multiply-adds are."""
    html = panel(files, "Sandler2018CVPR", "mobilenet_v2()")
    picture = re.search(r'<svg class="kb-net.*?</svg>\s*</div>|<svg class="kb-net.*?</svg></div>', html, re.DOTALL)[0]
    tall: dict[str, float] = {}
    for data in re.findall(r'<path class="kb-fill-\d" d="([^"]+)"', picture):
        for x, y, height in re.findall(r"M([\d.]+) ([\d.]+)h[\d.]+v([\d.]+)", data):
            if float(y) < 60:
                tall[x] = tall.get(x, 0) + float(height)
    units = [unit.macs for stage in stages(layers(root, "mobilenet_v2()")) for unit in stage.units]
    heights = [tall[x] for x in sorted(tall, key=float)]
    assert heights == pytest.approx([60 * macs / max(units) for macs in units], abs=0.2)


def test_each_stage_leads_to_its_line_of_the_source_on_the_page(files, root):
    """A link that leads beside the line, or to a file that the page does not show, would be worse than none."""
    for card, call in (("Sandler2018CVPR", "mobilenet_v2()"), ("Howard2019arxiv", "ssd_mobilenet_v3_large(lite=True)")):
        html = panel(files, card, call)
        found = re.findall(r'<a (?:xlink:)?href="#(source-(\d+)-(\d+))"', html)
        made = [stage.first.made for stage in stages(layers(root, call))]
        assert len(found) == 2 * len(made)  # in the picture and in the table
        for (anchor, number, line), place in zip(found, made * 2, strict=True):
            file, _, expected = place.rpartition(":")
            body = str(files[f"bodies/cards/{card}/source-{number}.html"])
            assert f"<code>{MODELS}/{file}</code>" in body
            assert f'id="{anchor}"' in body
            assert line == expected


def test_marks_stand_where_the_figures_differ(files, root):
    """Every tested figure once, in its verdict's colour, leading to itself; the further off, the further out."""
    base = load(root)
    page = str(files["pages/cards/Howard2017arxiv.md"])
    picture = page[page.index('<div class="kb-ratios__grid">') : page.index('<details class="kb-ratios__table">')]
    marks = re.findall(r'<a xlink:href="#figure-(\d+)-(\d+)"[^>]*><text class="kb-is-(\w+)" x="([\d.]+)%"', picture)
    tested = {place: each for place, each in base.verdicts(base.card("Howard2017arxiv")).items() if each.measured}
    assert {(int(line), int(column)): status for line, column, status, _ in marks} == {
        place: verdict.status for place, verdict in tested.items()
    }
    off = [
        (
            Fraction(tested[int(line), int(column)].measured) / Fraction(tested[int(line), int(column)].printed.value),
            float(x),
        )
        for line, column, _, x in marks
    ]
    assert [x for _, x in sorted(off)] == sorted(x for _, x in off)
    assert all(3 <= x <= 97 for _, x in off)


def test_few_figures_need_no_picture(files):
    assert "kb-ratios" not in str(files["pages/cards/Iandola2016arxiv.md"])
