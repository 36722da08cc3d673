"""Where in the source the things in a line of text stand.

An inline rule knows only its paragraph, from which indentation and block marks were removed. So each rule notes the
offset in the paragraph (`meta["offset"]`), and afterwards `line` and `column`, from 0, are worked out from the source.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from kb.markdown_rules.math import STRAY

Rule = Callable[[StateInline, bool], bool]
LOCATED = ("math", "backticks", "link", "image", "autolink", "footnote_ref", "wiki_link", "bare_url", "html_inline")


def install(md: MarkdownIt) -> None:
    """Let the rules of interest note where they matched. To be called when all of them are in place."""
    rules = {rule.name: rule.fn for rule in md.inline.ruler.__rules__}
    for name in LOCATED:
        md.inline.ruler.at(name, _noting(rules[name]))
    md.core.ruler.after("inline", "positions", positions)


def _noting(rule: Rule) -> Rule:
    def noting(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        matched = rule(state, silent)
        if matched and not silent:
            _note(state.tokens[count : count + 2], start)
        return matched

    return noting


def _note(pushed: list[Token], offset: int) -> None:
    """Note the offset in the first token that a rule pushed; the text pending before it may precede it."""
    for token in pushed:
        if token.type != "text":
            token.meta.setdefault("offset", offset)
            return


def positions(state: StateCore) -> None:
    """Work out line and column of every token that has an offset."""
    lines = state.src.split("\n")
    for token in state.tokens:
        if token.type == "inline" and token.map and token.children:
            _place_all(token, lines)


def _place_all(block: Token, lines: list[str]) -> None:
    located = [token for token in block.children or () if "offset" in token.meta]
    if not located:
        return
    first = block.map[0] if block.map else 0
    starts, margins = _line_starts(block, first, lines)
    for token in located:
        number = bisect_right(starts, token.meta["offset"]) - 1
        token.meta["line"] = first + number
        token.meta["column"] = margins[number] + token.meta["offset"] - starts[number]
    block.meta["strays"] = [token for token in located if token.info == STRAY]


def _line_starts(block: Token, first: int, lines: list[str]) -> tuple[list[int], list[int]]:
    """Where each line of a paragraph begins: in the paragraph, and in its line of the source."""
    if "column" in block.meta:  # a cell, which is not the whole of its line
        return [0], [block.meta["column"]]
    parts = block.content.split("\n")
    starts = [0, *accumulate(len(part) + 1 for part in parts)][:-1]
    return starts, [max(line.rfind(part), 0) for part, line in zip(parts, lines[first:], strict=False)]
