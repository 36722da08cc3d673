"""Every mistake in a note is reported, at its line and column, all in one go; a card without mistakes is left in peace.

A case is a bad note and, beside it, what `kb check` prints for it. It is checked within the small knowledge base in
`base/`, as `notes/<code>.md`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import kb
from kb.base import load
from kb.check import check
from kb.lock import write_lock
from kb.problems import CODES, format_problems

CASES = Path(__file__).parent / "cases" / "check"
NOTES = sorted(CASES.glob("*.md"))

# Codes that no note can cause: other tests do.
ELSEWHERE = {
    "K101",
    "K107",
    "K109",
    "K212",
    "K405",
    "K406",
    "K407",
    "K408",
    "K409",
    "K410",
    "K411",
    "K422",
    "K423",
    "K505",
    "K506",
    "K601",
    "K605",
    "K602",
    "K603",
    "K604",
}
TESTS = Path(__file__).parent


@pytest.fixture
def base(tmp_path):
    """The small knowledge base, to put a bad note into."""
    return Path(shutil.copytree(CASES / "base", tmp_path / "base"))


def checked(base, path):
    """What `kb check` prints when this note is one of the base's."""
    shutil.copy(path, base / "notes")
    problems = [found for found in check(load(base)) if found.place.path == f"notes/{path.name}"]
    return format_problems(problems)


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_case(base, path):
    if path.stem.partition("_")[0] in ("K501", "K503", "K504", "K507", "K508", "silences"):
        write_lock(base, kb.measure("tiny()", "tiny(classes=11)", "tiny(classes=100)", root=base))
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert checked(base, path) == expected


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_a_case_shows_its_code(path):
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    if path.stem == "nothing":
        assert expected == ""
    elif path.stem.partition("_")[0] in CODES:
        assert f" {path.stem.partition('_')[0]} " in expected


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_case(code):
    if code in ELSEWHERE:
        files = [*TESTS.glob("test_*.py"), *TESTS.glob("cases/**/*.yml"), *TESTS.glob("cases/**/*.txt")]
        texts = [path.read_text(encoding="utf-8").replace("ELSEWHERE = ", "\0") for path in files]
        assert any(code in line and "\0" not in line for text in texts for line in text.splitlines())
    else:
        assert (CASES / f"{code}.md").exists()


def test_the_base_itself_is_in_order(base):
    assert check(load(base)) == []


def test_a_file_that_cannot_be_read(base):
    (base / "notes" / "gone.md").symlink_to(base / "nowhere.md")
    assert format_problems(check(load(base))) == (
        "notes/gone.md:1:1: K101 the file cannot be read: No such file or directory\n"
    )


def test_two_languages_may_share_a_citekey(base):
    note = (base / "notes" / "He2016CVPR.md").read_text(encoding="utf-8")
    (base / "notes" / "He2016CVPR.zh.md").write_text(note, encoding="utf-8")
    assert check(load(base)) == []


def test_a_kind_decides_which_sections_are_expected(base):
    head = "### A survey: Author2020CVPR\n\n> survey\n> Author A., et al. A Survey, CVPR 2020\n"
    sections = "\n#### Problem\n\nOne.\n\n#### Method\n\nTwo.\n"
    (base / "notes" / "survey.md").write_text(head + sections, encoding="utf-8")
    assert check(load(base)) == []


def test_the_command_prints_and_counts(base, kb):
    shutil.copy(CASES / "everything.md", base / "notes")
    done = kb("check", cwd=base)
    assert (done.returncode, done.stdout) == (1, (CASES / "everything.txt").read_text(encoding="utf-8"))
    (base / "notes" / "everything.md").unlink()
    done = kb("check", cwd=base)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LONG_EXPRESSIONS = {
    "brackets": "(" * 5000 + "tiny().params" + ")" * 5000,
    "calls": "max(" * 2500 + "tiny().params" + ")" * 2500,
    "minuses": "-" * 10_000 + "tiny().params",
    "digits": "tiny().params + " + "9" * 10_000,
    "terms": "tiny().params" + " + tiny().params" * 1000,
    "powers": "tiny().params" + " ^ 64" * 2000,
    "strings": f'tiny(width="{"x" * 10_000}").params',
    "tuples": f"tiny(width={'(' * 5000}{')' * 5000}).params",
    "open brackets": "tiny(" * 2000,
    "a name": "t" * 10_000 + "().params",
    "a short depth": "(" * 60 + "tiny().params" + ")" * 60,
    "a short tuple": f"tiny(width={'(' * 400}{')' * 400}).params",
}


@pytest.mark.parametrize("mark", ["kb= ", "kb? "])
@pytest.mark.parametrize("expression", LONG_EXPRESSIONS.values(), ids=LONG_EXPRESSIONS)
def test_an_expression_that_no_person_writes_costs_a_message(base, mark, expression):
    note = (CASES / "nothing.md").read_text(encoding="utf-8")
    (base / "notes" / "long.md").write_text(f"{note}\nIt has `{mark}{expression}`.\n", encoding="utf-8")
    told = format_problems([found for found in check(load(base)) if found.place.path == "notes/long.md"])
    assert re.match(r"notes/long\.md:\d+:\d+: K(401|402|504) ", told)
    assert len(told) < 400


# ------------------------------------------------------------------------------------------------------ limits


def beyond_limits(base):
    """What `kb check` prints of notes that are too large."""
    return format_problems(found for found in check(load(base)) if found.code == "K108")


def with_limits(base, **limits):
    """The small knowledge base with other limits in its settings."""
    settings = base / "mkdocs.yml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("  kb:\n", f"  kb:\n    limits: {limits}\n"), encoding="utf-8")
    return base


def test_a_note_beyond_the_limit_is_named_and_not_read(base):
    (base / "notes" / "huge.md").write_bytes(b"x" * (256 * 1024 + 1))
    (base / "notes" / "front.md").write_text("---\nx: " + "y" * (64 * 1024) + "\n---\n", encoding="utf-8")
    assert beyond_limits(base) == (
        "notes/front.md:1:1: K108 the front matter is larger than the limit of 64 KB\n"
        "    put what is text into the note's body, or raise `extra.kb.limits.yaml` in mkdocs.yml\n"
        "notes/huge.md:1:1: K108 the note is larger than the limit of 256 KB\n"
        "    split it, one card per file, or raise `extra.kb.limits.note` in mkdocs.yml\n"
    )


def test_the_limits_are_the_settings(base):
    (base / "notes" / "huge.md").write_bytes(b"x" * (256 * 1024 + 1))
    assert beyond_limits(with_limits(base, note=512 * 1024)) == ""


def test_limits_that_are_none_are_reported(base, kb):
    done = kb("check", cwd=with_limits(base, note=0, lines=3))
    assert "`extra.kb.limits.note` must be a whole number above 0" in done.stdout + done.stderr
    assert "`extra.kb.limits.lines` must be one of note, yaml, depth" in done.stdout + done.stderr
