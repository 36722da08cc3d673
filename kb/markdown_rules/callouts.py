"""Callouts: `> [!NOTE]`, with a title (`> [!tip] Try this`), folded (`-`) or open (`+`). And `[toc]`, dropped."""

from __future__ import annotations

import re
from itertools import islice

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_MARK = re.compile(r"\[!([A-Za-z][\w-]*)\]([+-]?)[ \t]*([^\n]*)(?:\n|$)")
CONTENTS = re.compile(r"\[toc\]|\[\[_?toc_?\]\]", re.IGNORECASE)


def install(md: MarkdownIt) -> None:
    """Add these rules to a parser."""
    md.core.ruler.after("block", "callouts", callouts)
    md.core.ruler.after("block", "contents", contents)


def contents(state: StateCore) -> None:
    """Drop the marks that ask an editor for a table of contents: pages have their own."""
    if not CONTENTS.search(state.src):
        return
    kept: list[Token] = []
    tokens = iter(state.tokens)
    for token in tokens:
        if kept and kept[-1].type == "paragraph_open" and CONTENTS.fullmatch(token.content):
            kept.pop()
            next(tokens)
        else:
            kept.append(token)
    state.tokens = kept


def callouts(state: StateCore) -> None:
    """Make callouts of the blockquotes that begin with a mark."""
    if "[!" not in state.src:
        return
    made: list[Token] = []
    are_callouts: list[bool] = []  # of the blockquotes that are open
    tokens = iter(list(enumerate(state.tokens)))
    for place, token in tokens:
        if token.type == "blockquote_open":
            mark = _mark(state.tokens, place)
            are_callouts.append(mark is not None)
            if mark:
                made += _opening(state.tokens[place : place + 4], mark)
                next(islice(tokens, 2, 3))  # the paragraph that held the mark
                continue
        elif token.type == "blockquote_close" and are_callouts.pop():
            token.type = "callout_close"
        made.append(token)
    state.tokens = made


def _mark(tokens: list[Token], place: int) -> re.Match[str] | None:
    """The mark that begins the blockquote opened at `place`."""
    paragraph, inline = tokens[place + 1 : place + 3] if place + 2 < len(tokens) else (None, None)
    if paragraph is None or inline is None or paragraph.type != "paragraph_open":
        return None
    return _MARK.match(inline.content)


def _opening(tokens: list[Token], mark: re.Match[str]) -> list[Token]:
    """A callout's first tokens: its title, and what follows the mark in the same paragraph."""
    quote, paragraph, inline, end = tokens
    quote.type = "callout_open"
    quote.meta = {"kind": mark[1].lower(), "fold": mark[2]}
    line = inline.map[0] if inline.map else 0
    title = Token("inline", "", 0, content=mark[3].strip(), children=[], map=[line, line + 1], level=inline.level)
    about = {"kind": quote.meta["kind"], "titled": bool(title.content)}
    opening = [quote, Token("callout_title_open", "p", 1, meta=about), title, Token("callout_title_close", "p", -1)]
    rest = inline.content[mark.end() :]
    if not rest.strip():
        return opening
    inline.content = rest
    inline.map = [line + 1, inline.map[1]] if inline.map else None
    return [*opening, paragraph, inline, end]
