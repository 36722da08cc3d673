"""The build before: what it was made from, what came of it, and whether another one would be the same.

This is all that a build has to know where nothing has changed, and so it loads nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb import inputs
from kb.records import Place, Problem
from kb.settings import Settings

OK = 0


@dataclass(frozen=True, slots=True)
class Order:
    """How to build: `locked` runs no model code, `strict` takes findings and warnings for errors."""

    locked: bool = False
    strict: bool = False
    site: str = ""  # another folder than the settings' one
    site_url: str | None = None
    private: bool = False  # with the cards and sections that stay off the site: for their author's eyes


USUAL = Order()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a build: an exit code, every problem found, and, where a site was published, what it holds."""

    code: int
    problems: tuple[Problem, ...]
    summary: str = ""
    site: Path | None = None
    unchanged: bool = False

    @property
    def told(self) -> list[Problem]:
        """The problems that a build shows: none where nothing has changed, and of the notes `kb check` speaks."""
        return [] if self.unchanged else [found for found in self.problems if found.severity != "note"]


def refused(problems: Iterable[Problem], order: Order) -> bool:
    """Whether these problems keep the site from being published."""
    return any(found.severity == "error" or (order.strict and found.severity != "note") for found in problems)


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What a build is made from: a digest of all that it depends on, and one of each of the user's files."""

    inputs: str
    files: Mapping[str, str]

    @staticmethod
    def now(settings: Settings, order: Order) -> MadeFrom:
        """What a build that begins now is made from: files changed while it runs are newer than it."""
        return MadeFrom(fingerprint(settings, order), inputs.contents(settings))


def fingerprint(settings: Settings, order: Order) -> str:
    """A digest of all that this build depends on."""
    return inputs.fingerprint(settings, order.site_url or "", *["private"] * order.private)


def earlier(settings: Settings, order: Order, site: Path) -> Outcome | None:
    """The outcome of the build before, if it was made from the same inputs and its site stands as it was published."""
    try:
        record = read_record(settings, site)
        problems = tuple(problem_from(data) for data in record["problems"])
        unchanged = is_unchanged(record, settings, order, site)
    except (KeyError, TypeError):
        return None
    if not unchanged or refused(problems, order):
        return None
    return Outcome(OK, problems, record["summary"], site, unchanged=True)


def is_unchanged(record: Mapping[str, Any], settings: Settings, order: Order, site: Path) -> bool:
    """Whether a site stands as it was published, and would be made from the same inputs again."""
    inputs_now = fingerprint(settings, order)
    return record.get("inputs") == inputs_now and record.get("site") == inputs.fingerprint_of_folder(site)


def read_record(settings: Settings, site: Path) -> dict[str, Any]:
    """What is written down of a site; nothing where there is none, or a record that cannot be read."""
    try:
        record = json.loads(record_of(settings, site).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def record_of(settings: Settings, site: Path) -> Path:
    """Where it is written down what a site was made from."""
    return settings.root / settings.build / f"built-{site.name}.json"


def problem_from(data: dict[str, Any]) -> Problem:
    """A problem that was written down."""
    return Problem(**{**data, "place": Place(**data["place"])})
