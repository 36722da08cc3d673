"""A line of a note's body as HTML: text, formulas, links, images, and the tags that authors may write.

Text and attributes are escaped where they are written; `bodies.render` sanitises the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from markdown_it.token import Token

from kb.markdown import is_absolute, readable
from kb.markdown_rules import html
from kb.markdown_rules.characters import is_cjk
from kb.markdown_rules.reading import as_text
from kb.records import Link

ENLARGED = 320  # pixels: an image that is wider can be enlarged
_NOT_IN_SLUG = re.compile(r"[^\w-]+")
_SAFE_ADDRESS = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BodyContext:
    """What a body needs to know of its page.

    `resolve` says where the link to a card, a file or a fragment leads (None: nowhere, and its text stays); it is not
    asked about addresses outside the knowledge base. The hooks add what the page knows, as HTML: `cell` at the end of
    a table's cell (by the line of its row, and its column from 0), `table` below a table (by the line of its header).
    `code` gives the address that a code span leads to, `value` what stands in its place, such as the value of an
    expression, `name` the text of a `[[target]]` that has none, `figure` what stands for an image (by its address and
    its alternative text) that is a runnable figure. `mentions` makes links of what a text names, by giving its tokens
    children of type `mention`. `size` gives an image's width and height, which keep its place free. `labels` are words
    of ours: of tasks that are `done` or `open`, and to `close` an enlarged image.
    """

    first_line: int
    definitions: str
    prefix: str  # of all ids: unique in the page
    resolve: Callable[[Link], str | None]
    cell: Callable[[int, int], str] | None = None
    table: Callable[[int], str] | None = None
    code: Callable[[str], str | None] | None = None
    value: Callable[[str], str | None] | None = None
    name: Callable[[str], str | None] | None = None
    mentions: Callable[[Sequence[Token]], None] | None = None
    size: Callable[[str], tuple[int, int] | None] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    figure: Callable[[str, str], str | None] | None = None
    callout_titles: Mapping[str, str] = field(default_factory=dict)  # by kind, for callouts that have no title


class LineRenderer:
    """Renders what stands in lines. A method `on_…` for each type of token; tokens without one are plain tags."""

    def __init__(self, context: BodyContext) -> None:
        self.context = context
        self.anchors: Mapping[str, str] = {}  # the id of each of the body's headings
        self._open_links: list[str] = []  # the closing tags of the links that are open

    def render(self, token: Token) -> str:
        """The HTML of one token, and of what it holds."""
        rule: Callable[[Token], str] = getattr(self, f"on_{token.type}", _plain)
        return rule(token)

    def render_all(self, tokens: Iterable[Token]) -> str:
        """The HTML of a run of tokens."""
        return "".join(map(self.render, tokens))

    # Lines of text

    def on_inline(self, token: Token) -> str:
        """A line: its tokens, with line breaks between ideographs taken out, where a browser would set a space."""
        children = token.children or []
        if len(children) == 1:
            children[0].meta["alone"] = True
        shown = [child for child in children if child.content or child.type == "softbreak"]
        for before, middle, after in zip(shown, shown[1:], shown[2:], strict=False):
            if middle.type == "softbreak":
                middle.hidden = _touches_cjk(before, slice(-1, None)) and _touches_cjk(after, slice(1))
        return self.render_all(children)

    def on_text(self, token: Token) -> str:
        return escape(token.content, quote=False)

    def on_text_with_mentions(self, token: Token) -> str:
        return self.render_all(token.children or ())

    def on_mention(self, token: Token) -> str:
        """The name of another card, which leads there."""
        address = self.context.resolve(Link("wiki", token.meta["target"], token.content, *self._place(token)))
        text = self.on_text(token)
        return html.write("a", {"href": address, "class": "kb-mention"}) + f"{text}</a>" if address else text

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
        value = self.context.value(token.content) if self.context.value else None
        shown = value or f"<code>{escape(token.content, quote=False)}</code>"
        address = self.context.code(token.content) if self.context.code and not self._open_links else None
        return f'<a href="{escape(address)}">{shown}</a>' if address else shown

    # Links and images

    def on_link_open(self, token: Token) -> str:
        address = str(token.attrs["href"])
        attributes = self._link_attributes("link", address, token.meta.get("text", ""), token)
        if attributes and token.attrs.get("title"):
            attributes["title"] = str(token.attrs["title"])
        return self._open_link(attributes)

    def on_link_close(self, _: Token) -> str:
        return self._open_links.pop() if self._open_links else ""

    def on_wiki_link(self, token: Token) -> str:
        target, text = token.meta["target"], token.meta["text"]
        attributes = self._link_attributes("wiki", target, token.content, token)
        shown = text or (self.context.name and self.context.name(target)) or target
        return self._open_link(attributes) + escape(shown, quote=False) + self._open_links.pop()

    def _open_link(self, attributes: dict[str, str]) -> str:
        """An opening tag; the text of a link that leads nowhere stays, marked as such."""
        tag = "a" if attributes else "span"
        self._open_links.append(f"</{tag}>")
        return html.write(tag, attributes or {"class": "kb-unresolved"})

    def _link_attributes(self, kind: Literal["wiki", "link"], address: str, text: str, token: Token) -> dict[str, str]:
        """Where a link leads, as attributes; none if it leads nowhere."""
        if kind == "link" and is_absolute(address):
            return {"href": address, "rel": "noopener"} if _SAFE_ADDRESS.match(address) else {}
        target = readable(address) if kind == "link" else address
        if target.startswith("#") and slug_of(target) in self.anchors:
            return {"href": f"#{self.anchors[slug_of(target)]}"}
        resolved = self.context.resolve(Link(kind, target, text, *self._place(token)))
        return {} if resolved is None else {"href": resolved}

    def _place(self, token: Token) -> tuple[int, int]:
        return self.context.first_line + token.meta.get("line", 0), token.meta.get("column", 0) + 1

    def on_image(self, token: Token) -> str:
        attributes = {key: str(value) for key, value in token.attrs.items() if key in ("title", "width")}
        return self._image(str(token.attrs["src"]), as_text([token]), attributes, token)

    def _image(self, address: str, text: str, attributes: Mapping[str, str], token: Token) -> str:
        """An image beside the note. One from elsewhere becomes a link, since pages load nothing from others."""
        figure = self.context.figure(readable(address), text) if self.context.figure else None
        if figure is not None:
            return figure
        if is_absolute(address):
            return self._remote_image(address, text or address)
        resolved = self.context.resolve(Link("image", readable(address), text, *self._place(token)))
        if resolved is None:
            return f'<span class="kb-unresolved">{escape(text or readable(address), quote=False)}</span>'
        size = self.context.size(readable(address)) if self.context.size else None
        caption = attributes.get("title", "") if token.meta.get("alone") and not self._open_links else ""
        shown = {key: value for key, value in attributes.items() if key != "title" or not caption}
        image = html.write("img", {"src": resolved, "alt": text, **_with_size(shown, size), "loading": "lazy"})
        if size and size[0] > ENLARGED and not self._open_links:
            link = {"class": "kb-zoom", "href": resolved, "data-kb-close": self.context.labels.get("close", "")}
            image = html.write("a", link) + f"{image}</a>"
        return image + (f'<span class="kb-caption">{escape(caption, quote=False)}</span>' if caption else "")

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
        if "href" in attributes:
            address = attributes.pop("href").strip()
            attributes |= self._link_attributes("link", address, "", token)
        return html.write(tag.name, attributes)


def _with_size(attributes: Mapping[str, str], size: tuple[int, int] | None) -> dict[str, str]:
    """An image's attributes with its size, in proportion to a width that the author gave."""
    width = attributes.get("width", "")
    if not size or "height" in attributes or (width and not width.isdigit()):
        return dict(attributes)
    shown = int(width or size[0])
    return {**attributes, "width": str(shown), "height": str(max(round(size[1] * shown / size[0]), 1))}


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
