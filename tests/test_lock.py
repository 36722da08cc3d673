"""The lock keeps measurements to the letter, says which are stale, and reports what was done to it."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path

import pytest
import yaml

from kb import fingerprints
from kb.calls import find_factories
from kb.fingerprints import fingerprint
from kb.lock import file_name, layers, read_lock, stale_calls, write_lock
from kb.records import KindTotal, Layer, Measurement

CASES = Path(__file__).parent / "cases" / "lock"
LAYERS = (
    Layer("features.0", "conv", 1, (1, 3, 32, 32), (1, 16, 16, 16), 448, 442_368, "nn.Sequential@net.py:3 nn.Conv2d@3"),
    Layer("", "attention", 2, (1, 4, 10, 8), (), 0, 12_800),
    Layer('odd, "name"', "linear", 0, (), (), 20, 0),
)
MEASUREMENT = Measurement(
    call="net(width=0.5)",
    input="1×3×32×32",
    params=468,
    weights=432,
    biases=16,
    normalisation=20,
    buffers=9,
    macs=455_168,
    activations=5000,
    peak_activation_bytes=20_000,
    largest_activation=4096,
    classifier="features.0",
    classifier_params=448,
    classifier_macs=442_368,
    by_kind={"attention": KindTotal(0, 12_800), "conv": KindTotal(448, 442_368), "linear": KindTotal(20, 0)},
    layers=LAYERS,
    incomplete=('aten::_fft_r2c at "x: y"',),
    extras={"activation": 4096},
    fingerprint="00ff",
    versions={"torchvision": "0.28.0"},
)

MODEL_OF_THE_CALL = """
from torch import nn

def net(width: float = 1.0) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, int(32 * width), 3, 2, 1))

