"""A citekey is renamed wherever it stands, the old one becomes an alias, and what cannot be done changes nothing.

A case is a folder: the notes `in` it, and as they come `out`; `keys.txt` holds the old key and the new one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases" / "rename"
LINKS = ("K303", "K304", "K305", "K306")
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())


def files_in(folder):
    """The files of a folder by their relative paths."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def base_with(folder, target):
    """A knowledge base in Chinese with these notes."""
    shutil.copytree(folder, target / "notes")
    (target / "mkdocs.yml").write_text("site_name: P\ntheme: {name: material, language: zh}\n", encoding="utf-8")
    return target


@pytest.fixture
def base(tmp_path):
    return base_with(CASES / "own_files" / "in", tmp_path / "base")


@pytest.mark.parametrize("case", FOLDERS, ids=lambda path: path.name)
def test_cases(case, tmp_path, kb):
    base = base_with(case / "in", tmp_path / "base")
    old, new = (case / "keys.txt").read_text(encoding="utf-8").split()
    before = kb("check", cwd=base).stdout
    done = kb("fix", "--rename", old, new, cwd=base)
    assert done.returncode == 0, done.stderr
    assert {path: text.decode() for path, text in files_in(base / "notes").items()} == {
        path: text.decode() for path, text in files_in(case / "out").items()
    }
    after = kb("check", cwd=base).stdout
    assert [after.count(f" {code} ") for code in LINKS] == [before.count(f" {code} ") for code in LINKS]


def test_a_dry_run_shows_the_same_and_writes_nothing(base, kb):
    before = files_in(base)
    shown = kb("fix", "--rename", "He2016CVPR", "He2015arXiv", "--dry-run", cwd=base)
    assert (shown.returncode, files_in(base)) == (0, before)
    done = kb("fix", "--rename", "He2016CVPR", "He2015arXiv", cwd=base)
    assert done.stdout == shown.stdout
    assert "--- a/notes/He2016CVPR.md\n+++ b/notes/He2015arXiv.md\n" in done.stdout
    assert done.stderr.splitlines() == [
        "kb: notes/He2016CVPR.assets is now notes/He2015arXiv.assets",
        "kb: notes/He2016CVPR.en.md is now notes/He2015arXiv.en.md",
        "kb: notes/He2016CVPR.md is now notes/He2015arXiv.md",
    ]


def test_there_and_back_again(base, kb):
    """The key that the card had first is an alias no more than the other one, and every link is as it was."""
    other = (base / "notes" / "other.md").read_bytes().replace(b"[[he2016cvpr|", b"[[He2016CVPR|")
    assert kb("fix", "--rename", "He2016CVPR", "He2015arXiv", cwd=base).returncode == 0
    assert kb("fix", "--rename", "He2015arXiv", "He2016CVPR", cwd=base).returncode == 0
    assert (base / "notes" / "other.md").read_bytes() == other
    assert (base / "notes" / "He2016CVPR.assets" / "block.png").exists()


def test_case_alone_may_change(base, kb):
    assert kb("fix", "--rename", "He2016CVPR", "HE2016CVPR", cwd=base).returncode == 0
    assert (base / "notes" / "HE2016CVPR.md").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("He2016CVPR", "Author2020CVPR", "K206 `Author2020CVPR` is the citekey of another card"),
        ("He2016CVPR", "author2020cvpr", "K206 `author2020cvpr` is the citekey of another card"),
        ("Author2020CVPR", "ResNet-v1", "K206 `ResNet-v1` is an alias of another card"),
        ("He2016CVPR", "He2016CVPR", "K206 the card is called `He2016CVPR` already"),
        ("He2016CVPR", "../He2016CVPR", "K204 "),
        ("He2016CVPR", "He2016\u200bCVPR", "K204 "),
        ("He2016CVPR", "Taken2016CVPR", "K206 `notes/Taken2016CVPR.md` is there already"),
        ("He2016CVRP", "He2015arXiv", "did you mean `He2016CVPR`?"),
    ],
)
def test_what_cannot_be_done_changes_nothing(old, new, said, base, kb):
    (base / "notes" / "Taken2016CVPR.md").write_text("# nothing\n", encoding="utf-8")
    before = files_in(base)
    done = kb("fix", "--rename", old, new, cwd=base)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert files_in(base) == before


def test_it_is_about_all_notes(base, kb):
    done = kb("fix", "notes/other.md", "--rename", "He2016CVPR", "He2015arXiv", cwd=base)
    assert (done.returncode, done.stdout) == (2, "")
    assert "PATH" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_changes_nothing(base, kb):
    before = files_in(base)
    (base / "notes").chmod(0o555)
    done = kb("fix", "--rename", "He2016CVPR", "He2015arXiv", cwd=base)
    (base / "notes").chmod(0o755)
    assert (done.returncode, files_in(base)) == (4, before)


def test_where_one_step_fails_those_before_it_are_taken_back(base):
    from kb.writing import change_together

    before, notes = files_in(base), base / "notes"
    moves = [(notes / "He2016CVPR.md", notes / "New.md"), (notes / "He2016CVPR.assets", notes / "New.assets")]
    with pytest.raises(NotADirectoryError):
        change_together(moves, {notes / "New.md": "new\n", notes / "other.md" / "no.md": "new\n"})
    assert files_in(base) == before


def test_links_by_the_old_key_are_told_and_work(base, kb):
    kb("fix", "--rename", "He2016CVPR", "He2015arXiv", cwd=base)
    other = base / "notes" / "other.md"
    other.write_bytes(other.read_bytes().replace("[[He2015arXiv]]、".encode(), "[[He2016CVPR]]、".encode()))
    done = kb("check", "notes/other.md", cwd=base)
    assert "notes/other.md:8:1: K306 warning: `He2016CVPR` is an old key of `He2015arXiv`\n" in done.stdout
    assert "`[[He2016CVPR]]` leads to no card" not in done.stdout
