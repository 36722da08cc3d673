"""The settings: what MkDocs reads is read, and what cannot be used is K601 with its line and column."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kb.problems import format_problems
from kb.settings import Settings, find_root, load_settings

CASES = Path(__file__).parent / "cases" / "settings"
BAD = sorted(CASES.glob("*.txt"))


def settings_of(tmp_path, name):
    shutil.copy(CASES / name, tmp_path / "mkdocs.yml")
    return load_settings(tmp_path)


def test_good_settings(tmp_path):
    settings, problems = settings_of(tmp_path, "good.yml")
    assert problems == []
    assert settings == Settings(
        root=tmp_path,
        site_name="Papers",
        language="zh",
        packages=("torchvision", "timm"),
        site_url="https://example.org/",
        repo_url="https://example.org/repo",
    )


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_mistakes(tmp_path, path):
    settings, problems = settings_of(tmp_path, f"{path.stem}.yml")
    assert format_problems(problems) == path.read_text(encoding="utf-8")
    assert settings.notes == "notes"


def test_no_settings_at_all(tmp_path):
    _, problems = load_settings(tmp_path)
    assert [(found.code, found.message) for found in problems] == [("K601", "there is no mkdocs.yml")]


def test_settings_that_are_not_utf8(tmp_path):
    (tmp_path / "mkdocs.yml").write_bytes("site_name: 论文".encode("gbk"))
    assert [found.code for found in load_settings(tmp_path)[1]] == ["K601"]


def test_the_root_is_the_nearest_folder_with_settings(tmp_path):
    (tmp_path / "mkdocs.yml").touch()
    below = tmp_path / "notes" / "deeper"
    below.mkdir(parents=True)
    assert find_root(below) == tmp_path.resolve()
    assert find_root(Path("/")) is None
