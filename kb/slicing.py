"""Cutting a note at its cards: which headings open one, and where each card begins and ends.

A heading opens a card when a blockquote of kind or citation follows it, or when one of the schema's sections stands
one level deeper before its next sibling. All else in a file is preamble, template or separator; nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kb.encoding import beyond, split_lines, without_marks
from kb.heads import has_citekey, is_placeholder, is_template, opens_card
from kb.markdown import Blocks, definitions, foresee
from kb.plain_yaml import front_matter, load_plain
from kb.records import DEFAULT_LIMITS, Limits, Place, Problem, Slice
from kb.schema import Schema

_QUOTE_MARK = re.compile(r" {0,3}>[ \t]?")
_CALLOUT = re.compile(r"\s*\[![A-Za-z]+\]")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}\n?")
_COMMENT = re.compile(r"(?<!\s)\s*<!--(?:(?!<!--).)*?-->")
_DEFINITION = re.compile(r" {0,3}\[\^?[^\[\]]+\]:")


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block of a note: lines count from 0, `end` is the line after it."""

    type: str  # heading, quote, or other
    line: int
    end: int
    level: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class CardRange:
    """The lines that a card's heading governs, and the heading."""

    heading: Block
    quote: Block | None
    end: int
    template: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A note's text in the forms that its parts are read from."""

    path: str
    schema: Schema
    raw: tuple[str, ...]  # lines to the letter
    lines: tuple[str, ...]  # the same lines, each ending in a line feed, without a byte order mark
    blocks: tuple[Block, ...]
    parsed: Blocks
    front_matter: object
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, text: str, path: str, schema: Schema, limits: Limits = DEFAULT_LIMITS) -> Reading:
        plain = without_marks(text)
        source, taken = front_matter(plain)
        data, problems = _front_matter(source, path, limits) if source else (None, [])
        raw = tuple(split_lines(text))
        whole = plain if plain.endswith("\n") or not plain else f"{plain}\n"
        lines = raw if whole == text else tuple(split_lines(whole))
        body = "\n" * taken + "".join(lines[taken:])
        parsed = Blocks(body)
        return cls(path, schema, raw, lines, tuple(_blocks(parsed)), parsed, data, tuple(problems))

    def text(self, start: int, end: int) -> str:
        return "".join(self.lines[start:end])

    def definitions(self, start: int, end: int) -> Mapping[str, str]:
        """The definitions that hold on these lines: their own go before others of the note."""
        known = self.parsed.definitions
        if all(start <= first < end for first, _ in self.parsed.spans.values()):
            return known
        text = self.text(start, end)
        return {**known, **definitions(text)} if "]:" in text else known

    def body(self, start: int, end: int) -> str:
        """The text of these lines, which begin after a block: it is going to be parsed."""
        text, blocks = self.text(start, end), self.parsed.part(start, end)
        if blocks is not None:
            foresee(text, blocks)
        return text


def _front_matter(source: str, path: str, limits: Limits) -> tuple[object, list[Problem]]:
    if len(source.encode()) > limits.yaml:
        remedy = "put what is text into the note's body"
        return None, [beyond("the front matter", "yaml", limits.yaml, Place(path), remedy)]
    return load_plain(source, path, first_line=2, depth=limits.depth)


def _blocks(parsed: Blocks) -> Iterator[Block]:
    """The top-level blocks; only headings with `#` are headings here, since `---` below a line makes one by mishap."""
    for token, inside in parsed.top_level():
        start, end = token.map or (0, 0)
        if token.type == "heading_open" and token.markup.startswith("#"):
            yield Block("heading", start, end, len(token.markup), _COMMENT.sub("", inside))
        elif token.type == "blockquote_open":
            yield Block("quote", start, end)
        elif not _COMMENT.fullmatch(token.content.strip()):
            yield Block("other", start, end)


def card_ranges(reading: Reading) -> Iterator[CardRange]:
    """The cards and templates of a note, in their order; headings inside a card open no other."""
    line = 0
    for index, block in enumerate(reading.blocks):
        if block.type == "heading" and block.line >= line:
            found = _opened(index, reading)
            if found:
                yield found
                line = found.end


