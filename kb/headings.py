"""Staged pages that hold nothing but headings and placeholders, converted as Python-Markdown would.

What becomes of a heading of plain text with an id of its own is the same for any such text and id, and found out once.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from markdown import Markdown
from markdown.extensions.toc import nest_toc_tokens

USUAL = frozenset(("toc", "tables", "fenced_code", "attr_list"))  # extensions that do nothing else to such lines

_GAPS = re.compile(r"\n{2,}")
_COMMENT = re.compile(r"<!-- kb-body: [^\s<>]+ -->")
_WORD = r"(?:[A-Za-z0-9.,:()/]|[^\x00-\x7f\s]|&#\d+;)+"
_HEADING = re.compile(rf"(#{{1,6}}) ({_WORD}(?: {_WORD})*) \{{#([A-Za-z0-9-]+)\}}")  # of letters that mean nothing else
_TEXT, _ID = "KbText", "KbId"
_SAMPLES = re.compile(f"{_TEXT}|{_ID}")

Token = Any  # of the table of contents: Python-Markdown's


class Headings:
    """Converts such pages."""

    def __init__(self, markdown: Markdown) -> None:
        self._markdown = markdown
        self._sample = cache(self._converted)

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

    def _heading(self, marks: str, text: str, name: str) -> tuple[str, Token]:
        html, token = self._sample(f"{marks} {_TEXT} {{#{_ID}}}")
        given = {_TEXT: text, _ID: name}
        return _SAMPLES.sub(lambda found: given[found[0]], html), {**token, "id": name, "name": text, "html": text}

    def _converted(self, line: str) -> tuple[str, Token]:
        self._markdown.reset()
        html = self._markdown.convert(line)
        (token,) = self._markdown.toc_tokens  # type: ignore[attr-defined]
        return html, token
