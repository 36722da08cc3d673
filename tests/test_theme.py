"""Ours stand in place of a few files of Material: a version of it that changes them is to be noticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import material
import yaml

PINNED = Path(__file__).parent / "cases" / "overridden.yml"
THEIRS = Path(material.__file__).parent / "templates"


def overridden(root: Path) -> dict[str, str]:
    """The digests of Material's files that ours replace, by path."""
    ours = root / "templates" / "theme"
    names = (path.relative_to(ours).as_posix() for path in sorted(ours.rglob("*.html")))
    return {name: digest(THEIRS / name) for name in names if (THEIRS / name).is_file()}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_materials_files_are_as_they_were_when_ours_were_written(root):
    """Where this fails, compare Material's file with ours, bring ours up to date, then write the digest down."""
    assert overridden(root) == yaml.safe_load(PINNED.read_text(encoding="utf-8"))


def test_material_has_no_other_script_in_its_pages():
    """Pages may hold no scripts under a careful policy: a new one would need a file of ours."""
    with_scripts = (path for path in THEIRS.rglob("*.html") if "<script>" in path.read_text(encoding="utf-8"))
    found = {path.relative_to(THEIRS).as_posix() for path in with_scripts}
    assert found == {
        "partials/javascripts/announce.html",  # where a site has `announce.dismiss`
        "partials/javascripts/base.html",  # ours
        "partials/javascripts/consent.html",  # where a site asks for consent
        "partials/javascripts/content.html",  # ours
        "partials/javascripts/outdated.html",  # where a site has versions
        "partials/javascripts/palette.html",  # ours
        "partials/integrations/analytics.html",  # where a site has analytics
        "redirect.html",  # of a plugin's
    }
