"""Where a paper's cards in two languages disagree is said, at both places; a faithful translation is left in peace.

The pairs are the project's own cards. `cases/translations.yml` edits one of their notes at a time.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conftest import copy_repository, run_kb
from test_clean_cards import difference

import kb
from kb.base import reread
from kb.check import check
from kb.problems import format_problems
from kb.tex import normal_tex

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "translations.yml").read_text(encoding="utf-8"))
PAIRS = ("Howard2017arxiv", "Sandler2018CVPR", "Howard2019arxiv")


def named(cases: list[list[str]]) -> list[object]:
    return [pytest.param(*case, id=f"{number}-{case[0]}") for number, case in enumerate(cases, 1)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return kb.load(copy_repository(tmp_path_factory.mktemp("translations") / "base"))


def edited(base, note: str, before: str, after: str):
    """What `kb check` says of two languages after an edit, and the line of the edit."""
    path = base.settings.root / "notes" / note
    text = path.read_text(encoding="utf-8")
    assert before in text, "the card has changed: change the case, too"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    try:
        found = check(reread(base, [f"notes/{note}"]))
    finally:
        path.write_text(text, encoding="utf-8")
    alike = difference(before, after)
    return [each for each in found if each.code[:2] == "K7"], text.count("\n", 0, text.index(before) + alike) + 1


def test_the_project_s_own_pairs_agree(base):
    assert {key for key, languages in base.languages.items() if languages == ("zh", "en")} == set(PAIRS)
    assert [found for found in check(base) if found.code[:2] == "K7"] == []


@pytest.mark.parametrize(("note", "before", "after", "code"), named(CASES["mistakes"]))
def test_a_disagreement_is_found_and_both_places_are_named(note, before, after, code, base):
    found, line = edited(base, note, before, after)
    assert {each.code for each in found} == {code}, format_problems(found)
    key = note.partition(".")[0]
    places = [(f"{each.place.path}:{each.place.line}", each.hint.partition(";")[0].split()[-1]) for each in found]
    for both in places:
        assert {place.partition(":")[0] for place in both} == {f"notes/{key}.md", f"notes/{key}.en.md"}
    assert not after or any(f"notes/{note}:{line}" in both for both in places), format_problems(found)


@pytest.mark.parametrize(("note", "before", "after"), named(CASES["faithful"]))
def test_what_translators_may_do_gives_no_alarm(note, before, after, base):
    found, _ = edited(base, note, before, after)
    assert found == [], format_problems(found)


def test_a_version_may_say_less(base):
    """An abstract in another language, with one table of five and one formula of many, is no mistake."""
    path = base.settings.root / "notes" / "Howard2019arxiv.en.md"
    text = path.read_text(encoding="utf-8")
    kept = text[: text.index("- From the known non-linearity")] + text[text.index("#### Experiments") :]
    kept = kept[: kept.index("Table 3, earlier version")] + "\n#### Reference models\n\n- V2 1.0: `mobilenet_v2()`\n"
    path.write_text(kept, encoding="utf-8")
    try:
        found = check(reread(base, ["notes/Howard2019arxiv.en.md"]))
    finally:
        path.write_text(text, encoding="utf-8")
    assert [each for each in found if each.code[:2] == "K7"] == []


def test_a_comment_silences_a_disagreement(base):
    before, after = (
        "| Proxyless | 74.6 | 320 | 4.0 |",
        "| Proxyless | 74.6 | 320 | 4.1 | <!-- kb: ignore K702: as in v1 -->",
    )
    found = edited(base, "Howard2019arxiv.en.md", before, after)[0]
    assert found == []


def test_the_command_exits_1_on_a_figure(tmp_path):
    root = copy_repository(tmp_path)
    path = root / "notes" / "Sandler2018CVPR.en.md"
    path.write_text(path.read_text(encoding="utf-8").replace("75 ms", "57 ms"), encoding="utf-8")
    done = run_kb("check", cwd=root)
    assert done.returncode == 1
    assert "K702 finding: MobileNetV2: latency 57 ms here, and 75 ms on the card in Chinese" in done.stdout


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\dfrac{a}{b}", r"\tfrac a b"),
        (r"x^{2}_{i}", "x^2_i"),
        (r"\left( x \right) , \quad y.", "(x), y"),
        (r"a \text{ if } b", r"a \text{若} b"),
        (r"a \text{ if } b", "a 若 b"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"a = b \ c = d"),
        ("（a，b）", "(a, b)"),
        (r"a \le b", r"a \leq b"),
    ],
)
def test_formulas_that_are_one(one, other):
    assert normal_tex(one) == normal_tex(other)


@pytest.mark.parametrize(
    ("one", "other"), [("x^2", "x^3"), (r"\alpha", r"\beta"), ("x_{ij}", "x_i j"), ("a<b", r"a \le b")]
)
def test_formulas_that_are_two(one, other):
    assert normal_tex(one) != normal_tex(other)
