"""The names that cards go by, and where a text says one of them: what makes a mention a link.

Names are found in one pass over a text, word by word down a tree of all names; of two, the longer one. A Latin name
stands alone: `MobileNet` is not in `MobileNetV2`, nor in `MobileNet-V2`, `SE-MobileNet` or `Shallow MobileNet`; in
`MobileNet-224`, `MobileNets` and `用MobileNet的` it is. A name that could be a common word (Adam, ViT) counts only as
it is spelled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import NamedTuple, TypeVar, cast

from kb.markdown_rules.characters import is_cjk
from kb.records import Card

T = TypeVar("T")

_RUN = re.compile(r"[A-Za-z0-9_\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff]+|\S")
_WORD = r"A-Za-z0-9_\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
LONGEST = 160  # characters of a name or title that texts may mention
_VERSION = re.compile(r"(?<=[A-Za-z])[- ]?(?=[Vv]\d+\Z)")
_SIZES = "Tiny|Small|Medium|Base|Large|Huge|Giant|Nano|Mini"
# What makes a longer name of the one before it: a version, another word, a plus; a size or a variant does not.
_GOES_ON = re.compile(
    rf"[-‐ ]?[Vv]\d|[- ]\d(?!\d)|-(?!(?:{_SIZES})\b)[A-Z][A-Za-z]{{2,}}|\+(?![{_WORD}])"
    rf"|[.@/\\][{_WORD}.]{{0,60}}\.[{_WORD}]|[.@]\w"
)
_JOINED_BEFORE = re.compile(r"[-‐@#&~\\^]\Z|\w\.\Z|(?:[./~]|\.[\w-]+/(?:[\w.-]+/)*)\Z")
_CAPITALISED = re.compile(r"(?<![^\s(（“\"'‘\[])([A-Z][\w’'-]*) \Z")
# Words that may stand before a name with a capital, because a sentence or a title begins with them.
_NOT_OF_A_NAME = frozenset(
    """a above across adding after all also although an and another any applying are as at based because before behind
    below besides beyond both but by can combining compared comparing consider contrary did do does each either even
    every existing extending few first following for from furthermore given hence here how however if in instead into
    is its later lastly like many moreover most much my neither no nor not note of on once one only or original other
    our out over plain previously recently replacing said second see several similar similarly since so some standard
    starting such than that the their then there these they third this those though through thus to today together two
    under unlike until up upon use used using vanilla via was we were what when where whereas whether which while whose
    why with within without yet""".split()  # noqa: SIM905 - the lines group
)
_NUMBER = r"(?P<number>\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?!\d)"
_ARXIV = re.compile(
    rf"(?<![\w./])(?:arXiv\s*[:：]?\s*|(?:https?://)?(?:www\.)?arxiv\.org/(?:abs|pdf|html)/){_NUMBER}(?:\.pdf)?",
    re.IGNORECASE,
)
_DOI = re.compile(
    r"(?<![\w./])(?:(?:https?://)?(?:dx\.)?doi\.org/|doi\s*[:：]\s*)?(?P<doi>10\.\d{4,9}/[!#-+\--:=?-Z_a-z~]*[A-Za-z0-9])",
    re.IGNORECASE,
)
_PREPRINT = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)
_CITED = re.compile(r"(?<=[\[; ])-?@\{?(?P<key>[^\s,;\]}{@]+)")
_CITE = re.compile(r"\\[a-z]{0,20}cite[a-z]{0,20}\*?(?:\[[^\]]{0,200}\]){0,2}\{(?P<keys>[^{}]{0,2000})\}")
_KEY = re.compile(r"[^\s,]+")
_OFF = frozenset({"false", "no", "off", "none", "否", "无", "关"})


class Name(NamedTuple):
    """One way to name a card's paper."""

    text: str
    citekey: str
    exact: bool  # whether case matters
    is_key: bool = False


class Found(NamedTuple):
    """Where a text names a paper: a card's citekey, or, where there is no card, what it was named by."""

    start: int
    end: int
    target: str
    has_card: bool = True
    by_name: bool = True  # not by a number or a key


@dataclass(slots=True)
class _Node:
    names: list[Name] = dataclass_field(default_factory=list)
    branches: dict[str, _Node] = dataclass_field(default_factory=dict)


