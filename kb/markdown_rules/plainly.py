"""What most texts are, without asking them for more: paragraphs of a single line, lines without escapes."""

from __future__ import annotations

from markdown_it import MarkdownIt, rules_block, rules_core
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token


def install(md: MarkdownIt) -> None:
    """Put these rules in the place of markdown-it's own."""
    md.block.ruler.at("lheading", heading)
    md.block.ruler.at("paragraph", paragraph)
    md.core.ruler.at("text_join", join)


def heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A heading that is underlined."""
    return start + 1 < end and not state.isEmpty(start + 1) and rules_block.lheading(state, start, end, silent)


def paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A paragraph."""
    if start + 1 < state.lineMax and not state.isEmpty(start + 1):
        return rules_block.paragraph(state, start, end, silent)
    state.line = start + 1
    state.push("paragraph_open", "p", 1).map = [start, start + 1]
    token = state.push("inline", "", 0)
    token.content = mdTrim(state.getLines(start, start + 1, state.blkIndent, False))
    token.map, token.children = [start, start + 1], []
    state.push("paragraph_close", "p", -1)
    return True


def join(state: StateCore) -> None:
    """Make one text of escaped characters and the text around them, and of what stands in for pictures."""
    tokens = state.tokens
    state.tokens = [token for token in tokens if token.children and _has_more(token.children)]
    rules_core.text_join(state)
    state.tokens = tokens


def _has_more(tokens: list[Token]) -> bool:
    return any(token.children or token.type == "text_special" for token in tokens)
