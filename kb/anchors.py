"""The fragments that name the parts of a card on its page: other pages link to them, so they are made in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from kb.file_names import shortened
from kb.records import Section

INTRO = "intro"
LONGEST_ANCHOR = 240  # bytes: files are called by anchors
_NOT_WORD = re.compile(r"[^\w]+")


def slug(text: str) -> str:
    """A fragment identifier from any text: letters and digits of all scripts, joined by hyphens."""
    return _NOT_WORD.sub("-", text.lower()).strip("-_") or "x"


def section_anchors(sections: Iterable[Section]) -> list[str]:
    """The anchor of each of a card's sections; those of known sections are their ids."""
    return numbered(
        section.id or shortened(f"section-{slug(section.heading)}"[:80], LONGEST_ANCHOR) for section in sections
    )


def numbered(names: Iterable[str]) -> list[str]:
    """The names, those that occur again with a number at their end, so that all are different."""
    taken: set[str] = set()
    last: Counter[str] = Counter()
    found = []
    for name in names:
        candidate = name
        while candidate in taken:
            last[name] += 1
            candidate = f"{name}-{last[name] + 1}"
        taken.add(candidate)
        found.append(candidate)
    return found
