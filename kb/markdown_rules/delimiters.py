"""Emphasis, ~~strikethrough~~ and ==highlight==, also where they touch Chinese, Japanese or Korean text.

CommonMark lets a run of `*` close after punctuation only before a space or more punctuation, so `**参数量：**约为`
would not be bold: text without spaces between words cannot meet that. Here CJK characters count as neither
obstacle: CJK punctuation is no punctuation, and a CJK neighbour is as good as a space. This is the idea of
https://github.com/tats-u/markdown-cjk-friendly; text without such characters reads as CommonMark says.
"""

from __future__ import annotations

from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common.utils import isWhiteSpace
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from kb.markdown_rules.characters import is_cjk, is_punctuation

PAIRS = {"~": "s", "=": "mark"}  # marker, written twice, and the tag it stands for


class Run(NamedTuple):
    """A run of one marker, and what it may do."""

    length: int
    opens: bool
    closes: bool


def install(md: MarkdownIt) -> None:
    """Put these rules in the place of markdown-it's own."""
    md.inline.ruler.at("emphasis", emphasis)
    md.inline.ruler.at("strikethrough", pairs)
    md.inline.ruler2.at("strikethrough", match_pairs)
    md.enable("strikethrough")


def emphasis(state: StateInline, silent: bool) -> bool:
    """Push every `*` or `_` of a run as a delimiter; markdown-it matches them afterwards."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    run = scan(state, inside_words=marker == "*")
    for _ in range(run.length):
        _push_delimiter(state, marker, run, run.length)
    state.pos += run.length
    return True


def pairs(state: StateInline, silent: bool) -> bool:
    """Push `~~` or `==` as a delimiter. One alone (`1/8~1/9`, `a = b`) and longer runs are text."""
    marker = state.src[state.pos]
    if silent or marker not in PAIRS:
        return False
    run = scan(state, inside_words=True)
    if run.length == 2:
        _push_delimiter(state, marker * 2, run, 0)
    else:
        state.append_pending(marker * run.length)
    state.pos += run.length
    return True


def scan(state: StateInline, *, inside_words: bool) -> Run:
    """The run of markers at the current position."""
    marker, end = state.src[state.pos], state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    before = state.src[state.pos - 1] if state.pos else " "
    after = state.src[end] if end < state.posMax else " "
    left, right = _leans_on(after, before), _leans_on(before, after)
    opens = left and (inside_words or not right or is_punctuation(before))
    closes = right and (inside_words or not left or is_punctuation(after))
    return Run(end - state.pos, opens, closes)


def _leans_on(near: str, far: str) -> bool:
    """Whether a run leans on the character on one side of it, given that on the other side: CommonMark's "flanking"."""
    if isWhiteSpace(ord(near)):
        return False
    if not is_punctuation(near) or is_cjk(near):
        return True
    return isWhiteSpace(ord(far)) or is_punctuation(far) or is_cjk(far)


def _push_delimiter(state: StateInline, content: str, run: Run, length: int) -> None:
    token = state.push("text", "", 0)
    token.content = content
    place = len(state.tokens) - 1
    state.delimiters.append(Delimiter(ord(content[0]), length, place, -1, run.opens, run.closes))


def match_pairs(state: StateInline) -> None:
    """Turn matched `~~` and `==` into tags."""
    _match(state, state.delimiters)
    for meta in state.tokens_meta:
        if meta and "delimiters" in meta:
            _match(state, meta["delimiters"])


def _match(state: StateInline, delimiters: list[Delimiter]) -> None:
    for opener in delimiters:
        tag = PAIRS.get(chr(opener.marker))
        if tag and opener.end != -1:
            _become(state, opener.token, f"{tag}_open", 1)
            _become(state, delimiters[opener.end].token, f"{tag}_close", -1)


def _become(state: StateInline, place: int, kind: str, nesting: int) -> None:
    token = state.tokens[place]
    token.markup, token.content = token.content, ""
    token.type, token.tag, token.nesting = kind, kind.split("_")[0], 1 if nesting > 0 else -1