def example_inputs(): ...
"""


def test_what_is_written_is_read(tmp_path):
    plain = dataclasses.replace(
        MEASUREMENT, call="plain()", incomplete=(), extras={}, versions={}, by_kind={}, layers=(), classifier=""
    )
    write_lock(tmp_path, [MEASUREMENT, plain])
    lock, problems = read_lock(tmp_path)
    assert problems == []
    assert lock.get(MEASUREMENT.call) == dataclasses.replace(MEASUREMENT, layers=())
    assert lock.get("plain()") == plain
    assert lock.get("other()") is None
    assert layers(tmp_path, MEASUREMENT.call) == LAYERS
    assert layers(tmp_path, "plain()") == layers(tmp_path, "other()") == ()


def test_its_bytes(tmp_path):
    """The files as they stand in a repository: a change of format has to be meant."""
    write_lock(tmp_path, [MEASUREMENT])
    written = {path.relative_to(tmp_path / "reference_models").as_posix(): path for path in tmp_path.rglob("*.*")}
    expected = {path.relative_to(CASES / "written").as_posix(): path for path in (CASES / "written").rglob("*.*")}
    assert {name: path.read_bytes() for name, path in written.items()} == {
        name: path.read_bytes() for name, path in expected.items()
    }


def test_layers_as_an_earlier_kb_wrote_them_are_stale(tmp_path):
    """A card would else show a network's stages without their lines for as long as its code stays the same."""
    write_lock(tmp_path, [MEASUREMENT])
    (tmp_path / "reference_models" / "net.py").write_text(MODEL_OF_THE_CALL, encoding="utf-8")
    factories, _ = find_factories(tmp_path, "reference_models")
    write_lock(
        tmp_path, [dataclasses.replace(MEASUREMENT, fingerprint=fingerprint(MEASUREMENT.call, factories, tmp_path))]
    )
    lock, _ = read_lock(tmp_path)
    assert stale_calls(lock, [MEASUREMENT.call], factories, tmp_path) == []
    path = tmp_path / "reference_models" / "measured" / file_name(MEASUREMENT.call)
    path.write_text(re.sub(r",[^,\n]*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    assert stale_calls(lock, [MEASUREMENT.call], factories, tmp_path) == [MEASUREMENT.call]


def test_order_of_measuring_does_not_show(tmp_path):
    several = [dataclasses.replace(MEASUREMENT, call=f"net(width={n})") for n in (3, 1, 2)]
    contents = set()
    for number, order in enumerate(itertools.permutations(several)):
        folder = tmp_path / str(number)
        for measurement in order:
            write_lock(folder, [measurement])
        contents.add((folder / "reference_models" / "measured.yml").read_bytes())
    assert len(contents) == 1


def test_unused_entries_go_only_when_told(tmp_path):
    other = dataclasses.replace(MEASUREMENT, call="other()")
    write_lock(tmp_path, [MEASUREMENT, other])
    write_lock(tmp_path, [])
    assert set(read_lock(tmp_path)[0].entries) == {MEASUREMENT.call, "other()"}
    write_lock(tmp_path, [], only=["other()"])
    assert set(read_lock(tmp_path)[0].entries) == {"other()"}
    assert [path.name for path in (tmp_path / "reference_models" / "measured").iterdir()] == ["other.csv"]


@pytest.mark.parametrize("case", yaml.safe_load((CASES / "damaged.yml").read_text(encoding="utf-8")))
def test_damage_is_reported(case, tmp_path):
    write_lock(tmp_path, [MEASUREMENT, dataclasses.replace(MEASUREMENT, call="sound()", incomplete=())])
    path = tmp_path / "reference_models" / "measured.yml"
    text = path.read_text(encoding="utf-8")
    changed = re.sub(case["replace"], case["by"], text, count=1, flags=re.MULTILINE | re.DOTALL)
    assert changed != text
    path.write_bytes(changed.encode() if case["by"] != "LATIN-1" else "é".encode("latin-1"))
    lock, (found,) = read_lock(tmp_path)
    assert (found.code, found.message, found.place.line) == ("K410", case["message"], case["line"])
    assert sorted(lock.entries) == case.get("left", [])


def test_stale_is_what_changed(tmp_path):
    folder = tmp_path / "reference_models"
    folder.mkdir()
    head = "from torch import nn\n"
    (folder / "blocks.py").write_text(head, encoding="utf-8")
    (folder / "net.py").write_text(
        head + "from reference_models.blocks import Block\n"
        "def net(width=1) -> nn.Module: ...\ndef example_inputs(): ...\n",
        encoding="utf-8",
    )
    (folder / "apart.py").write_text(
        head + "def apart() -> nn.Module: ...\ndef example_inputs(): ...\n", encoding="utf-8"
    )
    factories, problems = find_factories(tmp_path, "reference_models")
    assert problems == []
    calls = ["net()", "net(width=2)", "apart()"]

    def stale():
        return stale_calls(read_lock(tmp_path)[0], calls, factories, tmp_path)

    def measured(call):
        return dataclasses.replace(MEASUREMENT, call=call, fingerprint=fingerprint(call, factories, tmp_path))

    assert stale() == calls
    write_lock(tmp_path, [measured("net()"), measured("apart()")])
    assert stale() == ["net(width=2)"]
    write_lock(tmp_path, [measured("net(width=2)")])
    assert stale() == []
    (folder / "net.py").write_bytes((folder / "net.py").read_bytes().replace(b"\n", b"\r\n"))
    assert stale() == []  # a checkout on another system changes nothing
    (folder / "blocks.py").write_text(head + "# changed\n", encoding="utf-8")
    assert stale() == ["net()", "net(width=2)"]  # a sibling that is imported counts, another does not
    write_lock(tmp_path, [measured("net()"), measured("net(width=2)")])
    (folder / "measured" / "apart.csv").unlink()
    assert stale() == ["apart()"]
    (folder / "apart.py").unlink()
    factories.pop("apart")
    assert stale() == ["apart()"]


def test_a_new_counter_makes_everything_stale(tmp_path, monkeypatch):
    call = "torchvision.models:alexnet()"
    before = fingerprint(call, {}, tmp_path)
    monkeypatch.setattr(fingerprints, "COUNTER_VERSION", "another")
    assert fingerprint(call, {}, tmp_path) != before


def test_packages_are_compared_where_they_are_installed(tmp_path):
    def measured(name, version):
        call = f"{name}:net()"
        versions = {name.partition(".")[0]: version}
        return dataclasses.replace(
            MEASUREMENT, call=call, versions=versions, fingerprint=fingerprint(call, {}, tmp_path)
        )

    installed = fingerprints.package_versions("pytest:net()")["pytest"]
    write_lock(tmp_path, [measured("pytest.models", installed), measured("hypothesis", "0"), measured("not_here", "1")])
    calls = ["pytest.models:net()", "hypothesis:net()", "not_here:net()"]
    assert stale_calls(read_lock(tmp_path)[0], calls, {}, tmp_path) == ["hypothesis:net()"]


CALLS = [
    "net()",
    "Net()",
    "con()",
    "net(width=0.5)",
    "net(width=0.5, resolution=192)",
    "net(width=-0.5)",
    "net(width=1e-05)",
    "net(width=True)",
    'net(width="True")',
    'net(width="true")',
    "net(head=None)",
    'net(head="../../x")',
    'net(head="a:b|c?*")',
    "net(stages=(1, 2))",
    "net(stages=[1, 2])",
    "net(stages=(1, 2), depth=3)",
    f'net(head="{"x" * 300}")',
    f'net(head="{"x" * 299}y")',
    "网络()",
    "torchvision.models:net()",
    "torchvision:models_net()",
]


def test_file_names_hold_on_every_system():
    names = [file_name(call) for call in CALLS]
    assert len({name.lower() for name in names}) == len(CALLS)
    for name in names:
        assert re.fullmatch(r"[a-z0-9_.-]{1,120}\.csv", name)
        assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)\.", name)
    assert names[:1] + names[3:5] == ["net.csv", "net-width-0.5.csv", "net-width-0.5-resolution-192.csv"]
