"""The measurements that kb brings along of torchvision's and timm's models: right, complete, read only when needed."""

from __future__ import annotations

import csv
import importlib
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import kb
from kb import package_lock
from kb.counting.packages import find_factory
from kb.lock import read_lock, write_lock
from kb.measuring import measure
from kb.records import Measurement

ROOT = Path(__file__).resolve().parent.parent
FILES = {path.name.partition("-")[0]: path for path in sorted((ROOT / "kb" / "measured").glob("*.csv"))}
SAMPLE = 30  # of each package, measured again
RESNET50 = "torchvision.models:resnet50()"
SETTINGS = "site_name: Papers\ntheme: {name: material, language: en}\nextra: {kb: {packages: [torchvision, timm]}}\n"
CARD = """\
# ResNet: He2016CVPR

> Architecture
> He K., et al. Deep residual learning for image recognition, CVPR 2016

## Problem

One.

## Method

Two.

## Experiments

| Network | Params | MACs |
|---|---|---|
| ResNet-50, `CALL` | 25.6 M | 4.1 G |
"""


def calls(package: str) -> list[str]:
    """The calls in a package's file, in their order."""
    with FILES[package].open(encoding="utf-8", newline="") as file:
        return [row["call"] for row in csv.DictReader(file)]


def card_base(folder: Path, call: str, settings: str = SETTINGS) -> Path:
    """A knowledge base of one card, which names a call, and without a lock."""
    (folder / "notes").mkdir(parents=True, exist_ok=True)
    (folder / "mkdocs.yml").write_text(settings, encoding="utf-8")
    (folder / "notes" / "He2016CVPR.md").write_text(CARD.replace("CALL", call), encoding="utf-8")
    return folder


def with_version(folder: Path, package: str, version: str) -> dict[str, str]:
    """An environment in which a package is found in this version: its metadata, in front of the installed one's."""
    metadata = folder / f"{package}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("package", FILES)
def test_a_sample_comes_out_again(package):
    """Drawn anew by its seed from the file as it is: every integer, by kind and extras, too."""
    sample = random.Random(package).sample(calls(package), SAMPLE)
    lock, _ = read_lock(ROOT)
    found = list(measure(sample, ROOT, packages=[package]))
    assert [each if isinstance(each, Measurement) else each.message for each in found] == [
        replace(lock.get(call), layers=each.layers) for call, each in zip(sample, found, strict=True)
    ]


def test_all_models_are_there():
    """torchvision's networks for classification, segmentation, video and one-stage detection; all of timm's."""
    parts = ("", ".segmentation", ".video", ".detection")
    names = find_factory("torchvision.models", "list_models")
    builder = find_factory("torchvision.models", "get_model_builder")
    theirs = {
        f"{module}:{builder(name).__name__}()"
        for module in (f"torchvision.models{part}" for part in parts)
        for name in names(module=importlib.import_module(module))
        if "rcnn" not in name
    }
    assert set(calls("torchvision")) == theirs
    assert set(calls("timm")) == {f"timm.models:{name}()" for name in find_factory("timm", "list_models")()}


@pytest.mark.parametrize("package", FILES)
def test_the_files_are_in_order(package):
    found = calls(package)
    assert found == sorted(set(found))


def test_what_is_written_is_read():
    """The text of a measurement made now is its line in the file."""
    (measured,) = measure([RESNET50], ROOT, packages=["torchvision"])
    header, line = package_lock.text_of([(measured, "torchvision.models.resnet")]).splitlines()
    lines = FILES["torchvision"].read_text(encoding="utf-8").splitlines()
    assert header == lines[0]
    assert line in lines


@pytest.mark.parametrize(
    ("written", "call"),
    [
        (RESNET50, RESNET50),
        ("torchvision.models.resnet50(weights=None)", RESNET50),
        ("torchvision.models.resnet:resnet50()", RESNET50),
        ('timm.create_model("resnet50", pretrained=True)', "timm.models:resnet50()"),
        ("timm.models.resnet:resnet50()", "timm.models:resnet50()"),
    ],
)
def test_a_card_shows_a_packages_model_that_was_never_measured_here(written, call, tmp_path):
    base = kb.load(card_base(tmp_path, written))
    [row] = base["He2016CVPR"].results
    assert {metric: verdict.measured for metric, verdict in row.verdicts.items()} == {
        "params": 25_557_032,
        "macs": 4_089_184_256,
    }
    assert {verdict.status for verdict in row.verdicts.values()} == {"agrees"}
    assert replace(base.lock.get(row.call), call=call, fingerprint="") == replace(
        package_lock.package_lock(call).get(call), fingerprint=""
    )


