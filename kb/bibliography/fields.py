"""What all forms of bibliography share: years, arXiv numbers, DOIs, plain text and notes out of HTML."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

from kb.records import Place

_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_ARXIV = re.compile(
    r"(?:arxiv(?:\.org/(?:abs|pdf)/|:)\s*|^)(?P<number>\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})", re.IGNORECASE
)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_TAG = re.compile(r"</?(?:i|b|em|strong|sup|sub|span|scp|sc|jats:[a-z]+|p|br|div)\b[^<>]*>", re.IGNORECASE)
_HTML = re.compile(r"<(?:p|div|h[1-6]|ul|ol|br|span|b|i|em|strong|a|blockquote|table|jats:[a-z]+)\b[^<>]*/?>")


def year_in(text: str) -> int | None:
    """The first year in a date, in whichever form it is written."""
    found = _YEAR.search(text)
    return int(found[0]) if found else None


def arxiv_in(*texts: str) -> str:
    """The arXiv number that stands first in one of these texts: by itself, behind `arXiv:` or in an address."""
    found = next(filter(None, (_ARXIV.search(text.strip()) for text in texts)), None)
    return found["number"] if found else ""


def doi_in(text: str) -> str:
    """The DOI in a text, without the address before it."""
    found = _DOI.search(text)
    return found[0].rstrip(".,;") if found else ""


def plain(text: object) -> str:
    """A text on one line, without the few tags that titles hold; "" for what is no text."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return str(text)
    return " ".join(_TAG.sub("", text.replace("\0", "")).split()) if isinstance(text, str) else ""


def without(data: Mapping[str, Any], used: Iterable[str]) -> dict[str, object]:
    """What is left of an item beside the fields that were read, and the empty ones."""
    known = frozenset(used)
    return {name: value for name, value in data.items() if name not in known and value not in ("", None, [], {})}


class _Notes(MarkdownConverter):
    """HTML notes as Markdown: formulas to the letter, pictures that lie in the library named."""

    def convert_span(self, node: Any, text: str, parent_tags: set[str]) -> str:
        del parent_tags
        return node.get_text() if "math" in node.get("class", ()) else text

    def convert_pre(self, node: Any, text: str, parent_tags: set[str]) -> str:
        if "math" in node.get("class", ()):
            return f"\n\n{node.get_text()}\n\n"
        return str(super().convert_pre(node, text, parent_tags))  # type: ignore[misc]

    def convert_img(self, node: Any, text: str, parent_tags: set[str]) -> str:
        key = node.get("data-attachment-key")
        return f"(picture {key})" if key else str(super().convert_img(node, text, parent_tags))  # type: ignore[misc]


def markdown(text: str) -> str:
    """A note or an abstract as Markdown; one that holds no tags is taken as it is."""
    if not _HTML.search(text):
        return text.strip()
    soup = BeautifulSoup(text, "html.parser")
    converter = _Notes(heading_style="atx", bullets="-", escape_misc=False, escape_underscores=False)
    return re.sub(r"\n{3,}", "\n\n", converter.convert_soup(soup)).strip()


class Places:
    """Where the items of a JSON text stand: found by the text of a value that only one of them has."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path, self._from = text, path, 0
        self._lines = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    def after(self, *values: object) -> Place:
        """The place of the first of these values that stands behind the last place."""
        for value in values:
            at = self._text.find(f'"{value}"', self._from) if isinstance(value, str) and value else -1
            if at >= 0:
                self._from = at + 1
                line = bisect_right(self._lines, at)
                return Place(self._path, line, at - self._lines[line - 1] + 1)
        return Place(self._path)
