"""kb build: what it publishes, what it leaves alone, and what happens when it is stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb import writing

NOTE = "notes/Simonyan2015ICLR.md"
MODEL = "reference_models/vgg.py"


@pytest.fixture(scope="module")
def built_template(starter_template, tmp_path_factory, kb) -> Path:
    """A small knowledge base with its site; to be copied, not changed."""
    folder = Path(shutil.copytree(starter_template, tmp_path_factory.mktemp("built") / "base"))
    done = kb("build", "--locked", "--strict", cwd=folder)
    assert done.returncode == 0, done.stderr + done.stdout
    return folder


@pytest.fixture
def built(built_template, tmp_path) -> Path:
    """A small knowledge base with its site, of one's own."""
    return Path(shutil.copytree(built_template, tmp_path / "base"))


def tree(folder: Path) -> dict[str, str]:
    """Every file of a folder, by path, with a digest of its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_last_line_says_what_there_is_and_where(starter, kb):
    done = kb("build", cwd=starter)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last == f"1 card, 4 figures tested (4 agree): {starter / 'site' / 'index.html'}"
    assert (starter / "site" / "cards" / "Simonyan2015ICLR.html").is_file()
    assert (starter / "build" / "cards" / "Simonyan2015ICLR.yml").is_file()


def test_a_build_with_nothing_changed_says_so_and_starts_no_site_builder(built):
    program = (
        "import sys; from kb.cli import main; code = main(['build']);"
        "loaded = {'mkdocs', 'torch'} & set(sys.modules);"
        "sys.exit(code or (repr(loaded) if loaded else 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=built, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("(up to date)")


@pytest.mark.parametrize("name", [NOTE, "mkdocs.yml", "templates/theme/main.html", "site/index.html"])
def test_a_build_after_any_change_builds_again(name, built, kb):
    path = built / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith("main.html"):
        path.write_text('{% extends "base.html" %}', encoding="utf-8")
    else:
        append(path, "\n")
    done = kb("build", cwd=built)
    assert done.returncode == 0, done.stderr
    assert "(up to date)" not in done.stdout


def test_what_others_write_into_the_site_does_not_stay_there(built, kb):
    before = tree(built / "site")
    for path in ("data/v1/cards.json", "cards/index.html", "assets/kb.css"):
        append(built / "site" / path, "\n")
    assert kb("build", cwd=built).returncode == 0
    assert tree(built / "site") == before


def test_findings_are_remembered_when_nothing_has_changed(built, kb):
    replace(built / NOTE, "| A | 133 |", "| A | 136 |")
    first, second = kb("build", cwd=built), kb("build", cwd=built)
    assert "K501" in first.stderr
    assert second.stderr == ""
    assert second.stdout.endswith("(up to date; kb check shows 1 remark)\n")
    assert [found["code"] for found in json.loads(kb("build", "--format", "json", cwd=built).stdout)] == ["K501"]
    strict = kb("build", "--strict", cwd=built)
    assert strict.returncode == 1
    assert "K501" in strict.stderr


def test_a_figure_that_a_footnote_speaks_of_is_left_to_check(built, kb):
    replace(built / NOTE, "| A | 133 |", "| A | 136[^more] |")
    append(built / NOTE, "\n[^more]: The authors' own code gives 133.\n")
    done = kb("build", "--strict", cwd=built)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("index.html (kb check shows 1 remark)\n")
    assert "K501 note: " in kb("check", cwd=built).stdout
    assert "::notice " in kb("build", "--format", "github", cwd=built).stdout


def test_the_same_input_gives_the_same_bytes(built_template, starter, kb):
    done = kb("build", cwd=starter, env={"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"})
    assert done.returncode == 0, done.stderr
    assert tree(starter / "site") == tree(built_template / "site")


def test_a_build_leaves_what_is_right_already_untouched(built, kb):
    page = built / "build" / "pages" / "conventions.md"
    before = page.stat().st_mtime_ns
    replace(built / NOTE, "Only $3", "Nothing but $3")
    assert kb("build", cwd=built).returncode == 0
    assert page.stat().st_mtime_ns == before


def test_what_a_removed_card_left_behind_is_removed(built, kb):
    (built / NOTE).rename(built / "notes" / "Other.md")
    replace(built / "notes" / "Other.md", "Simonyan2015ICLR", "Simonyan2015ICLRa")
    assert kb("build", cwd=built).returncode == 0
    assert not (built / "build" / "cards" / "Simonyan2015ICLR.yml").exists()
    assert not (built / "site" / "cards" / "Simonyan2015ICLR.html").exists()


MISTAKES = {
    "a note": (NOTE, "$3 \\times 3$ filters", "[[Nobody]]", "K303"),
    "a call": (NOTE, "`vgg()`", "`vgg(depth=16)`", "K403"),
    "the settings": ("mkdocs.yml", "name: material", "name: nowhere", "K604"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_build_that_fails_leaves_the_old_site_whole(mistake, built, kb):
    path, old, new, code = MISTAKES[mistake]
    before = tree(built / "site")
    replace(built / path, old, new)
    done = kb("build", cwd=built)
    assert done.returncode == 1
    assert code in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(built / "site") == before


def test_a_theme_template_that_fails_is_named_with_its_line(built, kb):
    before = tree(built / "site")
    override = built / "templates" / "theme" / "main.html"
    override.parent.mkdir(parents=True, exist_ok=True)
    override.write_text(
        '{% extends "base.html" %}\n{% block content %}\n{{ nothing.at.all }}\n{% endblock %}\n', encoding="utf-8"
    )
    done = kb("build", cwd=built)
    assert done.returncode == 1
    assert "templates/theme/main.html:3" in done.stderr
    assert "K603" in done.stderr
    assert tree(built / "site") == before


def test_a_killed_build_leaves_the_old_site_or_the_new_one_whole(built, kb, tmp_path):
    old = tree(built / "site")
    append(built / NOTE, "\nA line more.\n")
    started = time.monotonic()
    after = Path(shutil.copytree(built, tmp_path / "after"))
    assert kb("build", cwd=after).returncode == 0
    duration, new = time.monotonic() - started, tree(after / "site")
    assert new != old
    for part in range(1, 8):
        build = subprocess.Popen([sys.executable, "-m", "kb", "build"], cwd=built, stdout=subprocess.DEVNULL)
        time.sleep(duration * part / 7)
        build.send_signal(signal.SIGKILL)
        build.wait()
        assert tree(built / "site") in (old, new), f"killed after {duration * part / 7:.2f} s"
    assert kb("build", cwd=built).returncode == 0
    assert tree(built / "site") == new
    assert sorted(path.name for path in (built / "build").iterdir() if path.is_dir()) == [
        ".site-site",
        "bodies",
        "cards",
        "pages",
        "pieces",
        "theme",
    ]


def test_builds_at_the_same_time_follow_each_other(built):
    append(built / NOTE, "\nA line more.\n")
    builds = [
        subprocess.Popen([sys.executable, "-m", "kb", "build"], cwd=built, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = sorted(build.communicate(timeout=120)[0].rstrip().endswith("(up to date)") for build in builds)
    assert [build.returncode for build in builds] == [0, 0]
    assert outputs == [False, True]


def test_locked_exits_3_and_names_the_calls_that_are_stale(built, kb):
    before = tree(built / "site")
    replace(built / MODEL, "4096", "4095")
    done = kb("build", "--locked", cwd=built)
    assert done.returncode == 3
    for call in ('vgg(configuration="A")', "vgg()"):
        assert f"K409 {call}" in done.stderr or f"K409 `{call}`" in done.stderr
    assert tree(built / "site") == before


def test_what_is_stale_is_measured_and_written_to_the_lock(built, kb):
    lock = built / "reference_models" / "measured.yml"
    before = lock.read_text(encoding="utf-8")
    append(built / MODEL, "# a comment\n")
    assert kb("build", "--locked", cwd=built).returncode == 3
    done = kb("build", cwd=built)
    assert done.returncode == 0, done.stderr
    after = lock.read_text(encoding="utf-8")
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert changed, "the fingerprints are the same"
    assert all("fingerprint" in line for line in changed)
    assert kb("build", "--locked", cwd=built).returncode == 0


def test_strict_judges_figures_by_the_models_as_they_are_now(built, kb):
    replace(built / MODEL, "4096", "2048")
    assert kb("build", cwd=built).returncode == 0
    assert kb("build", "--strict", cwd=built).returncode == 1
    replace(built / MODEL, "2048", "4096")
    assert kb("build", "--strict", cwd=built).returncode == 0


def test_a_model_that_fails_is_a_problem_and_no_traceback(built, kb):
    replace(built / MODEL, "before = 3", "before = 4")
    done = kb("build", cwd=built)
    assert done.returncode == 1
    assert "K407" in done.stderr
    assert "Traceback" not in done.stderr
    assert (built / "site" / "index.html").is_file()


# ------------------------------------------------------------------------------------- publishing, piece by piece


@pytest.fixture
def two_sites(tmp_path) -> tuple[Path, Path]:
    new, site = tmp_path / "new", tmp_path / "site"
    for folder in (new, site):
        folder.mkdir()
        (folder / "index.html").write_text(folder.name, encoding="utf-8")
    return new, site


@pytest.mark.parametrize("exchange", [True, False])
def test_publishing_replaces_the_folder_and_leaves_nothing_else(exchange, two_sites, monkeypatch):
    new, site = two_sites
    if not exchange:  # as on systems that cannot exchange two folders
        monkeypatch.setattr(writing, "exchange", lambda *_: False)
    writing.publish(new, site)
    assert (site / "index.html").read_text(encoding="utf-8") == "new"
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_a_publication_cut_off_between_two_renames_is_taken_back(two_sites):
    new, site = two_sites
    site.rename(site.with_name(".site.old"))
    writing.recover(site)
    assert (site / "index.html").read_text(encoding="utf-8") == "site"
    writing.publish(new, site)
    assert (site / "index.html").read_text(encoding="utf-8") == "new"


def test_a_site_that_is_a_link_stays_one(two_sites, tmp_path):
    new, site = two_sites
    elsewhere = tmp_path / "elsewhere"
    site.rename(elsewhere)
    site.symlink_to(elsewhere)
    writing.publish(new, site)
    assert site.is_symlink()
    assert (elsewhere / "index.html").read_text(encoding="utf-8") == "new"


def test_a_file_that_is_right_is_not_written(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    assert writing.write_if_changed(path, "一")
    before = path.stat()
    assert not writing.write_if_changed(path, "一".encode())
    assert path.stat() == before
    path.chmod(0o640)
    writing.replace_atomically(path, "二")
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("二", 0o640)
    assert os.listdir(path.parent) == ["file.txt"]
