"""Audits: lists of models in files as people have them, and what kb audit prints of each."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.model_indexes import read_index
from kb.resources import starter_dir
from kb.zoos import read_table

CASES = Path(__file__).parent / "cases" / "audit"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of the cases beside measured models, in a folder that is no knowledge base."""
    made = Path(shutil.copytree(CASES, tmp_path_factory.mktemp("audit") / "zoo"))
    shutil.copytree(starter_dir() / "shared" / "reference_models", made / "reference_models")
    return made


@pytest.mark.parametrize("case", sorted(CASES.glob("*.txt")), ids=lambda path: path.stem)
def test_case(case, folder, kb):
    command, *expected = case.read_text(encoding="utf-8").split("\n.\n")
    done = kb(*shlex.split(command)[2:], cwd=folder)
    assert [done.stdout, done.stderr, f"{done.returncode}\n"] == expected


def test_in_a_knowledge_base_its_settings_hold(starter, kb):
    text = (starter / "mkdocs.yml").read_text(encoding="utf-8").replace("packages: []", "packages: [timm]")
    (starter / "mkdocs.yml").write_text(text, encoding="utf-8")
    (starter / "zoo.csv").write_text("call,params (M)\ntimm.models:resnet18(),11.7\nvgg(),138\n", encoding="utf-8")
    before = (starter / "reference_models" / "measured.yml").read_bytes()
    done = kb("audit", "zoo.csv", cwd=starter)
    assert (done.returncode, done.stderr) == (0, "")
    assert "11,689,512  ✓ agrees\n" in done.stdout
    assert (starter / "reference_models" / "measured.yml").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,params\n" + "vgg,138M\n" * 10_001, "the file holds more than 10,000 models"),
        ("model,params\n" + "x" * 2**22, "the file is larger than 4 MiB"),
        ("model,params\n" + "x" * 2**18 + ",138M\n", "the row cannot be read: field larger than field limit"),
    ],
)
def test_what_is_too_large_is_refused(text, message, tmp_path, kb):
    (tmp_path / "zoo.csv").write_text(text, encoding="utf-8")
    done = kb("audit", "zoo.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"zoo.csv:{2 if 'row' in message else 1}:1: K505 {message}")


PIECES = [
    *'\n\n\n  ,;\t":-{}[]&*|#',
    "Models:",
    "model-index:",
    "- Name: a",
    "Metadata:",
    "FLOPs",
    "params (M)",
    "vgg(",
]
PIECES += [
    "Import:",
    "Call: vgg()",
    "4.2M",
    "1e9",
    "-0",
    "null",
    "<!--\nType: model-index\n",
    "-->",
    "---\n",
    "Results:",
]


@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.text()))
@settings(max_examples=300)
def test_no_text_breaks_the_readers(text):
    for zoo in (read_table(text, "a.csv"), read_index(text, "a.yml", CASES), read_index(text, "a.md", CASES)):
        assert zoo.entries or zoo.problems or text.strip()
        for found in zoo.problems:
            assert 1 <= found.place.line <= text.count("\n") + 2
