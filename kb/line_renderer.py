"""A line of a note's body as HTML: text, formulas, links, images, and the tags that authors may write.

Text and attributes are escaped where they are written; `bodies.render` sanitises the whole. What only the page knows
– where a link leads, what stands in a cell – is left open: a mark stands for each such gap, and `filling` fills it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Literal, NamedTuple

from markdown_it.token import Token

from kb.markdown import is_absolute, readable
from kb.markdown_rules import html
from kb.markdown_rules.characters import is_cjk
from kb.markdown_rules.reading import as_text
from kb.records import Link

_NOT_IN_SLUG = re.compile(r"[^\w-]+")
_SAFE_ADDRESS = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BodyContext:
    """What a body needs to know of its page.

    `resolve` says where the link to a card, a file or a fragment leads (None: nowhere, and its text stays); it is not
    asked about addresses outside the knowledge base. The hooks add what the page knows, as HTML: `cell` at the end of
    a table's cell (by the line of its row, and its column from 0), `table` below a table (by the line of its header).
    `code` gives the address that a code span leads to, `value` what stands in its place, such as the value of an
    expression, `name` the text of a `[[target]]` that has none.
    """

    first_line: int
    definitions: str
    prefix: str  # of all ids: unique in the page
    resolve: Callable[[Link], str | None] | None = None
    cell: Callable[[int, int], str] | None = None
    table: Callable[[int], str] | None = None
    code: Callable[[str], str | None] | None = None
    value: Callable[[str], str | None] | None = None
    name: Callable[[str], str | None] | None = None
    callout_titles: Mapping[str, str] = field(default_factory=dict)  # by kind, for callouts that have no title


class Gap(NamedTuple):
    """What the page has to fill in: the name of a method of `filling.Filler`, and its arguments."""

    kind: str
    arguments: tuple[object, ...]


class LineRenderer:
    """Renders what stands in lines. A method `on_…` for each type of token; tokens without one are plain tags."""

    def __init__(self, context: BodyContext) -> None:
        self.context = context
        self.gaps: list[Gap] = []
        self.anchors: Mapping[str, str] = {}  # the id of each of the body's headings
        self._open_links: list[str] = []  # the closing tags of the links that are open

    def render(self, token: Token) -> str:
        """The HTML of one token, and of what it holds."""
        rule: Callable[[Token], str] = getattr(self, f"on_{token.type}", _plain)
        return rule(token)

    def render_all(self, tokens: Iterable[Token]) -> str:
        """The HTML of a run of tokens."""
        return "".join(map(self.render, tokens))

    def gap(self, kind: str, *arguments: object) -> str:
        """The mark of a gap: no text holds a NUL, since the parser replaces it."""
        self.gaps.append(Gap(kind, arguments))
        return f"\0{len(self.gaps) - 1}\0"

    # Lines of text

    def on_inline(self, token: Token) -> str:
        """A line: its tokens, with line breaks between ideographs taken out, where a browser would set a space."""
        children = token.children or []
        shown = [child for child in children if child.content or child.type == "softbreak"]
        for before, middle, after in zip(shown, shown[1:], shown[2:], strict=False):
            if middle.type == "softbreak":
                middle.hidden = _touches_cjk(before, slice(-1, None)) and _touches_cjk(after, slice(1))
        return self.render_all(children)

    def on_text(self, token: Token) -> str:
        return escape(token.content, quote=False)

    def on_softbreak(self, token: Token) -> str:
        return "" if token.hidden else "\n"

    def on_hardbreak(self, _: Token) -> str:
        return "<br>\n"

    def on_math_inline(self, token: Token) -> str:
        return f'<span class="arithmatex">\\({escape(token.content, quote=False)}\\)</span>'

    def on_math_display(self, token: Token) -> str:
        tag = "div" if token.block else "span"  # within a paragraph no <div> may stand
        return f'<{tag} class="arithmatex">\\[{escape(token.content, quote=False)}\\]</{tag}>'

    def on_math_block(self, token: Token) -> str:
        return f'<div class="arithmatex">\\[{escape(token.content, quote=False)}\\]</div>\n'

    def on_code_inline(self, token: Token) -> str:
        return self.gap("code", token.content, not self._open_links)

    # Links and images

    def on_link_open(self, token: Token) -> str:
        address = str(token.attrs["href"])
        known = self._known_link("link", address)
        title = {"title": str(token.attrs["title"])} if token.attrs.get("title") else {}
        if known is not None:
            return self._open_link(known | title if known else {})
        return self._open_gap(self._link("link", address, token.meta.get("text", ""), token), title)

    def on_link_close(self, _: Token) -> str:
        return self._open_links.pop() if self._open_links else ""

    def on_wiki_link(self, token: Token) -> str:
        target, text = token.meta["target"], token.meta["text"]
        known = self._known_link("wiki", target)
        link = self._link("wiki", target, token.content, token)
        opening = self._open_gap(link, {}) if known is None else self._open_link(known)
        shown = escape(text, quote=False) if text else self.gap("name", target)
        return opening + shown + self._open_links.pop()

    def _open_link(self, attributes: dict[str, str]) -> str:
        """An opening tag; the text of a link that leads nowhere stays, marked as such."""
        opening, closing = link_tags(attributes)
        self._open_links.append(closing)
        return opening

    def _open_gap(self, link: Link, more: Mapping[str, str]) -> str:
        """The gap of an opening tag; that of the closing one follows where the link ends."""
        opening = self.gap("opening", link, more)
        self._open_links.append(self.gap("closing", len(self.gaps) - 1))
        return opening

    def _known_link(self, kind: Literal["wiki", "link"], address: str) -> dict[str, str] | None:
        """The attributes of a link whose page need not be asked: one that leads out, or to a heading of the body."""
        if kind == "link" and is_absolute(address):
            return {"href": address, "rel": "noopener"} if _SAFE_ADDRESS.match(address) else {}
        target = readable(address) if kind == "link" else address
        if target.startswith("#") and slug_of(target) in self.anchors:
            return {"href": f"#{self.anchors[slug_of(target)]}"}
        return None

    def _link(self, kind: Literal["wiki", "link", "image"], address: str, text: str, token: Token) -> Link:
        return Link(kind, address if kind == "wiki" else readable(address), text, *self._place(token))

    def _place(self, token: Token) -> tuple[int, int]:
        return self.context.first_line + token.meta.get("line", 0), token.meta.get("column", 0) + 1

    def on_image(self, token: Token) -> str:
        attributes = {key: str(value) for key, value in token.attrs.items() if key in ("title", "width")}
        return self._image(str(token.attrs["src"]), as_text([token]), attributes, token)

    def _image(self, address: str, text: str, attributes: Mapping[str, str], token: Token) -> str:
        """An image beside the note. One from elsewhere becomes a link, since pages load nothing from others."""
        if is_absolute(address):
            return self._remote_image(address, text or address)
        return self.gap("image", self._link("image", address, text, token), attributes)

    def _remote_image(self, address: str, text: str) -> str:
        words = escape(text, quote=False)
        if self._open_links or not _SAFE_ADDRESS.match(address):
            return words
        return html.write("a", {"href": address, "rel": "noopener", "class": "kb-remote-image"}) + f"{words}</a>"

    # HTML that the author wrote

    def on_html_inline(self, token: Token) -> str:
        pieces = html.pieces(token.content)
        return "".join(self._tag(piece, token) for piece in pieces if isinstance(piece, html.Tag))

    def on_html_block(self, token: Token) -> str:
        return self.render_all(token.children or ()) + "\n"

    def on_html_tag(self, token: Token) -> str:
        return self._tag(token.meta["tag"], token)

    def on_html_text(self, token: Token) -> str:
        return token.content.replace("<", "&lt;")  # its entities are the author's

    def _tag(self, tag: html.Tag, token: Token) -> str:
        if tag.closing:
            return f"</{tag.name}>"
        attributes = html.kept_attributes(tag)
        if tag.name == "img":
            source, text = attributes.pop("src", ""), attributes.pop("alt", "")
            return self._image(source, text, attributes, token) if source else ""
        if "href" not in attributes:
            return html.write(tag.name, attributes)
        address = attributes.pop("href").strip()
        known = self._known_link("link", address)
        if known is None:
            return self.gap("tag", tag.name, attributes, self._link("link", address, "", token))
        return html.write(tag.name, attributes | known)


def link_tags(attributes: Mapping[str, str]) -> tuple[str, str]:
    """The tags around a link's text; one that leads nowhere is marked as such."""
    tag = "a" if attributes else "span"
    return html.write(tag, attributes or {"class": "kb-unresolved"}), f"</{tag}>"


def slug_of(text: str) -> str:
    """A text as a part of an address: its letters and digits, of any script, and `-` between."""
    return _NOT_IN_SLUG.sub("-", text.lower()).strip("-")


def _plain(token: Token) -> str:
    """A token that is a tag and nothing else: `<strong>`, `<li>`, …."""
    if token.hidden or not token.tag:
        return ""
    newline = "\n" if token.block else ""
    if token.nesting < 0:
        return f"</{token.tag}>{newline}"
    return html.write(token.tag, {key: str(value) for key, value in token.attrs.items()})


def _touches_cjk(token: Token, end: slice) -> bool:
    return token.type == "text" and is_cjk(token.content[end] or " ")
