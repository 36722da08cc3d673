"""Paragraphs of a single line, as most are: nothing below it goes on with them, so that nothing need be tried there."""

from __future__ import annotations

from markdown_it import MarkdownIt, rules_block
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock


def install(md: MarkdownIt) -> None:
    """Put these rules in the place of markdown-it's own."""
    md.block.ruler.at("lheading", heading)
    md.block.ruler.at("paragraph", paragraph)


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
