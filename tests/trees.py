"""Comparing what an incremental build leaves behind with what a clean one makes."""

from __future__ import annotations

import shutil
from pathlib import Path

from kb.building import build
from kb.built import Order, Outcome
from kb.settings import load_settings

COMPARED = ("site", "build/pages", "build/bodies", "build/cards", "build/theme")


def built(root: Path) -> Outcome:
    return build(load_settings(root)[0], Order(locked=True))


def tree(root: Path) -> dict[str, bytes]:
    """Every file of the site and of the staged tree."""
    files = (path for top in COMPARED for path in (root / top).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def clean(root: Path, copy: Path) -> Outcome:
    """Build a copy of a knowledge base from nothing."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("build", "site"))
    return built(copy)


def differences(root: Path, copy: Path) -> list[str]:
    """The paths at which two knowledge bases' trees differ."""
    first, second = tree(root), tree(copy)
    return sorted(path for path in first.keys() | second.keys() if first.get(path) != second.get(path))
