"""The terms that a text is found by. assets/search-engine.js reads queries in the same way.

A run of Chinese, Japanese or Korean gives its pairs of characters and its last character: any part of the run is then
found by the pairs in it, and a single character by what begins with it, whatever a dictionary thinks words are.

Anything else gives words in small letters without accents. What marks join (`h-swish`, `1704.04861`) is one word,
`hswish`; it is found by its parts too, as is what capitals and digits join: `MobileNetV2` by `net` and `v2`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import chain
from operator import add

LONGEST = 64  # characters of a term
MOST_PARTS = 8  # of one word

CJK = (
    "\u3005\u3007\u3040-\u309a\u309d-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
JOINERS = "-_./'&+:@,\u00b7\u2010\u2011\u2013\u2019"
WORD = rf"(?:(?![{CJK}])[^\W_])+"
TOKEN = re.compile(rf"[{CJK}]+|{WORD}(?:[{JOINERS}]{WORD})*")
JOINER = re.compile(f"[{JOINERS}]")
IS_CJK = re.compile(f"[{CJK}]")
BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d\d)|(?<=\d)(?=[A-Za-z]{2})")
MAY_HAVE_ACCENTS = re.compile("[^\x00-\x7f\u3000-\u303f\u3400-\u9fff]+")
ALIKE = str.maketrans({"ß": "ss", "ς": "σ", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L"})


def plain(text: str) -> str:
    """A text without accents, in one width; its capitals stay."""
    return MAY_HAVE_ACCENTS.sub(_bare, unicodedata.normalize("NFKC", text))


def _bare(run: re.Match[str]) -> str:
    marks = (c for c in unicodedata.normalize("NFD", run[0]) if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", "".join(marks)).translate(ALIKE)


def terms(text: str) -> Counter[str]:
    """The terms of a text, and how often each occurs."""
    tokens = TOKEN.findall(plain(text))
    return Counter(chain.from_iterable(pairs(token) if IS_CJK.match(token) else parts(token) for token in tokens))


def pairs(run: str) -> list[str]:
    """A run's pairs of characters, and its last character."""
    return [*map(add, run, run[1:]), run[-1]]


@lru_cache(maxsize=20_000)
def parts(token: str) -> tuple[str, ...]:
    """A word as a whole, from each of its boundaries on, and between the marks that join it."""
    joined = JOINER.split(token)
    pieces = [piece for part in joined for piece in BOUNDARY.split(part)][:MOST_PARTS]
    ends = ["".join(pieces[number:]) for number in range(1, len(pieces))]
    found = ["".join(joined), *(end for end in ends if len(end) > 1), *(part for part in joined[:-1] if len(part) > 2)]
    return tuple(dict.fromkeys(term.lower()[:LONGEST] for term in found))


def whole(text: str) -> str:
    """A short text as one word, without what stands between its words: `MobileNet V2` is `mobilenetv2`."""
    return "".join(JOINER.sub("", token) for token in TOKEN.findall(plain(text))).lower()[:LONGEST]


def is_spelt(term: str) -> bool:
    """Whether a term is a word that typing errors may be forgiven in."""
    return term[0].isalpha() and not IS_CJK.match(term) and sum(map(str.isalpha, term)) > 3
