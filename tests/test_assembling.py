"""kb makes pages faster than MkDocs does. They must be what MkDocs makes, byte for byte, else themes would not hold."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import copy_repository, run_kb

from kb.site_builder import ENVIRONMENT

NAMES = (
    "Plain Net",
    "A & B &amp; C &#60;b&#62;",
    "Tag <b>bold</b> <h1>",
    "Quote \" and ' and `code`",
    "{{ 7 * 7 }} {% raw %}",
    "Star *em* _low_ \\* {#top} #",
    '<KbHole "content" &>',
    "KbHeading",
    "KbHole",
    "[link](../x.md) ![](y.png)",
    "Formula $x < y$ ²　全角：名",
    "title: - \\x41 \u2028 é",
)
CARD = """---
lang: {lang}
status: draft
---

### {name}: {key}

> method
> Net A., et al. {name}, CVPR 2020

#### Problem

A text.
"""
# What a knowledge base may change about its pages: settings to put in, and templates of its own.
BASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "as init makes it": ({}, {}),
    "with an address, and links to where pages are edited": (
        {"\nuse_directory_urls": "\nrepo_url: https://github.com/a/b\nedit_uri: edit/main/\nuse_directory_urls"}
        | {"    - navigation.top": "    - navigation.top\n    - content.action.edit\n    - content.action.view"}
        | {'!ENV [SITE_URL, ""]': "https://example.org/a&b/"},
        {},
    ),
    "with an extension that changes headings": ({"  - attr_list": "  - attr_list\n  - smarty"}, {}),
    "with a head of its own": (
        {},
        {"partials/kb-head.html": '<meta name="mine" content="{{ page.title | upper }}">\n'},
    ),
}


def of_mkdocs(root: Path) -> dict[str, bytes]:
    """What MkDocs itself makes of the staged tree."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", root / "theirs"]
    environment = {**os.environ, **ENVIRONMENT}
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return pages(root / "theirs")


def pages(site: Path) -> dict[str, bytes]:
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*.html")}


def same(root: Path) -> None:
    done = run_kb("build", "--locked", cwd=root)
    assert done.returncode == 0, done.stderr
    ours, theirs = pages(root / "site"), of_mkdocs(root)
    assert ours.keys() == theirs.keys()
    assert [path for path, data in ours.items() if data != theirs[path]] == []


@pytest.mark.parametrize(("settings", "templates"), BASES.values(), ids=BASES)
def test_pages_are_what_mkdocs_makes_of_them_whatever_their_titles(settings, templates, starter_template, tmp_path):
    root = tmp_path / "base"
    shutil.copytree(starter_template, root)
    for number, name in enumerate(NAMES):
        for lang in ("en", "zh")[: 1 + number % 2]:
            card = CARD.format(name=name, key=f"Net{chr(97 + number)}2020CVPR", lang=lang)
            (root / "notes" / f"n{number}.{lang}.md").write_text(card, encoding="utf-8")
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    for old, new in settings.items():
        assert old in text
        text = text.replace(old, new)
    (root / "mkdocs.yml").write_text(text, encoding="utf-8")
    for name, template in templates.items():
        (root / "templates" / "theme" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "templates" / "theme" / name).write_text(template, encoding="utf-8")
    same(root)


def test_the_projects_own_pages_are_what_mkdocs_makes_of_them(tmp_path):
    same(copy_repository(tmp_path / "base"))
