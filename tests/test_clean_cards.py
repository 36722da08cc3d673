"""Sixty varied cards without a mistake give no alarm, and each of more than a hundred slips in them is found.

The notes in `cases/clean` are one knowledge base, with the starter's model and the measurements of torchvision that kb
brings along. `cases/mistakes.yml` edits one note at a time; what is then reported is the one problem, at its line.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from conftest import run_kb

import kb
from kb.base import reread
from kb.check import check
from kb.pages import pages
from kb.problems import CODES, format_problems

CASES = Path(__file__).parent / "cases"
MISTAKES = [
    pytest.param(code, *each, *[""] * (4 - len(each)), id=f"{code}-{number}-{each[0]}")
    for code, edits in yaml.safe_load((CASES / "mistakes.yml").read_text(encoding="utf-8")).items()
    for number, each in enumerate(edits, 1)
]


@pytest.fixture(scope="module")
def clean(starter_template, tmp_path_factory) -> Path:
    """The knowledge base of clean notes."""
    root = Path(shutil.copytree(starter_template, tmp_path_factory.mktemp("clean") / "base"))
    shutil.rmtree(root / "notes")
    shutil.copytree(CASES / "clean", root / "notes")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    assert "packages: []" in settings
    (root / "mkdocs.yml").write_text(settings.replace("packages: []", "packages: [torchvision]"), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def base(clean):
    return kb.load(clean)


def test_clean_cards_give_no_alarm(clean):
    done = run_kb("check", "--strict", cwd=clean)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_clean_cards_are_many_and_varied(base):
    assert len(base.cards) >= 60
    assert {card.kind for card in base.cards} == set(base.schema.kinds)
    assert {card.lang for card in base.cards} == {"en", "zh"}
    statuses = [verdict.status for card in base.cards for verdict in base.verdicts(card).values()]
    assert statuses.count("agrees") + statuses.count("agrees_counting") >= 20
    assert sum(bool(card.references) for card in base.cards) >= 10
    assert sum(bool(card.equations) for card in base.cards) >= 20


def test_comments_that_silence_are_not_on_the_page(base):
    card = base["Howard2017arxiv"]
    shown = {path: str(text) for path, text in pages(base).items() if path.startswith(("pages/", "bodies/"))}
    files = {path: text for path, text in shown.items() if card.citekey in path and ".yml" not in path}
    assert any("as the authors print it" in text for text in files.values())
    assert [path for path, text in files.items() if "ignore" in text or "K301" in text] == []
    assert (card.name, card.kind, card.citation.venue) == ("Preprint", "architecture", "ICCV")
    assert [row.row.label for row in card.results] == ["VGG-16, as misprinted,"]


def test_the_mistakes_are_many_and_of_every_kind():
    assert len(MISTAKES) >= 100
    in_notes = {code for code in CODES if (CASES / "check" / f"{code}.md").exists()}
    assert in_notes - {mistake.values[0] for mistake in MISTAKES} == {"K102", "K404"}


@pytest.mark.parametrize(("code", "note", "before", "after", "begins"), MISTAKES)
def test_a_mistake_is_found_at_its_line(code, note, before, after, begins, base):
    path = base.settings.root / "notes" / note
    source = path.read_bytes()
    text = source.decode()
    assert before in text, "the clean note has changed: change the mistake, too"
    edited = text.replace(before, after, 1)
    path.write_bytes(edited.encode())
    try:
        found = check(reread(base, [f"notes/{note}"]))
    finally:
        path.write_bytes(source)
    line = line_of(difference(text, edited), begins, edited)
    assert [(each.code, each.place.line) for each in found] == [(code, line)], format_problems(found)


def line_of(edit: int, begins: str, text: str) -> int:
    """The line of an edit; or the nearest one that begins so."""
    at = text.count("\n", 0, edit) + 1
    if not begins:
        return at
    lines = [number for number, each in enumerate(text.split("\n"), 1) if each.lstrip("\ufeff").startswith(begins)]
    return min(lines, key=lambda number: abs(number - at))


def difference(old: str, new: str) -> int:
    """How many letters two texts begin with alike."""
    return next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(new))