def _opened(index: int, reading: Reading) -> CardRange | None:
    heading = reading.blocks[index]
    if reading.schema.section_id(heading.text):
        return None
    end = _end(index, reading)
    quote = _quote_after(index, reading)
    found = CardRange(heading, quote, end, is_template(heading.text, reading.schema))
    if _section_below(index, reading) and not _is_container(index, reading):
        return found
    quoted = quote and opens_card((text for _, text in quote_lines(quote, reading)), reading.schema)
    return found if quoted else None


def _end(index: int, reading: Reading) -> int:
    """The line of the next heading that is no deeper than this one; the end of the note where there is none."""
    level = reading.blocks[index].level
    after = (block.line for block in reading.blocks[index + 1 :] if block.type == "heading" and block.level <= level)
    return next(after, len(reading.lines))


def _quote_after(index: int, reading: Reading) -> Block | None:
    """The blockquote that follows a heading directly, unless it is a callout."""
    after = reading.blocks[index + 1 : index + 2]
    if not after or after[0].type != "quote":
        return None
    first = next((text for _, text in quote_lines(after[0], reading)), "")
    return None if _CALLOUT.match(first) else after[0]


def quote_lines(quote: Block, reading: Reading) -> Iterator[tuple[Place, str]]:
    for number in range(quote.line, quote.end):
        line = reading.lines[number].rstrip("\n")
        mark = _QUOTE_MARK.match(line)
        text = line[mark.end() :] if mark else line
        indent = len(line) - len(text.lstrip())
        yield Place(reading.path, number + 1, indent + 1), _COMMENT.sub("", text).strip()


def _section_below(index: int, reading: Reading) -> bool:
    """Whether one of the schema's sections stands one level deeper than a heading, before its next sibling."""
    level, end = reading.blocks[index].level, _end(index, reading)
    below = (block for block in reading.blocks[index + 1 :] if block.type == "heading" and block.line < end)
    return any(block.level == level + 1 and reading.schema.section_id(block.text) for block in below)


def _is_container(index: int, reading: Reading) -> bool:
    """Whether a heading without a citekey stands above cards, so that the section below it is none of a card."""
    heading, end = reading.blocks[index], _end(index, reading)
    if is_placeholder(heading.text) or has_citekey(heading.text, reading.schema):
        return False
    return any(
        block.type == "heading" and block.line < end and _opened(position, reading)
        for position, block in enumerate(reading.blocks[index + 1 :], index + 1)
    )


def slices(ranges: Sequence[CardRange], reading: Reading) -> Iterator[Slice]:
    """The note cut at its cards: the texts of the slices, joined, are the file."""
    line = 0
    for each in ranges:
        start, end = each.heading.line, card_end(each, reading)
        if line < start:
            yield _slice("separator" if line else "preamble", line, start, reading)
        yield _slice("template" if each.template else "card", start, end, reading)
        line = end
    if line < len(reading.raw):
        yield _slice("separator" if line else "preamble", line, len(reading.raw), reading)


def _slice(kind: Literal["preamble", "card", "template", "separator"], start: int, end: int, reading: Reading) -> Slice:
    return Slice(kind, "".join(reading.raw[start:end]), start + 1)


def card_end(each: CardRange, reading: Reading) -> int:
    """The line after a card's last one: blank lines, and a rule with only definitions below it, are not its own."""
    end = _rule_at_end(each, reading) or each.end
    while end > each.heading.end and not reading.lines[end - 1].strip():
        end -= 1
    return end


def _rule_at_end(each: CardRange, reading: Reading) -> int | None:
    """The line of the rule that ends a card: the first of those at its end, where only definitions stand between."""
    rule = None
    for number in range(each.end - 1, each.heading.end - 1, -1):
        line = reading.lines[number]
        if _RULE.fullmatch(line):
            rule = number
        elif line.strip() and not in_definition(number, reading.lines):
            break
    return rule


def in_definition(number: int, lines: Sequence[str]) -> bool:
    """Whether a line is (part of) a link or footnote definition: such a line, or an indented one below it."""
    while number and (not lines[number].strip() or lines[number][0] in " \t"):
        number -= 1
    return bool(_DEFINITION.match(lines[number]))
