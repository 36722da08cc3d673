"""Lists of authors as citations print them, and where in a citation such a list ends.

A list keeps to one form: `He K., Zhang X.` (surname first), `K. He, X. Zhang` and `Kaiming He, X. Zhang` (surname
last), `He, K., Zhang, X.` (inverted; after the first, names may come uninverted), or Chinese names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LETTERS = r"[^\W\d_]"
_UPPER = "[" + "".join(letter for letter in map(chr, range(0x530)) if letter.isupper()) + "]"  # Latin, Greek, Cyrillic
_INITIAL = rf"{_UPPER}\."
_INITIALS = rf"(?:{_UPPER}{{1,3}}|{_UPPER}\.?(?:[\s-]?{_UPPER}\.?){{0,3}})"
_PARTICLE = r"(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|ten|ter|el|al|bin|ibn|zu|af|Van|Von|De|La|Le)"
_WORD = rf"{_UPPER}(?:{_LETTERS}|['’ʼ-](?={_LETTERS}))+"
_SUFFIX = r"(?:,?\s(?:Jr|Sr|II|III|IV)\b\.?)?"
_SURNAME = rf"(?:{_PARTICLE}\s|d['’]|{_UPPER}['’])*{_WORD}(?:\s(?:{_PARTICLE}\s)*{_WORD})?"
_SURNAME_FIRST = re.compile(rf"(?P<surname>{_SURNAME})\s(?P<given>{_INITIALS}){_SUFFIX}")
_SURNAME_LAST = re.compile(
    rf"(?P<given>(?:{_INITIALS}|{_WORD})(?:-{_INITIAL}|\s(?:{_INITIAL}|{_UPPER}(?=\s)|{_WORD}))*)"
    rf"\s(?P<surname>(?:{_PARTICLE}\s)*{_WORD}){_SUFFIX}"
)
_GIVEN = re.compile(rf"(?:{_INITIALS}|{_WORD}(?:-{_INITIAL}|\s(?:{_INITIAL}|{_UPPER}|{_WORD}))*){_SUFFIX}")
_ONLY_INITIALS = re.compile(rf"{_INITIALS}{_SUFFIX}")
_ALONE = re.compile(_SURNAME)
_CHINESE = re.compile(r"[\u3400-\u9fff]{2,4}|[\u3400-\u9fff]{1,8}(?:[·•][\u3400-\u9fff]{1,8})+")
_SEPARATOR = re.compile(
    r"\s*,?\s+(?:and|und|et)\s+|\s*,?\s*[&＆]\s*|\s*[,，、]\s*(?:and\s+|和)?|(?<=[\u3400-\u9fff])\s*[和与]\s*"
)
_ET_AL = re.compile(
    r"[\s,，;]*(?:\bet\s*\.?\s*al\b\.?|\band\s+others\b\.?|(?<=[\u3400-\u9fffA-Za-z.,，\s])等(?:人|著)?(?=[\s.,，。:：;；\[]|$)\.?)",
    re.IGNORECASE,
)
_ORGANISATION = re.compile(
    rf"(?:{_UPPER}[\w-]+|{_WORD})(?:\s(?:Team|Group|Consortium|Collaboration|AI|Research|Lab|Inc\.?))*"
)
_MOST_STOPS = 100  # full stops, commas or colons that the authors of one citation may hold

# Words that begin names of networks and titles, never persons.
_TITLE_WORDS = (
    "a an the on in of for to via with without by from at is are be do does can how what why when towards toward "
    "deep learning network networks neural convolutional convolution image images visual vision recognition detection "
    "segmentation classification attention transformer transformers training model models adaptive efficient fast "
    "faster large small very going all you need understanding rethinking improving accurate dense residual generative "
    "adversarial representation representations language object objects semantic unsupervised supervised survey "
    "review conference proceedings journal transactions international ieee acm preprint arxiv batch group layer "
    "normalization pooling global local mobile real-time end-to-end self-supervised few-shot multi-scale"
)
_NO_NAMES = frozenset(_TITLE_WORDS.split())


def split_authors(text: str) -> tuple[tuple[str, ...], bool]:
    """The names in a list of authors, and whether it ends in `et al.`; a list that cannot be read is one name."""
    found = _ET_AL.search(text)
    names = text[: found.start()] if found else text
    names = names.strip(" ,，;；:：.。") + ("." if re.search(rf"(?:^|[\s.,-]){_UPPER}\.\s*$", names) else "")
    authors = read_authors(names)
    if authors is None:
        authors = tuple(
            part.strip() for part in re.split(r"[;；]|,?\sand\s|、|[,，](?!\s*\S\.)", names) if part.strip()
        )
    return authors, bool(found)


def authors_end(text: str) -> tuple[tuple[str, ...], bool, int]:
    """The authors that a citation begins with, whether they end in `et al.`, and where what follows them begins."""
    found = _ET_AL.search(text)
    if found and (authors := read_authors(_trimmed(text[: found.start()]))):
        return authors, True, found.end()
    stops = list(re.finditer(r"[.．。]\s+|[.．。](?=[\u3400-\u9fff])|\.?[:：]\s*|\.\s*$", text))
    best = _longest(text, stops)
    if best is None:
        best = _longest(text, list(re.finditer(r"[,，]\s*", text)))
    return best or ((), False, 0)


def _longest(text: str, stops: list[re.Match[str]]) -> tuple[tuple[str, ...], bool, int] | None:
    """The longest beginning of a text, up to one of the stops, that is a list of authors and nothing else."""
    for stop in reversed(stops[:_MOST_STOPS]):
        dot = "." if stop[0].startswith(".") else ""
        authors = read_authors(_with_dot(text[: stop.start()], dot))
        if authors and _may_stop(authors, text, stop):
            return authors, False, stop.end()
    return None


def _may_stop(authors: tuple[str, ...], text: str, stop: re.Match[str]) -> bool:
    """Whether the text after a list of authors may be something else than more of it."""
    rest = text[stop.end() :]
    if re.match(rf"{_UPPER}\.(?:[\s,:-]|$)|{_UPPER}\.[\s-]?{_UPPER}\.|(?:and|&)\s", rest):
        return False
    if re.match(r"\.?[:：]", stop[0]):
        return len(authors) > 1 or "," in authors[0]
    return True


def _with_dot(text: str, dot: str) -> str:
    """The text, with the full stop after it where it belongs to an initial."""
    initial = re.search(rf"(?:^|[\s.,-]){_UPPER}$", text)
    others = re.search(rf"{_UPPER}\.", text) or not re.search(r"[,，]|\sand\s", text)
    return text + dot if initial and others else text


def _trimmed(text: str) -> str:
    return re.sub(r"[\s,，;；]+$|(?:,?\s*(?:and|&))$", "", text.strip())


def read_authors(text: str) -> tuple[str, ...] | None:
    """The names in a list of authors; None for a text that is not one."""
    text = text.strip()
    if re.search(r"[;；]", text):
        parts = [part.strip(" ,") for part in re.split(r"[;；](?:\s*and\s)?", text) if part.strip(" ,")]
        return tuple(parts) if parts and all(_style(part) or _inverted(part.split(", ")) for part in parts) else None
    parts = [part for part in _SEPARATOR.split(text) if part]
    if not parts or not all(parts):
        return None
    return _inverted(parts) or _of_one_style(parts)


def _of_one_style(parts: list[str]) -> tuple[str, ...] | None:
    styles = [_style(part) for part in parts]
    if len(parts) == 1 and not styles[0]:
        return (parts[0],) if _may_be_alone(parts[0]) else None
    if not all(styles) or ("surname first" in styles and "surname last" in styles):
        return None
    return tuple(parts)


def _style(name: str) -> str:
    if _CHINESE.fullmatch(name):
        return "chinese"
    if _holds_title_word(name):
        return ""
    if _SURNAME_FIRST.fullmatch(name):
        return "surname first"
    return "surname last" if _SURNAME_LAST.fullmatch(name) and len(name.split()) <= 5 else ""


def _may_be_alone(name: str) -> bool:
    """Whether one name without given names may stand for an author: `Howard`, `OpenAI`."""
    return not _holds_title_word(name) and bool(_ALONE.fullmatch(name) or _ORGANISATION.fullmatch(name))


def _holds_title_word(name: str) -> bool:
    return any(len(word) > 1 and word.casefold() in _NO_NAMES for word in name.replace(".", " ").split())


def _inverted(parts: list[str]) -> tuple[str, ...] | None:
    """The names in `Surname, Given, Surname, Given …`; after the first they may come as `Given Surname`."""
    if len(parts) < 2 or not _ALONE.fullmatch(parts[0]) or not _GIVEN.fullmatch(parts[1]):
        return None
    if not _ONLY_INITIALS.fullmatch(parts[1]) and len(parts[0].split()) > 1:
        return None
    names = list(_pairs(parts))
    return None if any(not name or _holds_title_word(name) for name in names) else tuple(names)


def _pairs(parts: list[str]) -> Iterator[str]:
    rest = parts
    while rest:
        if len(rest) > 1 and _ALONE.fullmatch(rest[0]) and _is_given(rest):
            yield f"{rest[0]}, {rest[1]}"
            rest = rest[2:]
        else:
            yield rest[0] if _SURNAME_LAST.fullmatch(rest[0]) else ""
            rest = rest[1:]


def _is_given(rest: list[str]) -> bool:
    return bool(_ONLY_INITIALS.fullmatch(rest[1])) or (len(rest[0].split()) == 1 and bool(_GIVEN.fullmatch(rest[1])))


def surname_first(name: str) -> tuple[str, str]:
    """Surname and given names of an author whose name shows which is which; else the name, unsplit, and ""."""
    if "," in name:
        surname, _, given = name.partition(",")
        return surname.strip(), given.strip()
    found = None if _CHINESE.fullmatch(name) else _SURNAME_FIRST.fullmatch(name) or _SURNAME_LAST.fullmatch(name)
    return (found["surname"], found["given"]) if found else (name, "")
