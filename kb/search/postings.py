"""Where a term occurs, as a short text: for each document the distance from the one before, and the term's level.

A posting is an integer, a document's number and a level of four bits. The first document's distance is its number.
Integers are written in groups of five bits, the lowest first, a letter for each; all but the last have the sixth set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise

LEVEL = 4
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
VALUES = {letter: value for value, letter in enumerate(LETTERS)}


LOW = 15  # bits that are looked up at a time
REST = (1 << LOW) - 1


@cache
def _tables() -> tuple[list[str], list[str]]:
    """The texts of all integers of so few bits: as they are, and where more groups follow."""
    last, more = LETTERS[:32], LETTERS[32:]
    two = [low + high for high in last[1:] for low in more]
    three = [low + rest for rest in two for low in more]
    continued = [low + middle + high for high in more for middle in more for low in more]
    return [*last, *two, *three], continued


def encode(postings: Iterable[int]) -> str:
    """Postings in ascending order as a text."""
    short, continued = _tables()
    ordered = list(postings)
    values = [posting - (before >> LEVEL << LEVEL) for before, posting in pairwise([0, *ordered])]
    return "".join([short[v] if v <= REST else continued[v & REST] + short[v >> LOW] for v in values])


def decode(text: str) -> list[int]:
    """The postings in a text."""
    postings: list[int] = []
    value = shift = number = 0
    for letter in text:
        group = VALUES[letter]
        value |= (group & 31) << shift
        if group > 31:
            shift += 5
            continue
        number += value >> LEVEL
        postings.append(number << LEVEL | value & 15)
        value = shift = 0
    return postings


def changed(text: str, changes: Mapping[int, int | None]) -> str:
    """The text with other levels for some documents; None for those that it no longer holds."""
    levels: dict[int, int | None] = {posting >> LEVEL: posting & 15 for posting in decode(text)}
    levels |= changes
    return encode(number << LEVEL | level for number, level in sorted(levels.items()) if level is not None)


def union(lists: Iterable[Iterable[int]]) -> list[int]:
    """All documents of several lists, each with its highest level."""
    best: dict[int, int] = {}
    for postings in lists:
        for posting in postings:
            number = posting >> LEVEL
            if best.get(number, -1) < posting:
                best[number] = posting
    return sorted(best.values())
