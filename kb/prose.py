"""The running text of a card as readers see it, paragraph by paragraph: what names other papers is looked for in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markdown_it.token import Token

from kb.anchors import INTRO, section_anchors
from kb.expressions import MARKS
from kb.markdown import parse, readable
from kb.markdown_rules import html
from kb.markdown_rules.characters import is_cjk
from kb.markdown_rules.reading import as_text, tex_as_text
from kb.records import Paragraph, Piece, Section
from kb.tables import MODELS_SECTION

_OPAQUE = frozenset({"code_inline", "math_inline", "math_display", "image"})
_LONGEST_FORMULA = 60
_BETWEEN_CELLS = " · "

Pieces = Iterator[tuple[Piece, Token | None]]  # with the token of a text


def prose(intro: tuple[str, int], sections: Sequence[Section], definitions: str = "") -> tuple[Paragraph, ...]:
    """The paragraphs of a card's parts. What the list of reference models names are models, and is left out."""
    parts = [(INTRO, *intro)]
    for section, anchor in zip(sections, section_anchors(sections), strict=True):
        if section.id != MODELS_SECTION:
            parts.append((anchor, section.markdown, section.line + 1))
    return tuple(
        paragraph
        for anchor, text, first_line in parts
        for paragraph, _ in paragraphs(parse(text, definitions), anchor, first_line)
    )


def paragraphs(
    tokens: Iterable[Token], section: str = "", first_line: int = 1
) -> Iterator[tuple[Paragraph, Sequence[Token | None]]]:
    """The paragraphs of a parsed text in its order, with the tokens of their pieces."""
    line, heading = 0, False
    row: list[tuple[Piece, Token | None]] | None = None
    for token in tokens:
        line = token.map[0] if token.map else line
        if token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield from _paragraph(row, section, is_heading=False)
            row = None
        elif token.type == "inline":
            pieces = list(_Reader(first_line + line).pieces(token.children or ()))
            if row is None:
                yield from _paragraph(pieces, section, is_heading=heading)
            elif pieces:
                row += [(Piece(_BETWEEN_CELLS, line), None), *pieces] if row else pieces


def _paragraph(
    pieces: Sequence[tuple[Piece, Token | None]], section: str, *, is_heading: bool
) -> Iterator[tuple[Paragraph, Sequence[Token | None]]]:
    if pieces:
        yield Paragraph(section, tuple(piece for piece, _ in pieces), is_heading), [token for _, token in pieces]


class _Reader:
    """Reads the tokens of one line of text, which may run over several lines of the source."""

    def __init__(self, line: int) -> None:
        self._line = line
        self._link: Token | None = None
        self._closed = 0  # depth of tags in which nothing becomes a link

    def pieces(self, tokens: Sequence[Token]) -> Pieces:
        for place, token in enumerate(tokens):
            read = getattr(self, f"_{token.type}", None)
            if token.type in _OPAQUE:
                yield Piece(_shown(token), self._line, opaque=True), None
            elif token.type in ("softbreak", "hardbreak"):
                yield Piece("" if _is_joined(tokens, place) else " ", self._line), None
                self._line += 1
            elif read:
                yield from read(token)

    def _text(self, token: Token) -> Pieces:
        is_address = self._link is not None and self._link.info == "auto"
        free = self._link is None and not self._closed
        yield Piece(token.content, self._line, free, opaque=is_address or self._closed > 0), token if free else None

    def _wiki_link(self, token: Token) -> Pieces:
        target = token.meta["target"].partition("#")[0].strip()
        text = token.meta["text"] if target else token.content
        yield Piece(text, self._line, kind="wiki" if target else "", target=target), token

    def _link_open(self, token: Token) -> Pieces:
        self._link = token
        yield Piece("", self._line, kind="link", target=readable(str(token.attrs["href"]))), None

    def _link_close(self, _: Token) -> Pieces:
        self._link = None
        return iter(())

    def _html_inline(self, token: Token) -> Pieces:
        for tag in html.pieces(token.content):
            if isinstance(tag, html.Tag) and tag.name in html.CODE_TAGS | {"a"}:
                self._closed = max(self._closed + (-1 if tag.closing else 1), 0)
        return iter(())


def _is_joined(tokens: Sequence[Token], place: int) -> bool:
    """Whether a line break stands between ideographs, where no space is meant."""
    around = [tokens[at].content for at in (place - 1, place + 1) if 0 <= at < len(tokens)]
    return len(around) == 2 and is_cjk(around[0][-1:] or " ") and is_cjk(around[1][:1] or " ")


def _shown(token: Token) -> str:
    """A formula, a piece of code or a picture as a word or so of a sentence."""
    if token.type == "image":
        return as_text([token])
    if token.type == "code_inline":
        return "…" if token.content.startswith(MARKS) else token.content
    shown = tex_as_text(token.content)
    return shown if shown and len(shown) <= _LONGEST_FORMULA else "…"