def test_expressions_name_them_as_tables_do(kb, tmp_path):
    claims = "`kb? torchvision.models.resnet50().macs + timm.create_model('resnet50').macs == 8178368512`\n"
    card_base(tmp_path, RESNET50)
    note = tmp_path / "notes" / "He2016CVPR.md"
    note.write_text(note.read_text(encoding="utf-8") + "\n" + claims, encoding="utf-8")
    assert kb("-C", tmp_path, "check").stdout == ""
    note.write_text(note.read_text(encoding="utf-8").replace("8178368512", "8178368513"), encoding="utf-8")
    assert "does not hold: the value is 8,178,368,512" in kb("-C", tmp_path, "check").stdout


def test_a_model_that_a_package_does_not_have_is_answered_by_the_nearest(kb, tmp_path):
    done = kb("-C", card_base(tmp_path, RESNET50), "measure", 'timm.create_model("resnet5")')
    assert done.returncode == 1
    assert "`timm.models` has no model `resnet5`" in done.stderr
    assert "did you mean `timm.models:resnet50()`?" in done.stderr


@pytest.mark.parametrize(("arguments", "code"), [([], 1), (["--allow-incomplete"], 0)])
def test_two_stage_detectors_say_up_to_where_they_were_measured(arguments, code, kb, tmp_path):
    call = "torchvision.models.detection:maskrcnn_resnet50_fpn()"
    done = kb("-C", card_base(tmp_path, RESNET50), "measure", *arguments, call)
    assert done.returncode == code
    assert "at rpn: its result depends on the data; roi_heads.box_head.fc6 and 9 more layers had not run" in done.stdout
    assert ("K408" in done.stderr) == bool(code)


def test_what_the_base_has_measured_itself_comes_first(tmp_path):
    own = replace(package_lock.package_lock(RESNET50).get(RESNET50), macs=1)
    write_lock(card_base(tmp_path, RESNET50), [own])
    assert kb.load(tmp_path).lock.get(RESNET50).macs == 1


def test_another_version_is_measured_anew(kb, starter, tmp_path):
    settings = (starter / "mkdocs.yml").read_text(encoding="utf-8").replace("packages: []", "packages: [torchvision]")
    card_base(starter, RESNET50, settings)
    version = FILES["torchvision"].stem.partition("-")[2]
    for beside in ({}, with_version(tmp_path / "same", "torchvision", f"{version}+cu130")):
        assert kb("-C", starter, "build", "--locked", env=beside).returncode == 0
    newer = with_version(tmp_path / "newer", "torchvision", "99.1")
    stale = kb("-C", starter, "build", "--locked", env=newer)
    assert stale.returncode == 3
    assert f"`{RESNET50}` is not measured as it is now" in stale.stderr
    assert kb("-C", starter, "build", env=newer).returncode == 0
    assert read_lock(starter)[0].entries[RESNET50].versions == {"torchvision": "99.1"}


def test_a_package_that_is_not_allowed_stays_an_error(kb, tmp_path):
    base = card_base(tmp_path, RESNET50, SETTINGS.replace("torchvision, ", ""))
    done = kb("-C", base, "check")
    assert done.returncode == 1
    assert done.stdout.startswith("notes/He2016CVPR.md:18:15: K402 models of the package `torchvision.models` are not")


OPENED = """
import sys
opened = []
sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event == "open" else None)
from kb.cli import main
code = main(sys.argv[1:])
print(*sorted({path.rpartition("measured")[2][1:] for path in opened if path.endswith(".csv")}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("call", "read"),
    [("resnet()", ""), (RESNET50, FILES["torchvision"].name), ("timm.models:resnet50()", FILES["timm"].name)],
)
def test_a_file_is_read_only_for_a_call_of_its_package(call, read, tmp_path):
    card_base(tmp_path, call)
    script = [sys.executable, "-c", OPENED, "-C", str(tmp_path), "check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr.strip() == read
