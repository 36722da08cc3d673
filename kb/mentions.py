"""Which other papers a card names, by a link, a number or a name, and in which sentence.

What is found depends on the card's own text and on the table of names alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple
from urllib.parse import urlsplit

from markdown_it.token import Token

from kb.inputs import digest
from kb.names import Found, Names, field, is_off, listed
from kb.prose import paragraphs
from kb.records import Card, Paragraph, Piece, Reference, ReferenceKind
from kb.sentences import sentence_at, shortened, stops

MENTION = "mention"  # the type of a token for a name that becomes a link
_LIKE_A_WORD = "x"  # what touches a formula is no name by itself
_ALL = frozenset({"all", "全部", "所有"})

FindNote = Callable[[str], str | None]  # the citekey for the target of a link to a note


class Named(NamedTuple):
    """A paper that a paragraph names: where, how, and in which of its pieces."""

    found: Found
    kind: ReferenceKind
    piece: int


class Reading:
    """A paragraph, and the papers that it names."""

    def __init__(self, paragraph: Paragraph, names: Names, note: FindNote) -> None:
        self._names, self._note = names, note
        self.pieces = paragraph.pieces
        self.section = paragraph.section
        self.texts = list(_texts(self.pieces, names))
        self.text = "".join(self.texts)
        texts = zip(self.pieces, self.texts, strict=True)
        self._mask = "".join(_LIKE_A_WORD * len(text) if piece.opaque else text for piece, text in texts)
        self.named = tuple(self._named([] if paragraph.is_heading else names.find(self._mask)))

    def sentence(self, found: Found) -> str:
        """The sentence that a name stands in, as plain text."""
        first, last = sentence_at(self._mask, self._stops, found.start, found.end)
        return shortened(self.text, first, last, found.start, found.end)

    @cached_property
    def _stops(self) -> list[int]:
        return stops(self._mask)

    def _named(self, found: Sequence[Found]) -> Iterator[Named]:
        start = at = 0
        for number, (piece, text) in enumerate(zip(self.pieces, self.texts, strict=True)):
            end, begin = start + len(text), at
            while at < len(found) and found[at].start < end:
                at += 1
            if piece.kind and (linked := self._linked(piece, start, end)):
                yield Named(linked, piece.kind, number)
            elif not piece.opaque and not piece.kind:
                within = (each for each in found[begin:at] if start <= each.start and each.end <= end)
                yield from (Named(each, "mention" if each.by_name else "citation", number) for each in within)
            start = end

    def _linked(self, piece: Piece, start: int, end: int) -> Found | None:
        """What an explicit link names: a card, a paper that has none yet, or nothing."""
        if piece.kind == "wiki":
            citekey, planned = self._names.resolve(piece.target), self._names.planned(piece.target)
        else:
            number = next(iter(self._names.find(piece.target)), None) if "//" in piece.target else None
            citekey = number.target if number and number.has_card else self._note(piece.target)
            planned = number.target if number and not number.has_card else None
        target = citekey or planned
        return Found(start, end, target, bool(citekey), by_name=False) if target else None


def _texts(pieces: Sequence[Piece], names: Names) -> Iterator[str]:
    before = ""
    for piece in pieces:
        before = piece.text or (piece.kind == "wiki" and link_text(before, piece.target, names)) or ""
        yield before


def link_text(before: str, target: str, names: Names) -> str:
    """What `[[target]]` shows: a paper's name for its key, but the key behind the name: `ResNet ([[He2016CVPR]])`."""
    name = names.titles.get(target, "")
    return target if not name or before.rstrip(" (（[").endswith(name) else name


# ---------------------------------------------------------------------------------------------------- references


class Naming(NamedTuple):
    """What a card names."""

    references: tuple[Reference, ...]  # the papers, one for each sentence: cards by their keys, or without a card yet
    trace: str  # tells everything that the names find in its text from what they found before


