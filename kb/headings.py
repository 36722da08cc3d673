"""Staged pages that hold nothing but headings and placeholders, converted as Python-Markdown would.

What becomes of a heading of plain text with an id of its own is the same for any such text, and found out once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from markdown import Markdown
from markdown.extensions.toc import nest_toc_tokens

USUAL = frozenset(("toc", "tables", "fenced_code", "attr_list"))  # extensions that do nothing else to such lines
MOST = 1000  # lines that are kept

_GAPS = re.compile(r"\n{2,}")
_COMMENT = re.compile(r"<!-- kb-body: [^\s<>]+ -->")
_WORD = r"(?:[A-Za-z0-9.,:()/]|[^\x00-\x7f\s]|&#\d+;)+"
_HEADING = re.compile(rf"(#{{1,6}} )({_WORD}(?: {_WORD})*)( \{{#[\w-]+\}})")  # of letters that mean nothing else
_SAMPLE = "KbHeading"

Token = Any  # of the table of contents: Python-Markdown's


class Headings:
    """Converts such pages."""

    def __init__(self, markdown: Markdown) -> None:
        self._markdown = markdown
        self._known = lru_cache(MOST)(self._converted)

    def convert(self, source: str) -> tuple[str, list[Token]] | None:
        """The HTML, and the headings in it; None where there is something else on the page."""
        html: list[str] = []
        tokens: list[Token] = []
        for line in _GAPS.split(source.strip("\n")):
            if _COMMENT.fullmatch(line):
                html.append(f"{line}\n")
            elif heading := _HEADING.fullmatch(line):
                text, token = self._heading(*heading.groups())
                html.append(text)
                tokens.append(token)
            else:
                return None
        return "\n".join(html).strip(), nest_toc_tokens(tokens)

    def _heading(self, before: str, text: str, after: str) -> tuple[str, Token]:
        html, token = self._known(f"{before}{_SAMPLE}{after}")
        return html.replace(_SAMPLE, text), {**token, "name": text, "html": text}

    def _converted(self, line: str) -> tuple[str, Token]:
        self._markdown.reset()
        html = self._markdown.convert(line)
        (token,) = self._markdown.toc_tokens  # type: ignore[attr-defined]
        return html, token