class Names:
    """All names of a set of cards, made once. What is found in a text depends on the text and on these alone."""

    def __init__(self, cards: Iterable[Card], is_citekey: Callable[[str], object] = bool) -> None:
        self._cards = tuple(cards)
        self._is_citekey = is_citekey
        self._kept: dict[int, tuple[Card, object]] = {}

    @cached_property
    def facts(self) -> tuple[object, ...]:
        """All that names are made of: two tables with the same facts find the same."""
        return tuple(
            (card.citekey, card.name, card.aliases, card.citation.title, card.path, dict(card.links), _mentions(card))
            for card in self._cards
        )

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What readers call each card's paper, by citekey."""
        return {card.citekey: card.name or card.citekey for card in reversed(self._cards)}

    @cached_property
    def by_path(self) -> Mapping[str, str]:
        """The citekey of the first card in each note."""
        return {card.path: card.citekey for card in reversed(self._cards)}

    def resolve(self, target: str) -> str | None:
        """The citekey that a wiki link leads to: by citekey, else by alias, else by name or title."""
        return self._targets.get(folded(target))

    def planned(self, text: str) -> str | None:
        """What to call a paper that has no card, if a text plainly names one: by a citekey, an arXiv number, a DOI."""
        text = text.strip()
        found = next(self._numbers(text), None)
        if found and found.end - found.start == len(text):
            return None if found.has_card else found.target
        return text if self._is_citekey(text) and not self.resolve(text) else None

    def find(self, text: str) -> list[Found]:
        """Where a text names papers, in its order; where one name is within another, the longer one."""
        found = sorted(
            (*self._numbers(text), *self._keys(text), *self._names(text)), key=lambda each: (each.start, -each.end)
        )
        return list(_apart(found))

    def put(self, card: Card, made: object) -> None:
        """Take what was made of a card and these names before."""
        self._kept[id(card)] = (card, made)

    def keep(self, card: Card, work: Callable[[Card, Names], T]) -> T:
        """What a function makes of a card and these names, worked out once for each card."""
        kept = self._kept.get(id(card))
        if kept is None or kept[0] is not card:
            kept = self._kept[id(card)] = (card, work(card, self))
        return cast(T, kept[1])

    # ------------------------------------------------------------------------------------------ numbers and keys

    def _numbers(self, text: str) -> Iterator[Found]:
        if "10." in text:
            for doi in _DOI.finditer(text):
                if target := _of_doi(doi):
                    yield self._numbered(doi.start(), doi.start() + len(doi[0]), target)
        for number in _ARXIV.finditer(text) if "arx" in text.lower() else ():
            yield self._numbered(number.start(), number.end(), f"arXiv:{number['number']}")

    def _numbered(self, start: int, end: int, target: str) -> Found:
        citekey = self._by_number.get(target.casefold())
        return Found(start, end, citekey or target, bool(citekey), by_name=False)

    def _keys(self, text: str) -> Iterator[Found]:
        """Citations as Pandoc and LaTeX write them: `[@key; @other]`, `\\cite{key, other}`."""
        cited = [] if "@" not in text else [(each["key"], each.start("key")) for each in _CITED.finditer(text)]
        for group in _CITE.finditer(text) if "cite" in text else ():
            cited += [(key[0], group.start("keys") + key.start()) for key in _KEY.finditer(group["keys"])]
        for written, start in cited:
            key = written.rstrip(".:")
            citekey = self._by_key.get(key.casefold())
            if citekey or self._is_citekey(key):
                yield Found(start, start + len(key), citekey or key, bool(citekey), by_name=False)

    # ----------------------------------------------------------------------------------------------------- names

    def _names(self, text: str) -> Iterator[Found]:
        words, known = list(map(str.lower, _RUN.findall(text))), self._tree.branches
        begun = [place for place, word in enumerate(words) if word in known]
        candidates = {place: names for place in begun if (names := self._candidates(words, place))}
        starts, end = [run.start() for run in _RUN.finditer(text)] if candidates else [], 0
        for place, names in candidates.items():
            start = starts[place]
            name = next((each for each in reversed(names) if _is_at(each, text, start)), None) if start >= end else None
            if name:
                end = start + len(name.text)
                yield Found(start, end, name.citekey)

    def _candidates(self, words: Sequence[str], place: int) -> list[Name]:
        """The names whose words stand at a place, the longest last."""
        names: list[Name] = []
        node = self._tree.branches.get(words[place])
        while node:
            names += node.names
            place += 1
            node = node.branches.get(words[place]) if place < len(words) else None
        return names

    @cached_property
    def _tree(self) -> _Node:
        """The names by their words, one level for each."""
        tree = _Node()
        for name in self._unambiguous():
            node = tree
            for run in _RUN.finditer(name.text):
                node = node.branches.setdefault(run[0].lower(), _Node())
            node.names.append(name)
        return tree

    def _unambiguous(self) -> Iterator[Name]:
        """The names that stand for one paper alone; of two spellings of a name, the one that a card has itself."""
        found: dict[str, list[Name]] = {}
        for spell in (_own_names, _spellings):
            earlier = frozenset(found)
            for card in self._cards:
                for name in spell(card):
                    if name.text.lower() not in earlier:
                        found.setdefault(name.text.lower(), []).append(name)
        for names in found.values():
            if len({name.citekey for name in names}) == 1:
                yield names[0]

    # --------------------------------------------------------------------------------------------------- indexes

    @cached_property
    def _by_key(self) -> Mapping[str, str]:
        return {key.casefold(): card.citekey for card in self._cards for key in (*card.aliases, card.citekey)}

    @cached_property
    def _targets(self) -> Mapping[str, str]:
        names = [(name, card) for card in self._cards for name in (card.citation.title, card.name)]
        names += [(alias, card) for card in self._cards for alias in card.aliases]
        names += [(card.citekey, card) for card in self._cards]
        return {folded(name): card.citekey for name, card in names if name}

    @cached_property
    def _by_number(self) -> Mapping[str, str]:
        numbered = ((numbers(card.links.get("arxiv", ""), card.links.get("doi", "")), card) for card in self._cards)
        return {number.casefold(): card.citekey for found, card in numbered for number in found}


