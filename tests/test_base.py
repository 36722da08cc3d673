"""`import kb`: a knowledge base in a few lines of Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import kb

SETTINGS = "site_name: Papers\ntheme: {name: material, language: zh}\n"


def card(name, key, more="", front=""):
    """A small card."""
    return f"{front}# {name}: {key}\n\n> 架构\n> Author A., et al. On {name}, CVPR 2020\n{more}\n## 问题\n\n一\n"


@pytest.fixture
def folder(tmp_path):
    """A knowledge base with cards in two languages."""
    notes = tmp_path / "notes"
    (notes / "deeper").mkdir(parents=True)
    (notes / ".obsidian").mkdir()
    (tmp_path / "mkdocs.yml").write_text(SETTINGS, encoding="utf-8")
    for path, text in {
        "a.md": card("First", "Author2020CVPR", "> 别名: Author2019arXiv\n"),
        "a.en.md": card("First", "Author2020CVPR"),
        "deeper/b.md": card("Second", "Other2021ICCV", front="---\nlang: fr\n---\n"),
        ".obsidian/c.md": card("Hidden", "Hidden2020CVPR"),
    }.items():
        (notes / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_cards_are_found_by_key_and_language(folder):
    base = kb.load(folder / "notes" / "deeper")
    assert [(each.citekey, each.lang) for each in base] == [
        ("Author2020CVPR", "en"),
        ("Author2020CVPR", "zh"),
        ("Other2021ICCV", "fr"),
    ]
    assert base["Author2020CVPR"].lang == "zh"
    assert base.card("Author2020CVPR", "en").path == "notes/a.en.md"
    assert base.card("Other2021ICCV", "en").lang == "fr"
    assert "Nobody2020CVPR" not in base
    with pytest.raises(KeyError):
        base["Nobody2020CVPR"]


@pytest.mark.parametrize(
    "target", ["Author2020CVPR", "author2020cvpr", "Author2019arXiv", "First", "FIRST", "On First", "Ｆirst"]
)
def test_links_lead_to_cards_by_key_alias_and_name(folder, target):
    base = kb.load(folder)
    assert base.resolve(target).path == "notes/a.md"
    assert base.resolve("Nobody") is None


def test_links_stay_in_their_language(folder):
    assert kb.load(folder).resolve("First", "en").path == "notes/a.en.md"


def test_the_repository_s_own_cards_have_verdicts(root):
    rows = kb.load(root)["Howard2017arxiv"].results
    row = next(row for row in rows if row.label == "Conv MobileNet")
    assert row.call == "conv_mobilenet()"
    assert row.verdicts["params"].status == "agrees"
    assert row.verdicts["top1"].status == "not_measurable"
    assert set(row.verdicts) == set(row.metrics)


def test_calls_are_named_once_in_normal_form(root):
    calls = kb.load(root).calls
    assert "mobilenet_v1(width=0.75)" in calls
    assert list(calls) == sorted(set(calls))


def test_a_call_is_measured(root):
    assert kb.measure("mobilenet_v1(1.0)", root=root).params == 4_231_976
    first, second = kb.measure("mobilenet_v2()", "mobilenet_v1()", root=root)
    assert (first.params, second.params) == (3_504_872, 4_231_976)
    with pytest.raises(ValueError, match="did you mean `width`"):
        kb.measure("mobilenet_v1(widht=1)", root=root)


def test_no_knowledge_base(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no mkdocs\.yml"):
        kb.load(Path(tmp_path.anchor))


@pytest.mark.parametrize(
    ("code", "never"),
    [
        ("import kb", {"torch", "mkdocs", "markdown_it", "yaml"}),
        ("import kb; from kb.check import check; check(kb.load())", {"torch", "mkdocs", "jinja2"}),
    ],
)
def test_only_what_is_needed_is_loaded(root, code, never):
    """Run in a process of its own, since this one has loaded everything."""
    code = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert never & set(done.stdout.split()) == set()