def naming(card: Card, names: Names) -> Naming:
    """What a card names."""
    note = partial(linked_note, card, names)
    readings = [Reading(paragraph, names, note) for paragraph in card.prose]
    found: dict[tuple[str, str, str], Reference] = {}
    for each in (*_declared(card, names), *_in_text(card, readings)):
        if each.target != card.citekey:
            key = (each.target, each.section, each.sentence)
            earlier = found.setdefault(key, each)
            if earlier.kind == "mention":
                found[key] = each
    return Naming(tuple(found.values()), digest((reading.texts, reading.named) for reading in readings)[:16])


def _in_text(card: Card, readings: Iterable[Reading]) -> Iterator[Reference]:
    unlinked = unlinked_names(card)
    for reading in readings:
        for found, kind, number in reading.named:
            if kind != "mention" or not unlinked(reading.text[found.start : found.end]):
                sentence, line = reading.sentence(found), reading.pieces[number].line
                to, has_card = found.target, found.has_card
                yield Reference(card.citekey, card.lang, to, kind, reading.section, line, sentence, has_card)


def _declared(card: Card, names: Names) -> Iterator[Reference]:
    """The papers of a head's `builds on` and `to read` lines."""
    for text in (*(declared_foundations(card) or ()), *listed(card, "to read", "待读")):
        if not is_off(text):
            citekey = names.resolve(text)
            target = citekey or names.planned(text) or text
            yield Reference(card.citekey, card.lang, target, "declared", "", card.line, "", bool(citekey))


def declared_foundations(card: Card) -> list[str] | None:
    """What a card says itself that its paper builds on; None where it says nothing of it."""
    keys = ("builds on", "based on", "基于", "建立在")
    return None if field(card, *keys) is None else listed(card, *keys)


def unlinked_names(card: Card) -> Callable[[str], bool]:
    """Whether a name is to stay text in a card: `no links: Adam, ViT` in its head, or `no links: all`."""
    words = {word.casefold() for word in listed(card, "no links", "no link", "不链接")}
    return lambda name: bool(words & _ALL) or name.casefold() in words


def linked_note(card: Card, names: Names, target: str) -> str | None:
    """The card that a link to a note leads to, as written in a card's note."""
    path = urlsplit(target).path
    return names.by_path.get(posixpath.normpath(posixpath.join(posixpath.dirname(card.path), path)))


# ------------------------------------------------------------------------------------------------------- linking


def link_mentions(tokens: Sequence[Token], card: Card, names: Names) -> None:
    """Make a link of the first mention of each other card in a section, unless it is linked there already.

    To be called with tokens that nobody else reads. A text becomes one of type `text_with_mentions`, a mention in it a
    token of type `mention`.
    """
    linked = {card.citekey}
    unlinked, note = unlinked_names(card), partial(linked_note, card, names)
    for paragraph, sources in paragraphs(tokens):
        reading = Reading(paragraph, names, note)
        linked |= {each.found.target for each in reading.named if each.kind in ("wiki", "link")}
        chosen: dict[int, list[Found]] = {}
        for found, _, number in reading.named:
            is_new = found.has_card and found.target not in linked and paragraph.pieces[number].free
            if is_new and not unlinked(reading.text[found.start : found.end]):
                linked.add(found.target)
                chosen.setdefault(number, []).append(found)
        _put_links(reading, chosen, sources)


def _put_links(reading: Reading, chosen: dict[int, list[Found]], sources: Sequence[Token | None]) -> None:
    start = 0
    for number, (text, token) in enumerate(zip(reading.texts, sources, strict=True)):
        if token and token.type == "wiki_link" and not token.meta["text"]:
            token.meta["text"] = text
        elif token and number in chosen:
            places = [(each.start - start, each.end - start, each.target) for each in chosen[number]]
            token.type, token.children = "text_with_mentions", list(_split(text, places))
        start += len(text)


def _split(text: str, places: Iterable[tuple[int, int, str]]) -> Iterator[Token]:
    end = 0
    for start, stop, target in places:
        yield Token("text", "", 0, content=text[end:start])
        yield Token(MENTION, "", 0, content=text[start:stop], meta={"target": target})
        end = stop
    yield Token("text", "", 0, content=text[end:])
