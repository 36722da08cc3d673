"""The blocks of a note's body as HTML: headings, code, tables with the page's figures in them, callouts, footnotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from kb.highlighting import highlight
from kb.line_renderer import BodyContext, LineRenderer, slug_of
from kb.markdown_rules import html
from kb.markdown_rules.reading import as_text

HIGHEST_HEADING = 3  # the page's title and its sections are above the headings within a body
_LANGUAGE = re.compile(r"\{?\.?([\w+#-]+)")
_STYLED_CALLOUTS = frozenset(
    {
        "note",
        "abstract",
        "info",
        "tip",
        "success",
        "question",
        "warning",
        "failure",
        "danger",
        "bug",
        "example",
        "quote",
    }
)
_CALLOUT_STYLES = {  # of GitHub's and Obsidian's callouts that Material knows by another name
    **dict.fromkeys(("important", "todo"), "info"),
    **dict.fromkeys(("caution", "error"), "danger"),
    **dict.fromkeys(("summary", "tldr"), "abstract"),
    **dict.fromkeys(("check", "done"), "success"),
    **dict.fromkeys(("help", "faq"), "question"),
    **dict.fromkeys(("fail", "missing"), "failure"),
    **{"hint": "tip", "attention": "warning", "cite": "quote"},
}


class BodyRenderer(LineRenderer):
    """Renders one body."""

    def __init__(self, context: BodyContext, tokens: Sequence[Token]) -> None:
        super().__init__(context)
        names = list(_heading_names(tokens))
        self.anchors = {name: self._id(f"h-{name}") for name in names}
        self._names = iter(names)
        levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
        self._deeper = HIGHEST_HEADING - min(levels, default=HIGHEST_HEADING)
        self._callouts: list[str] = []  # the closing tags of the callouts that are open
        self._header = self._row = 0  # lines, from 1, of the table and the row that are open; 0 if not of this text
        self._column = 0

    def on_heading_open(self, token: Token) -> str:
        return html.write(self._heading(token), {"id": self.anchors[next(self._names)]})

    def on_heading_close(self, token: Token) -> str:
        return f"</{self._heading(token)}>\n"

    def _heading(self, token: Token) -> str:
        return f"h{min(int(token.tag[1]) + self._deeper, 6)}"

    def on_fence(self, token: Token) -> str:
        language = _LANGUAGE.match(unescapeAll(token.info).strip())
        return highlight(token.content, language[1] if language else "")

    def on_code_block(self, token: Token) -> str:
        return highlight(token.content, "")

    def on_hr(self, _: Token) -> str:
        return "<hr>\n"

    def on_list_item_open(self, token: Token) -> str:
        if "checked" not in token.meta:
            return "<li>"
        done = bool(token.meta["checked"])
        attributes = {"type": "checkbox", "disabled": ""} | ({"checked": ""} if done else {})
        label = self.context.labels.get("done" if done else "open", "")
        box = html.write("input", attributes | ({"aria-label": label} if label else {}))
        control = f'<label class="task-list-control">{box}<span class="task-list-indicator"></span></label>'
        return f'<li class="task-list-item">{control} '

    # Tables

    def on_table_open(self, token: Token) -> str:
        self._header = self._line(token)
        return '<div class="kb-table"><table>\n'

    def on_table_close(self, _: Token) -> str:
        added = self.context.table(self._header) if self.context.table and self._header else ""
        return f"</table></div>\n{added}"

    def on_tr_open(self, token: Token) -> str:
        self._row, self._column = self._line(token), 0
        return "<tr>"

    def on_td_close(self, _: Token) -> str:
        added = self.context.cell(self._row, self._column) if self.context.cell and self._row else ""
        self._column += 1
        return f"{added}</td>"

    def _line(self, token: Token) -> int:
        return self.context.first_line + token.map[0] if token.map else 0

    # Callouts

    def on_callout_open(self, token: Token) -> str:
        kind, fold = token.meta["kind"], token.meta["fold"]
        style = _CALLOUT_STYLES.get(kind, kind if kind in _STYLED_CALLOUTS else "note")
        self._callouts.append("</details>\n" if fold else "</div>\n")
        if fold:
            return html.write("details", {"class": style} | ({"open": ""} if fold == "+" else {}))
        return html.write("div", {"class": f"admonition {style}"})

    def on_callout_title_open(self, token: Token) -> str:
        opening = "<summary>" if self._folds() else '<p class="admonition-title">'
        kind = token.meta["kind"]
        title = "" if token.meta["titled"] else self.context.callout_titles.get(kind, kind.capitalize())
        return opening + escape(title)

    def on_callout_title_close(self, _: Token) -> str:
        return "</summary>\n" if self._folds() else "</p>\n"

    def on_callout_close(self, _: Token) -> str:
        return self._callouts.pop()

    def _folds(self) -> bool:
        return self._callouts[-1].startswith("</details")

    # Footnotes

    def on_footnote_ref(self, token: Token) -> str:
        number = str(token.meta["id"] + 1)
        mark = number if self._open_links else self._to(f"fn-{number}", "footnote-ref", number)
        return html.write("sup", {"id": self._id(_mark_id(token))}) + f"{mark}</sup>"

    def on_footnote_block_open(self, _: Token) -> str:
        return '<div class="footnote"><hr><ol>\n'

    def on_footnote_block_close(self, _: Token) -> str:
        return "</ol></div>\n"

    def on_footnote_open(self, token: Token) -> str:
        return html.write("li", {"id": self._id(f"fn-{token.meta['id'] + 1}")})

    def on_footnote_close(self, _: Token) -> str:
        return "</li>\n"

    def on_footnote_anchor(self, token: Token) -> str:
        return " " + self._to(_mark_id(token), "footnote-backref", "\u21a9\ufe0e")  # never as an emoji

    def _id(self, name: str) -> str:
        return f"{self.context.prefix}-{name}"

    def _to(self, name: str, style: str, text: str) -> str:
        return html.write("a", {"class": style, "href": f"#{self._id(name)}"}) + f"{text}</a>"


def _mark_id(token: Token) -> str:
    """The id of a footnote's mark in the text: the same footnote may have several."""
    repeated = f"-{token.meta['subId'] + 1}" if token.meta["subId"] else ""
    return f"fnref-{token.meta['id'] + 1}{repeated}"


def _heading_names(tokens: Sequence[Token]) -> Iterator[str]:
    """What links call each heading, in order: made of its text, and numbered where two would be the same."""
    last: dict[str, int] = {}
    for heading, line in pairwise(tokens):
        if heading.type == "heading_open":
            slug = slug_of(as_text(line.children or ())) or "heading"
            name = slug
            while name in last:
                last[slug] += 1
                name = f"{slug}-{last[slug]}"
            last[name] = 1
            yield name
