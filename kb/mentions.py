"""Which other papers a card names, by a link, a number or a name, and in which sentence.

Found in what readers see: a paragraph, a list item or a table's row at a time. Never in code, formulas, addresses.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

from markdown_it.token import Token

from kb.anchors import INTRO, section_anchors
from kb.expressions import MARKS
from kb.markdown import parse, readable
from kb.markdown_rules import html
from kb.markdown_rules.characters import is_cjk
from kb.markdown_rules.reading import as_text, tex_as_text
from kb.names import Found, Names, listed
from kb.records import Card, Reference, ReferenceKind
from kb.sentences import sentence_at, shortened
from kb.tables import MODELS_SECTION

MENTION = "mention"  # the type of a token for a name that becomes a link
_OPAQUE = frozenset({"code_inline", "math_inline", "math_display", "image"})
_LONGEST_FORMULA = 60
_SHOWN_FOR_OPAQUE = "x"  # as if it were a word: what touches a formula is no name by itself
_BETWEEN_CELLS = " · "
_ALL = frozenset({"all", "全部", "所有"})


@dataclass(slots=True)
class Piece:
    """A run of a unit's text. `token` is that of a text in which a name may become a link."""

    text: str
    line: int
    token: Token | None = None
    opaque: bool = False  # a formula, code, an address: nothing is named in it
    link: tuple[ReferenceKind, str] | None = None  # an explicit link's kind and target, with its first piece


class Named(NamedTuple):
    """A paper that a unit names: where, and the piece that it is within."""

    found: Found
    kind: ReferenceKind
    piece: Piece


class Unit:
    """A paragraph, list item, heading or table row, as readers see it."""

    def __init__(self, pieces: Sequence[Piece], *, is_heading: bool = False) -> None:
        self.pieces = [piece for piece in pieces if piece.text or piece.link]
        self.is_heading = is_heading
        self.text = "".join(piece.text for piece in self.pieces)
        self._mask = "".join(_SHOWN_FOR_OPAQUE * len(each.text) if each.opaque else each.text for each in self.pieces)

    def named(self, names: Names, own: Callable[[str], str | None]) -> Iterator[Named]:
        """The papers that it names, in its order. `own` gives the citekey for the target of a link to a note."""
        found = [] if self.is_heading else names.find(self._mask)
        start = 0
        for piece in self.pieces:
            end = start + len(piece.text)
            if piece.link:
                yield from _linked(piece, start, end, names, own)
            if not piece.opaque and not (piece.link and piece.link[0] == "wiki"):
                within = (each for each in found if start <= each.start and each.end <= end)
                yield from (Named(each, "mention" if each.by_name else "citation", piece) for each in within)
            start = end

    def sentence(self, found: Found) -> str:
        """The sentence that a name stands in, as plain text."""
        first, last = sentence_at(self._mask, found.start, found.end)
        return shortened(self.text[first:last], found.start - first, found.end - first)


def _linked(piece: Piece, start: int, end: int, names: Names, own: Callable[[str], str | None]) -> Iterator[Named]:
    """What an explicit link names: a card, a paper that has none yet, or nothing."""
    kind, target = piece.link or ("wiki", "")
    if kind == "wiki":
        citekey, planned = names.resolve(target), names.planned(target)
    else:
        known = next(iter(names.find(target)), None) if "//" in target else None
        citekey = known.target if known and known.has_card else own(target)
        planned = known.target if known and not known.has_card else None
    if citekey or planned:
        yield Named(Found(start, end, citekey or planned or "", bool(citekey), by_name=False), kind, piece)


# ------------------------------------------------------------------------------------------------------- reading


def units(tokens: Iterable[Token], names: Names) -> Iterator[Unit]:
    """The units of a parsed text, in its order."""
    line, heading = 0, False
    row: list[Piece] | None = None
    for token in tokens:
        line = token.map[0] if token.map else line
        if token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield Unit(row)
            row = None
        elif token.type == "inline":
            pieces = list(_Reader(names, line).pieces(token.children or ()))
            if row is None:
                yield Unit(pieces, is_heading=heading)
            else:
                row += ([Piece(_BETWEEN_CELLS, line)] if row and pieces else []) + pieces


