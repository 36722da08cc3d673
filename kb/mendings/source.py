"""A note as mendings see it, and what they give: edits of whole lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from markdown_it.token import Token

from kb.markdown import links, parse
from kb.plain_yaml import front_matter
from kb.records import Link
from kb.schema import Schema
from kb.slicing import CardRange, Reading, card_ranges

_VERBATIM = frozenset({"fence", "code_block", "html_block", "math_block"})
_QUOTES = frozenset({"blockquote", "callout"})


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines, from 0, to be replaced: those from `first` to before `end`, by `lines`."""

    first: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """The lines of a note, without their ends, and what the parser makes of them."""

    text: str
    path: str
    schema: Schema

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def reading(self) -> Reading:
        return Reading.of(self.text, self.path, self.schema)

    @cached_property
    def ranges(self) -> tuple[CardRange, ...]:
        return tuple(card_ranges(self.reading))

    @cached_property
    def cards(self) -> tuple[CardRange, ...]:
        return tuple(each for each in self.ranges if not each.template)

    @cached_property
    def front(self) -> int:
        """How many lines the front matter takes."""
        return front_matter(self.text)[1]

    @property
    def body(self) -> str:
        """The note with blank lines in the place of its front matter."""
        return "\n" * self.front + "\n".join(self.lines[self.front :])

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of all that stands below the front matter."""
        return parse(self.body)

    @cached_property
    def wiki_links(self) -> tuple[Link, ...]:
        """The links to cards, in their order; lines and columns count from 1."""
        found = (link for link in links(self.body, 1) if link.kind == "wiki")
        return tuple(sorted(found, key=lambda link: (link.line, link.column)))

    @cached_property
    def verbatim(self) -> frozenset[int]:
        """The lines in which every character counts: front matter, code, formulas, HTML."""
        found = (token.map for token in self.tokens if token.type in _VERBATIM and token.map)
        return frozenset(range(self.front)).union(*(range(*each) for each in found))

    @cached_property
    def outside_quotes(self) -> tuple[Token, ...]:
        """The tokens of what stands in no blockquote and no callout."""
        return tuple(_outside_quotes(self.tokens))


Mending = Callable[[Source], Iterable[Edit]]


def _outside_quotes(tokens: Iterable[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        if token.type.partition("_")[0] in _QUOTES and token.type.count("_") == 1:
            depth += token.nesting
        elif not depth:
            yield token


def line_edit(number: int, before: str, after: str) -> Iterator[Edit]:
    """The edit of one line, if it changes it."""
    if before != after:
        yield Edit(number, number + 1, (after,))
