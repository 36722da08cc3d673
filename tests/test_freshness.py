"""kb status: what is newer than the site, which measurements are stale or unused, what a build would do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from case_files import Case, read_cases
from edits import edit

CASES = Path(__file__).parent / "cases" / "status" / "status.md"
NOTE = "notes/Simonyan2015ICLR.md"


@pytest.fixture(scope="module")
def built_template(starter_template, tmp_path_factory, kb) -> Path:
    """A small knowledge base with its site; to be copied, not changed."""
    folder = Path(shutil.copytree(starter_template, tmp_path_factory.mktemp("built") / "base"))
    assert kb("build", "--locked", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def built(built_template, tmp_path) -> Path:
    """A small knowledge base with its site, of one's own."""
    return Path(shutil.copytree(built_template, tmp_path / "base"))


@pytest.mark.parametrize("case", read_cases(CASES), ids=str)
def test_status(case: Case, built, kb):
    edit(built, case.source, kb)
    done = kb("status", cwd=built)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == case.expected + "\n"


def test_as_json(built, kb):
    edit(built, f"in {NOTE}: `vgg()` => `vgg(classes=10)`", kb)
    found = json.loads(kb("status", "--format", "json", cwd=built).stdout)
    assert found["cards"] == [{"name": NOTE, "state": "changed", "of": ["Simonyan2015ICLR"]}]
    assert (found["stale"], found["unused"], found["other_tools"]) == (["vgg(classes=10)"], ["vgg()"], False)


@pytest.mark.parametrize("case", [case for case in read_cases(CASES) if "refuse" not in case.expected], ids=str)
def test_a_build_does_what_was_said(case: Case, built, kb):
    edit(built, case.source, kb)
    said = json.loads(kb("status", "--format", "json", cwd=built).stdout)["build"]
    locked, done = kb("build", "--locked", cwd=built), kb("build", cwd=built)
    assert (locked.returncode == 3) == said[0].startswith(("measure ", "draw "))
    assert done.returncode == 0, done.stderr
    assert ("(up to date" in locked.stdout) == (said == ["nothing: the site is up to date"])


def test_a_status_touches_nothing(built, kb):
    edit(built, f"in {NOTE}: 133 => 132", kb)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in built.rglob("*") if path.is_file()}
    assert kb("status", cwd=built).returncode == 0
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in built.rglob("*") if path.is_file()}
    assert after == before


def test_a_record_that_cannot_be_read_is_none(built, kb):
    [record] = (built / "build").glob("built-*.json")
    for text in ("", "[]", '{"files": 3, "measurements": []}'):
        record.write_text(text, encoding="utf-8")
        done = kb("status", cwd=built)
        assert (done.returncode, done.stderr) == (0, "")
        assert "write the pages of 1 card" in done.stdout
