"""How an entry is cited on a card: the citation in one line, and the citekey by the template's pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from kb.bibliography.records import Author, Entry
from kb.schema import Schema

# Venues that people write by their letters, found in the long names that bibliographies give.
_KNOWN = {
    "computer vision and pattern recognition": "CVPR",
    "international conference on computer vision": "ICCV",
    "european conference on computer vision": "ECCV",
    "computer vision – eccv": "ECCV",  # as Springer names its volumes
    "computer vision – accv": "ACCV",
    "winter conference on applications of computer vision": "WACV",
    "neural information processing systems": "NeurIPS",
    "international conference on machine learning": "ICML",
    "learning representations": "ICLR",
    "association for the advancement of artificial intelligence": "AAAI",
    "aaai conference": "AAAI",
    "joint conference on artificial intelligence": "IJCAI",
    "empirical methods in natural language processing": "EMNLP",
    "north american chapter": "NAACL",
    "meeting of the association for computational linguistics": "ACL",
    "knowledge discovery and data mining": "KDD",
    "medical image computing": "MICCAI",
    "pattern analysis and machine intelligence": "TPAMI",
    "international journal of computer vision": "IJCV",
    "journal of machine learning research": "JMLR",
    "machine learning research": "PMLR",
    "transactions on image processing": "TIP",
    "communications of the acm": "CACM",
    "arxiv": "arxiv",
    "corr": "arxiv",
}
_LONGEST_NAME = 48
_IN_BRACKETS = re.compile(r"\(([A-Z][A-Za-z0-9-]{1,9})(?:\s*['’]?\d{2,4})?\)")
_YEAR_IN_NAME = re.compile(r"\b(?:19|20)\d\d\b|['’]\d\d\b")
_ACRONYM = re.compile(r"\b(?=\w*[A-Z]\w*[A-Z])[A-Z0-9][A-Za-z0-9]{1,9}\b")
_NO_LETTER = re.compile(r"[^\w’-]+|_")
_CJK = re.compile(r"[\u3400-\u9fff]")


def citation(entry: Entry) -> str:
    """The citation as cards print it: `Howard A., et al. Title, CVPR 2018`; "" where too little is known."""
    if not entry.title:
        return ""
    chinese = bool(entry.authors and _CJK.search(entry.authors[0].family))
    others = ("等" if chinese else "et al.") if entry.et_al or len(entry.authors) > 1 else ""
    authors = ", ".join(filter(None, [_cited(entry.authors[0]) if entry.authors else "", others]))
    title = entry.title.rstrip(".")
    end = " ".join(filter(None, [entry.venue, str(entry.year or "")]))
    stop = "" if authors.endswith(".") or not authors else "."
    return ", ".join(filter(None, [f"{authors}{stop} {title}".strip(), end]))


def called(entry: Entry) -> str:
    """What readers call the work's subject: its short title, or what stands before the title's colon."""
    before = re.split(r"\s*[:：]\s", entry.title, maxsplit=1)[0]
    return next((name for name in (before, entry.short_title) if name and len(name) <= _LONGEST_NAME), entry.title)


def with_short_venue(entry: Entry) -> Entry:
    """The work with its venue as people write it: by its letters where it is known by them, and without a year."""
    if is_known_venue(entry.venue):
        return replace(entry, venue=venue_letters(entry))
    return replace(entry, venue=" ".join(_YEAR_IN_NAME.sub("", entry.venue).split()).strip(" ,;"))


def author_name(author: Author) -> str:
    """An author in full, as the front matter of a card lists it."""
    if _CJK.search(author.family):
        return author.family + author.given
    return f"{author.given} {author.family}".strip()


def _cited(author: Author) -> str:
    if _CJK.search(author.family):
        return author.family + author.given
    initials = "".join(f"{part[0].upper()}." for part in re.split(r"[\s.]+", author.given) if part)
    return f"{author.family} {initials}".strip()


def citekeys(entry: Entry, schema: Schema) -> Iterator[str]:
    """The keys that an entry may have, the best first: its own where it fits the template, one made of its parts."""
    own = schema.match_citekey(entry.key)
    if own and own.groupdict().get("year") in (None, str(entry.year or own["year"])):
        yield entry.key
    author = "".join(_capitalised(part) for part in entry.authors[0].family.split()) if entry.authors else ""
    author = _NO_LETTER.sub("", author.replace("'", "’"))
    made = f"{author}{entry.year or ''}{venue_letters(entry)}"
    if schema.match_citekey(made):
        yield made


def _capitalised(word: str) -> str:
    return word[:1].upper() + word[1:]


def venue_letters(entry: Entry) -> str:
    """A venue as citekeys write it: CVPR, NeurIPS, arxiv, Nature, 3DV; "" where nothing is known of it."""
    known = _known(entry.venue)
    if known:
        return known
    name = _YEAR_IN_NAME.sub("", entry.venue)
    if len(name.split()) > 1:
        acronym = _ACRONYM.search(name)
        return acronym[0] if acronym and acronym[0] not in ("IEEE", "ACM", "CVF") else _initials(name)
    return re.sub(r"[\W_]+", "", name) or ("arxiv" if entry.arxiv else "")


def is_known_venue(name: str) -> bool:
    """Whether a venue is one that people write by its letters, and its long name says no more."""
    return bool(_known(name))


def _known(name: str) -> str:
    found = _IN_BRACKETS.search(name)
    return found[1] if found else next((short for words, short in _KNOWN.items() if words in name.casefold()), "")


def _initials(name: str) -> str:
    words = re.findall(r"[^\W\d_]+", name)
    if any(_CJK.search(word) for word in words):
        return "".join(words)[:8]
    return "".join(word[0] for word in words if word[0].isupper())
