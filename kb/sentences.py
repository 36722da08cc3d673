"""Sentences of running text, Chinese and English: where the one around a place begins and ends."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from kb.markdown_rules.characters import is_cjk

LONGEST = 240  # characters of a sentence that is shown in full
_CLOSING = "”’」』）)】\\]\"'"
_END = re.compile(
    rf"[。！？]++[{_CLOSING}]*+"
    rf"|(?<![.!?])[.!?]++[{_CLOSING}]*+(?=\s|[\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]|\Z)"
    r"|(?<!…)…++(?=\s?[A-Z])"
)
_ABBREVIATED = re.compile(
    r"(?:\bet al|\be\.?g|\bi\.?e|\bcf|\bvs|\bresp|\bapprox|\bca|\bw\.r\.t|\bDr|\bProf|\bMrs?|\bSt|\bTheor"
    r"|(?<![A-Za-z0-9])(?<!\d )[A-Z])\Z"
)
_OF_A_NUMBER = re.compile(
    r"\b(?:fig|eq|sec|tab|ref|no|vol|ch|app|alg|thm|def)s?\Z|\bpp?\Z", re.IGNORECASE
)  # before a number: `Fig. 3`
_NUMBER = re.compile(r"\s*+[\d(]")
_SMALL_LETTER = re.compile(r"\s++[a-z]")


def stops(text: str) -> list[int]:
    """Where the sentences of a text end."""
    ends = (found for found in _END.finditer(text) if not _goes_on(text, found))
    return [found.end() for found in ends]


def sentence_at(text: str, ends: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """The bounds of the sentence, or of the sentences, that the text between two places stands in."""
    before, after = bisect_right(ends, start), bisect_left(ends, end)
    first, last = ends[before - 1] if before else 0, ends[after] if after < len(ends) else len(text)
    while first < start and text[first].isspace():
        first += 1
    while last > end and text[last - 1].isspace():
        last -= 1
    return first, last


def _goes_on(text: str, found: re.Match[str]) -> bool:
    """Whether a full stop ends an abbreviation or an initial, or a small letter follows it."""
    end = found.end()
    if found[0][0] != ".":
        return False
    if _SMALL_LETTER.match(text, end):
        return True
    before = text[max(found.start() - 10, 0) : found.start()]
    if _OF_A_NUMBER.search(before):
        return bool(_NUMBER.match(text, end))
    return bool(_ABBREVIATED.search(before)) and not is_cjk(text[end : end + 1] or " ")


def shortened(text: str, first: int, last: int, start: int, end: int) -> str:
    """The sentence between two places on one line; of a very long one, the part around what stands in it."""
    room = max((LONGEST - (end - start)) // 2, 0)
    begin, stop = (first, last) if last - first <= LONGEST else (max(start - room, first), min(end + room, last))
    shown = " ".join(text[begin:stop].split())
    return ("…" if begin > first else "") + shown + ("…" if stop < last else "")
