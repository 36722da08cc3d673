"""Which characters are Chinese, Japanese or Korean, and which are punctuation."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar

# Symbols that are as wide as ideographs are emoji, but for those of the CJK blocks (〒, ㈱).
_CJK_SYMBOLS = range(0x2E80, 0xA4D0)
_IDEOGRAPHIC_SELECTORS = range(0xE0100, 0xE01F0)  # each chooses the shape of the ideograph before it


@lru_cache(maxsize=4096)
def is_cjk(char: str) -> bool:
    """Whether a character is an ideograph, kana, hangul, or punctuation as wide as they are."""
    if ord(char) in _IDEOGRAPHIC_SELECTORS:
        return True
    if unicodedata.east_asian_width(char) not in "WFH":
        return False
    return unicodedata.category(char) != "So" or ord(char) in _CJK_SYMBOLS


def is_punctuation(char: str) -> bool:
    """Whether CommonMark counts a character as punctuation."""
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)
