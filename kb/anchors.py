"""The fragments that name the parts of a card on its page: other pages link to them, so they are made in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.records import Section

INTRO = "intro"
_NOT_WORD = re.compile(r"[^\w]+")


def slug(text: str) -> str:
    """A fragment identifier from any text: letters and digits of all scripts, joined by hyphens."""
    return _NOT_WORD.sub("-", text.lower()).strip("-_") or "x"


def section_anchors(sections: Iterable[Section]) -> list[str]:
    """The anchor of each of a card's sections; those of known sections are their ids."""
    anchors: list[str] = []
    for section in sections:
        base = candidate = section.id or f"section-{slug(section.heading)}"[:80]
        number = 1
        while candidate in anchors:
            number += 1
            candidate = f"{base}-{number}"
        anchors.append(candidate)
    return anchors
