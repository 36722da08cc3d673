"""Where in the source the things in a line of text stand.

An inline rule knows only its paragraph, from which indentation and block marks were removed. So each rule notes the
offset in the paragraph (`meta["offset"]`), and afterwards `line` and `column`, from 0, are worked out from the source.
"""

from __future__ import annotations

from collections.abc import Callable

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
    first = block.map[0] if block.map else 0
    strays = []
    for token in block.children or []:
        if "offset" in token.meta:
            token.meta["line"], token.meta["column"] = _place(block, token.meta["offset"], first, lines)
            if token.info == STRAY:
                strays.append(token)
    if strays:
        block.meta["strays"] = strays


def _place(block: Token, offset: int, first: int, lines: list[str]) -> tuple[int, int]:
    line = first + block.content.count("\n", 0, offset)
    begin = block.content.rfind("\n", 0, offset) + 1
    if "column" in block.meta:  # a cell, which is not the whole of its line
        return line, block.meta["column"] + offset
    end = block.content.find("\n", begin)
    content = block.content[begin : end if end >= 0 else None]
    return line, max(lines[line].rfind(content), 0) + offset - begin if line < len(lines) else offset
