"""Sentences of running text, Chinese and English: where the one around a place begins and ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kb.markdown_rules.characters import is_cjk

LONGEST = 240  # characters of a sentence that is shown in full
_CLOSING = "”’」』）)】\\]\"'"
_END = re.compile(
    rf"[。！？]+[{_CLOSING}]*|(?<!\.)[.!?]+[{_CLOSING}]*(?=\s|[\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]|\Z)|…+(?=\s*[A-Z])"
)
_ABBREVIATED = re.compile(
    r"(?:\bet al|\be\.?g|\bi\.?e|\bcf|\bvs|\bresp|\bapprox|\bca|\bw\.r\.t|\bDr|\bProf|\bMrs?|\bSt|\bTheor"
    r"|(?<![A-Za-z0-9])(?<!\d )[A-Z])\Z"
)
_OF_A_NUMBER = re.compile(
    r"\b(?:fig|eq|sec|tab|ref|no|vol|ch|app|alg|thm|def)s?\Z|\bpp?\Z", re.IGNORECASE
)  # before a number: `Fig. 3`
_NUMBER = re.compile(r"\s*[\d(]")
_SMALL_LETTER = re.compile(r"\s+[a-z]")


def sentence_at(text: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the sentence, or of the sentences, that the text between two places stands in."""
    first, last = 0, len(text)
    for stop in _stops(text):
        if stop <= start:
            first = stop
        elif stop >= end:
            last = stop
            break
    while first < start and text[first].isspace():
        first += 1
    return first, len(text[:last].rstrip())


def _stops(text: str) -> Iterator[int]:
    for found in _END.finditer(text):
        if found[0][0] != "." or not _goes_on(text, found.start(), found.end()):
            yield found.end()


def _goes_on(text: str, point: int, end: int) -> bool:
    """Whether a full stop ends an abbreviation or an initial, or a small letter follows it."""
    if _SMALL_LETTER.match(text, end):
        return True
    before = text[max(point - 10, 0) : point]
    if _OF_A_NUMBER.search(before):
        return bool(_NUMBER.match(text, end))
    return bool(_ABBREVIATED.search(before)) and not is_cjk(text[end : end + 1] or " ")


def shortened(text: str, start: int, end: int) -> str:
    """A sentence on one line; of a very long one, the part around what stands between two places."""
    room = max((LONGEST - (end - start)) // 2, 0)
    first, last = max(start - room, 0), min(end + room, len(text))
    if len(text) <= LONGEST:
        first, last = 0, len(text)
    shown = " ".join(text[first:last].split())
    return ("…" if first else "") + shown + ("…" if last < len(text) else "")
