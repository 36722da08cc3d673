"""Filling the gaps of a body with what its page knows: where links lead, what stands in cells and code spans."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape

from kb.line_renderer import BodyContext, Gap, link_tags
from kb.markdown_rules import html
from kb.records import Link

_MARK = re.compile("\0([0-9]+)\0")


def filled(text: str, gaps: Sequence[Gap], context: BodyContext) -> str:
    """The text with its gaps filled, in their order."""
    filler = Filler(context)
    for gap in gaps:
        fill: Callable[..., str] = getattr(filler, gap.kind)
        filler.filled.append(fill(*gap.arguments))
    return _MARK.sub(lambda mark: filler.filled[int(mark[1])], text)


class Filler:
    """A method for each kind of gap."""

    def __init__(self, context: BodyContext) -> None:
        self.context = context
        self.filled: list[str] = []
        self._closings: dict[int, str] = {}  # closing tags, by the number of their opening one

    def _resolve(self, link: Link) -> str | None:
        return self.context.resolve(link) if self.context.resolve else None

    def code(self, text: str, may_link: bool) -> str:
        """A code span, or the value that stands in its place."""
        value = self.context.value(text) if self.context.value else None
        shown = value or f"<code>{escape(text, quote=False)}</code>"
        address = self.context.code(text) if self.context.code and may_link else None
        return f'<a href="{escape(address)}">{shown}</a>' if address else shown

    def opening(self, link: Link, more: Mapping[str, str]) -> str:
        """The opening tag of a link."""
        resolved = self._resolve(link)
        opening, self._closings[len(self.filled)] = link_tags({} if resolved is None else {"href": resolved, **more})
        return opening

    def closing(self, opening: int) -> str:
        """The closing tag of a link."""
        return self._closings[opening]

    def name(self, target: str) -> str:
        """The text of a wiki link that has none of its own."""
        return escape((self.context.name and self.context.name(target)) or target, quote=False)

    def image(self, link: Link, more: Mapping[str, str]) -> str:
        """An image; what it shows, in words, where it is not there."""
        resolved = self._resolve(link)
        if resolved is None:
            return f'<span class="kb-unresolved">{escape(link.text or link.target, quote=False)}</span>'
        return html.write("img", {"src": resolved, "alt": link.text, **more, "loading": "lazy"})

    def tag(self, name: str, attributes: Mapping[str, str], link: Link) -> str:
        """A tag of the author's with an address."""
        resolved = self._resolve(link)
        return html.write(name, {**attributes} if resolved is None else {**attributes, "href": resolved})

    def cell(self, line: int, column: int) -> str:
        """What the page adds to a table's cell."""
        return self.context.cell(line, column) if self.context.cell else ""

    def table(self, line: int) -> str:
        """What the page adds below a table."""
        return self.context.table(line) if self.context.table else ""