class _Reader:
    """Reads the tokens of one line of text, which may run over several lines of the source."""

    def __init__(self, names: Names, line: int) -> None:
        self._names = names
        self._line = line
        self._link: Token | None = None
        self._closed = 0  # depth of tags in which nothing becomes a link

    def pieces(self, tokens: Sequence[Token]) -> Iterator[Piece]:
        for place, token in enumerate(tokens):
            read = getattr(self, f"_{token.type}", None)
            if token.type in _OPAQUE:
                yield Piece(_shown(token), self._line, opaque=True)
            elif read:
                yield from read(token, tokens, place)

    def _text(self, token: Token, *_: object) -> Iterator[Piece]:
        is_address = self._link is not None and self._link.info == "auto"
        free = self._link is None and not self._closed
        yield Piece(token.content, self._line, token if free else None, is_address or self._closed > 0)

    def _softbreak(self, _: Token, tokens: Sequence[Token], place: int) -> Iterator[Piece]:
        around = [tokens[at].content for at in (place - 1, place + 1) if 0 <= at < len(tokens)]
        joined = len(around) == 2 and is_cjk(around[0][-1:] or " ") and is_cjk(around[1][:1] or " ")
        yield Piece("" if joined else " ", self._line)
        self._line += 1

    _hardbreak = _softbreak

    def _wiki_link(self, token: Token, tokens: Sequence[Token], place: int) -> Iterator[Piece]:
        target = token.meta["target"].partition("#")[0].strip()
        before = tokens[place - 1].content if place else ""
        shown = token.meta["text"] or key_or_name(before, target, self._names)
        yield Piece(shown or token.content, self._line, link=("wiki", target) if target else None)

    def _link_open(self, token: Token, *_: object) -> Iterator[Piece]:
        self._link = token
        yield Piece("", self._line, link=("link", readable(str(token.attrs["href"]))))

    def _link_close(self, *_: object) -> Iterator[Piece]:
        self._link = None
        return iter(())

    def _html_inline(self, token: Token, *_: object) -> Iterator[Piece]:
        for tag in html.pieces(token.content):
            if isinstance(tag, html.Tag) and tag.name in html.CODE_TAGS | {"a"}:
                self._closed = max(self._closed + (-1 if tag.closing else 1), 0)
        return iter(())


def _shown(token: Token) -> str:
    """A formula, a piece of code or a picture as a word or so of a sentence."""
    if token.type == "image":
        return as_text([token])
    if token.type == "code_inline":
        return "…" if token.content.startswith(MARKS) else token.content
    shown = tex_as_text(token.content)
    return shown if shown and len(shown) <= _LONGEST_FORMULA else "…"


# ---------------------------------------------------------------------------------------------------- references


def references(card: Card, names: Names) -> tuple[Reference, ...]:
    """The papers that a card names, one for each sentence: cards by their keys, and papers that have no card yet."""
    found: dict[tuple[str, str, str], Reference] = {}
    for each in (*_declared(card, names), *_in_text(card, names)):
        if each.target != card.citekey:
            key = (each.target, each.section, each.sentence)
            earlier = found.setdefault(key, each)
            if earlier.kind == "mention":
                found[key] = each
    return tuple(found.values())


def _in_text(card: Card, names: Names) -> Iterator[Reference]:
    unlinked, own = unlinked_names(card), note_finder(card, names)
    for anchor, text, first_line in parts(card):
        for unit in units(parse(text, card.definitions), names):
            for found, kind, piece in unit.named(names, own):
                if kind == "mention" and unlinked(unit.text[found.start : found.end]):
                    continue
                sentence, line = unit.sentence(found), first_line + piece.line
                yield Reference(card.citekey, card.lang, found.target, kind, anchor, line, sentence, found.has_card)