def folded(name: str) -> str:
    """A name without what makes no difference in a link: width, case, runs of spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def numbers(arxiv: str, doi: str) -> Iterator[str]:
    """An arXiv number and a DOI, as fields give them, in the form that papers are named by."""
    if number := re.search(_NUMBER, arxiv, re.IGNORECASE):
        yield f"arXiv:{number['number']}"
    if found := _DOI.search(doi):
        yield _of_doi(found) or f"doi:{found['doi']}"


def field(card: Card, *keys: str) -> str | list[str] | None:
    """A field of the head that is none of kb's own, under one of its names: a text, or a list of texts."""
    for key, value in card.extra.items():
        if re.sub(r"[-_\s]+", " ", key).strip().casefold() in keys:
            return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)
    return None


def listed(card: Card, *keys: str) -> list[str]:
    """The items of such a field; brackets and quotes around them are no part of them."""
    value = field(card, *keys)
    items = re.split(r"[,，、;；]", value) if isinstance(value, str) else value or []
    return [item for each in items if (item := each.strip(" \t[]“”\"'"))]


def is_off(value: str) -> bool:
    """Whether a field says no."""
    return value.strip().casefold() in _OFF


def _own_names(card: Card) -> Iterator[Name]:
    yield Name(card.citekey, card.citekey, exact=True, is_key=True)
    if is_off(_mentions(card)):
        return
    title = card.citation.title
    if len(title) <= LONGEST and (len(title.split()) > 3 or sum(map(is_cjk, title)) > 5):
        yield Name(title, card.citekey, exact=True)
    for text in (card.name, *card.aliases):
        text = " ".join(text.split())
        if 1 < len(text) <= LONGEST and not text.isdigit():
            yield Name(text, card.citekey, _is_common(text))


def _mentions(card: Card) -> str:
    """Whether other texts may name a card by its names: `mentions: no` in its head."""
    said = field(card, "mentions", "提及")
    return said if isinstance(said, str) else ""


def _spellings(card: Card) -> Iterator[Name]:
    """Other spellings of a card's names: MobileNet-V2 and MobileNet V2 for MobileNetV2, and the plural of a name."""
    for name in _own_names(card):
        if name.is_key or " " in name.text:
            continue
        for joint in ("", "-", " "):
            spelled = _VERSION.sub(joint, name.text)
            if spelled != name.text:
                yield name._replace(text=spelled)
        if name.text[-1].isalpha() and name.text[-1].isascii() and name.text[-1] not in "sS":
            yield name._replace(text=f"{name.text}s")


def _is_common(text: str) -> bool:
    """Whether a name is short, or has nothing that a common word has not: a digit, a hyphen, a capital within it."""
    return len(text) < 5 or not re.search(r"\d|\w[-+/ ]\w|[a-z][A-Z]|[A-Z]{3}", text)


def _is_at(name: Name, text: str, start: int) -> bool:
    end = start + len(name.text)
    there = text[start:end]
    if there != name.text and (name.exact or there.lower() != name.text.lower()):
        return False
    return _is_whole(name.text, text, end) and (name.is_key or _is_alone(name.text, text, start, end))


def _is_whole(name: str, text: str, end: int) -> bool:
    """Whether the word at a name's end ends there."""
    return not (re.match(f"[{_WORD}]", name[-1]) and re.match(f"[{_WORD}]", text[end : end + 1]))


def _is_alone(name: str, text: str, start: int, end: int) -> bool:
    """Whether a Latin name is no part of a longer name."""
    if is_cjk(name[0]) and is_cjk(name[-1]):
        return True
    before = text[max(start - 60, 0) : start]
    word = _CAPITALISED.search(before)
    within = word and word[1].lower() not in _NOT_OF_A_NAME
    return not (within or _JOINED_BEFORE.search(before) or _GOES_ON.match(text, end))


def _of_doi(found: re.Match[str]) -> str:
    """What a DOI names; a bare one without letters may be a sum."""
    preprint = _PREPRINT.fullmatch(found["doi"])
    if preprint:
        return f"arXiv:{re.sub(r'v[0-9]+$', '', preprint[1])}"
    is_bare = found.start("doi") == found.start()
    return "" if is_bare and not re.search("[A-Za-z]", found["doi"]) else f"doi:{found['doi'].lower()}"


def _apart(found: Iterable[Found]) -> Iterator[Found]:
    end = 0
    for each in found:
        if each.start >= end:
            end = each.end
            yield each
