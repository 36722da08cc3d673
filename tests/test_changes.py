"""kb diff: what changed since a git revision, told in words; the revision is read, and nothing is touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from case_files import Case, read_cases
from edits import edit, git

CASES = Path(__file__).parent / "cases" / "diff"
NOTE = "notes/Simonyan2015ICLR.md"


def commit(folder: Path, name: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", name)
    git(folder, "tag", name)


@pytest.fixture(scope="module")
def committed_template(starter_template, tmp_path_factory) -> Path:
    """A small knowledge base in a repository of its own, committed as `first`; to be copied, not changed."""
    folder = Path(shutil.copytree(starter_template, tmp_path_factory.mktemp("committed") / "base"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "first")
    return folder


@pytest.fixture
def committed(committed_template, tmp_path) -> Path:
    """A small knowledge base in a repository, of one's own."""
    return Path(shutil.copytree(committed_template, tmp_path / "base"))


@pytest.mark.parametrize("case", read_cases(CASES / "text.md"), ids=str)
def test_in_a_terminal(case: Case, committed, kb):
    edit(committed, case.source, kb)
    done = kb("diff", "first", cwd=committed)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == case.expected + "\n"


@pytest.mark.parametrize("case", read_cases(CASES / "markdown.md"), ids=str)
def test_on_the_page_of_a_job(case: Case, committed, kb):
    edit(committed, case.source, kb)
    done = kb("diff", "first", "--format", "markdown", cwd=committed)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == case.expected + "\n"


def test_as_json(committed, kb):
    edit(committed, f"in {NOTE}: | A | 133 | => | A | 132 |\nkb new ShuffleNet Zhang2018CVPR", kb)
    found = json.loads(kb("diff", "first", "--format", "json", cwd=committed).stdout)
    assert [card["citekey"] for card in found["added"]] == ["Zhang2018CVPR"]
    assert [(card["citekey"], card["sections"]) for card in found["changed"]] == [("Simonyan2015ICLR", ["Experiments"])]
    [figure] = found["verdicts"]
    assert (figure["before"]["status"], figure["after"]["status"]) == ("agrees", "unexplained")
    assert [each["code"] for each in found["problems"]].count("K501") == 1


def test_neither_the_files_nor_the_index_are_touched(committed, kb):
    edit(committed, f"in {NOTE}: 133 => 132\nwrite notes/new.md: # nothing\ndelete reference_models/vgg.py", kb)
    git(committed, "add", NOTE)
    before = {path: path.read_bytes() for path in committed.rglob("*") if path.is_file()}
    assert kb("diff", "first", cwd=committed).returncode == 0
    assert {path: path.read_bytes() for path in committed.rglob("*") if path.is_file()} == before


def test_any_name_of_a_commit_will_do(committed, kb):
    edit(committed, f"in {NOTE}: | A | 133 | => | A | 132 |", kb)
    commit(committed, "second")
    edit(committed, f"in {NOTE}: | A | 132 | => | A | 133 |", kb)
    commit(committed, "third")
    named = ("HEAD^", "second", git(committed, "rev-parse", "--short", "second").strip())
    shown = {kb("diff", name, cwd=committed).stdout.split("\n", 1)[1] for name in named}
    assert len(shown) == 1
    assert "A, 132 M → 133 M params: ≠ unexplained → ✓ agrees" in shown.pop()
    assert "No card, number or verdict changed" in kb("diff", "first", cwd=committed).stdout


def test_a_knowledge_base_may_be_a_folder_of_a_repository(starter, tmp_path, kb):
    repository = tmp_path / "repository"
    shutil.copytree(starter, repository / "papers")
    (repository / "notes").mkdir()
    shutil.copy(starter / NOTE, repository / "notes" / "another.md")  # of no knowledge base
    git(repository, "init", "--quiet")
    commit(repository, "first")
    edit(repository / "papers", f"in {NOTE}: | A | 133 | => | A | 132 |", kb)
    done = kb("-C", "papers", "diff", "first", cwd=repository)
    assert "changed: VGG (Simonyan2015ICLR): Experiments\n" in done.stdout
    assert "added" not in done.stdout
    assert "removed" not in done.stdout


def test_where_there_was_no_knowledge_base_everything_is_new(starter, kb):
    git(starter, "init", "--quiet")
    git(starter, "commit", "--quiet", "--allow-empty", "--message", "nothing")
    done = kb("diff", "HEAD", cwd=starter)
    assert done.returncode == 0, done.stderr
    assert "  added: VGG (Simonyan2015ICLR)\n" in done.stdout
    assert "  new: ✓ agrees: 4\n" in done.stdout
    assert "  vgg(): newly measured, 138.4 M params, 15.47 G MACs\n" in done.stdout


def test_the_commit_before_is_enough_of_a_clone(committed, tmp_path, kb):
    """What CI has: the merged state and what it was merged into."""
    edit(committed, f"in {NOTE}: | A | 133 | => | A | 132 |", kb)
    commit(committed, "second")
    for depth, code in ((2, 0), (1, 2)):
        git(tmp_path, "clone", "--quiet", f"--depth={depth}", committed.as_uri(), f"clone-{depth}")
        done = kb("diff", "HEAD^", cwd=tmp_path / f"clone-{depth}")
        assert done.returncode == code
    assert "git knows no revision `HEAD^` here" in done.stderr
    assert "git fetch" in done.stderr


def test_a_clone_that_lacks_the_files_of_a_revision(committed, tmp_path, kb):
    edit(committed, f"in {NOTE}: | A | 133 | => | A | 132 |", kb)
    commit(committed, "second")
    git(committed, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", committed.as_uri(), "partial")
    shutil.rmtree(committed)
    done = kb("diff", "first", cwd=tmp_path / "partial")
    assert done.returncode == 2
    assert "lacks some of the files of that revision" in done.stderr


@pytest.mark.parametrize("name", ["nowhere", "main:notes", "", "a b", "--all", "@{99}"])
def test_a_revision_that_is_none(name, committed, kb):
    done = kb("diff", "--", name, cwd=committed)
    assert done.returncode == 2
    assert done.stderr.startswith(f"kb: git knows no revision `{name}` here: ")
    assert done.stdout == ""


def test_outside_a_repository(starter, kb):
    done = kb("diff", "HEAD", cwd=starter, env={"GIT_CEILING_DIRECTORIES": str(starter.parent)})
    assert done.returncode == 2
    assert "lies in no git repository" in done.stderr


def test_without_git(committed, tmp_path, kb):
    done = kb("diff", "HEAD", cwd=committed, env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "git is not installed" in done.stderr


def test_a_link_in_the_repository_is_not_followed(committed, tmp_path, kb):
    secret = tmp_path / "secret.md"
    shutil.copy(committed / NOTE, secret)
    (committed / "notes" / "link.md").symlink_to(secret)
    commit(committed, "second")
    (committed / "notes" / "link.md").unlink()
    done = kb("diff", "second", cwd=committed)
    assert "No card, number or verdict changed" in done.stdout