def parts(card: Card) -> Iterator[tuple[str, str, int]]:
    """The texts of a card in which it names papers: anchor, Markdown, first line. What its labels name are models."""
    if card.intro.strip():
        yield INTRO, card.intro, card.intro_line
    for section, anchor in zip(card.sections, section_anchors(card), strict=True):
        if section.id != MODELS_SECTION:
            yield anchor, section.markdown, section.line + 1


def _declared(card: Card, names: Names) -> Iterator[Reference]:
    """The papers of a head's `builds on` and `to read` lines."""
    for text in (*foundations(card), *listed(card, "to read", "待读")):
        citekey = names.resolve(text)
        target = citekey or names.planned(text) or text
        yield Reference(card.citekey, card.lang, target, "declared", "", card.line, "", bool(citekey))


def foundations(card: Card) -> list[str]:
    """What a card says itself that its paper builds on."""
    return listed(card, "builds on", "based on", "基于", "建立在")


def unlinked_names(card: Card) -> Callable[[str], bool]:
    """Whether a name is to stay text in a card: `no links: Adam, ViT` in its head, or `no links: all`."""
    words = {word.casefold() for word in listed(card, "no links", "no link", "不链接")}
    return lambda name: bool(words & _ALL) or name.casefold() in words


def note_finder(card: Card, names: Names) -> Callable[[str], str | None]:
    """Which card a link to a note beside this card's leads to."""
    folder = posixpath.dirname(card.path)
    return lambda target: names.by_path.get(posixpath.normpath(posixpath.join(folder, urlsplit(target).path)))


# ------------------------------------------------------------------------------------------------------- linking


def link_mentions(tokens: Sequence[Token], card: Card, names: Names) -> None:
    """Make a link of the first mention of each other card in a section, unless it is linked there already.

    To be called with tokens that nobody else reads. A mention becomes a token of type `mention`.
    """
    _tell_apart(tokens, names)
    linked = {card.citekey}
    unlinked, own = unlinked_names(card), note_finder(card, names)
    for unit in units(tokens, names):
        named = list(unit.named(names, own))
        linked |= {each.found.target for each in named if each.kind in ("wiki", "link")}
        chosen: list[Named] = []
        for each in named:
            found, text = each.found, unit.text[each.found.start : each.found.end]
            if found.has_card and each.piece.token and found.target not in linked and not unlinked(text):
                linked.add(found.target)
                chosen.append(each)
        _put_links(unit, chosen)


def _tell_apart(tokens: Sequence[Token], names: Names) -> None:
    """Give the links by key their texts."""
    for block in tokens:
        for before, link in pairwise(block.children or ()):
            if link.type == "wiki_link" and not link.meta["text"]:
                link.meta["text"] = key_or_name(before.content, link.meta["target"], names)


def key_or_name(before: str, target: str, names: Names) -> str:
    """What a link by key shows: the paper's name, but the key after the name itself, as in `ResNet ([[He2016CVPR]])`."""
    name = names.titles.get(target, "")
    return target if name and before.rstrip(" (（[").endswith(name) else name


def _put_links(unit: Unit, chosen: Sequence[Named]) -> None:
    start = 0
    for piece in unit.pieces:
        here = [each.found for each in chosen if each.piece is piece]
        if here and piece.token:
            piece.token.children = list(
                _split(piece.text, [(each.start - start, each.end - start, each.target) for each in here])
            )
            piece.token.type = "text_with_mentions"
        start += len(piece.text)


def _split(text: str, places: Iterable[tuple[int, int, str]]) -> Iterator[Token]:
    end = 0
    for start, stop, target in places:
        yield Token("text", "", 0, content=text[end:start])
        yield Token(MENTION, "", 0, content=text[start:stop], meta={"target": target})
        end = stop
    yield Token("text", "", 0, content=text[end:])
