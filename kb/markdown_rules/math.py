"""Formulas: `$…$` in a line, `$$…$$` anywhere, GitHub's `` $`…`$ `` and fences of language `math`.

What stands between the dollar signs is TeX: no other rule sees it. A dollar sign that opens no formula is text,
and is marked as a stray, so that those next to TeX can be reported.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from kb.markdown_rules.characters import is_cjk

STRAY = "stray_dollar"  # `info` of a token for dollar signs that are text

_TEXT_GROUP = r"\\(?:text\w*|mbox|hbox)\{[^{}]*\}"  # may hold formulas of its own: `\text{if $x > 0$}`
_NEXT = r"(?!\$)|(?=\$[^$\s][^$\n]*\$(?!\$))"  # no `$$` closes, but in `$x$$y$` two formulas meet
_INLINE = re.compile(rf"\$((?:[^$\\]++|{_TEXT_GROUP}|\\.)++)\$(?:{_NEXT})", re.DOTALL)
_DISPLAY = re.compile(r"\$\$((?:[^$\\]++|\\.|\$(?!\$))++)\$\$(?!\$)", re.DOTALL)
_DOLLARS = re.compile(r"\$+")
_CLOSING = re.compile(r"(?<!\\)(?:\\\\)*\$\$(?!\$)")
# What is not in TeX, so that these dollar signs belong to two sentences: code, the end of a link or of bold text.
_MARKUP = re.compile(r"`|^[^\[]*\]\(|(?:^|\s)\*\*|\*\*(?:[\s,.;:!?)，。；：、）]|$)")
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_COMMAND = re.compile(r"\\[A-Za-z]+ ?\Z")  # `3$\times$3`: no amount of money, whatever follows
_TEX_SIGN = re.compile(r"[\\^_={}]")
_LETTER_OR_SIGN = re.compile(r"[A-Za-z\\^_={}<>+*|]")
_OTHER_BLOCK = re.compile(r"#{1,6}[ \t]|```|~~~|(?:---+|\*\*\*+|___+)[ \t]*$")


class Formula(NamedTuple):
    """A formula in a line of text: its TeX, whether it is set as display, and where it ends."""

    tex: str
    display: bool
    end: int


class Block(NamedTuple):
    """A formula of whole lines: its TeX, its last line, and where text after its last `$$` begins (or -1)."""

    tex: str
    last: int
    rest: int


def install(md: MarkdownIt) -> None:
    """Add these rules to a parser."""
    md.inline.ruler.before("escape", "math", inline)
    md.block.ruler.before("fence", "math", block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.core.ruler.after("block", "math_fences", fences)
    md.core.ruler.after("inline", "math_paragraphs", paragraphs)


def match(source: str, start: int, end: int) -> Formula | None:
    """The formula that begins at the dollar sign at `start`, if one does."""
    if not source.startswith("$$", start):
        return _match_inline(source, start, end)
    found = None if source.startswith("$$$", start) else _DISPLAY.match(source, start, end)
    return Formula(found[1].strip(), True, found.end()) if found and found[1].strip() else None


def _match_inline(source: str, start: int, end: int) -> Formula | None:
    found = _INLINE.match(source, start, end)
    if not found:
        return None
    tex = found[1]
    if source[found.end() : found.end() + 1].isdigit() and not _COMMAND.match(tex):
        return None
    if len(tex) > 2 and tex[0] == tex[-1] == "`" and "`" not in tex[1:-1]:
        return Formula(tex[1:-1].strip(), False, found.end())
    return Formula(tex.strip(), False, found.end()) if _is_tex(tex) else None


def _is_tex(content: str) -> bool:
    """Whether what stands between two dollar signs is meant as a formula, and not two amounts of money."""
    spaced = content[0].isspace()
    if spaced != content[-1].isspace() or not content.strip() or _MARKUP.search(content):
        return False
    if spaced and not _TEX_SIGN.search(content) and _PROSE.search(content):
        return False
    return bool(_LETTER_OR_SIGN.search(content)) or not any(map(is_cjk, content))


def inline(state: StateInline, silent: bool) -> bool:
    """A formula in a line, or dollar signs that are text."""
    if state.src[state.pos] != "$":
        return False
    formula = match(state.src, state.pos, state.posMax)
    if formula is None:
        return _stray(state, silent)
    if not silent:
        token = state.push("math_display" if formula.display else "math_inline", "", 0)
        token.content, token.markup = formula.tex, "$$" if formula.display else "$"
    state.pos = formula.end
    return True


def _stray(state: StateInline, silent: bool) -> bool:
    run = _DOLLARS.match(state.src, state.pos, state.posMax)
    content = run[0] if run else "$"
    if not silent:
        token = state.push("text_special", "", 0)
        token.content = token.markup = content
        token.info = STRAY
    state.pos += len(content)
    return True


def block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula of whole lines, also right under a line of text. Text after its last `$$` is a paragraph of its own."""
    if state.is_code_block(start) or not _line(state, start).startswith("$$"):
        return False
    found = _find_block(state, start, end)
    if found is None or silent:
        return found is not None
    if found.tex:
        token = state.push("math_block", "", 0)
        token.content, token.markup, token.map = found.tex, "$$", [start, found.last + 1]
    state.line = found.last + 1
    if found.rest >= 0:
        _continue_at(state, found.last, found.rest)
    return True


def _find_block(state: StateBlock, start: int, end: int) -> Block | None:
    first = _line(state, start)[2:]
    if first.startswith("$"):
        return None
    closing = _CLOSING.search(first)
    if closing:  # with text after it, it is a formula within a paragraph
        return None if first[closing.end() :].strip() else Block(first[: closing.end() - 2].strip(), start, -1)
    lines, indent, blank_passed = [first], min(state.blkIndent, state.sCount[start]), False
    for number in range(start + 1, end):
        line = _line(state, number)
        if _ends_block(state, number, line, indent, blank_passed):
            return None
        closing = _CLOSING.search(line)
        if closing:
            return _close(state, number, [*lines, line[: closing.end() - 2]], closing.end())
        lines.append(line)
        blank_passed = blank_passed or not line
    return None


def _ends_block(state: StateBlock, number: int, line: str, indent: int, blank_passed: bool) -> bool:
    """Whether an open formula cannot reach beyond this line: better one formula left raw than the rest of the note."""
    if (line and state.sCount[number] < indent) or _OTHER_BLOCK.match(line):
        return True
    return blank_passed and line.startswith("$$") and bool(line[2:].strip())


def _close(state: StateBlock, number: int, lines: list[str], closed_at: int) -> Block:
    rest = state.bMarks[number] + state.tShift[number] + closed_at
    has_rest = bool(state.src[rest : state.eMarks[number]].strip())
    return Block("\n".join(lines).strip(), number, rest if has_rest else -1)


def _continue_at(state: StateBlock, line: int, position: int) -> None:
    """Let the parser go on within a line."""
    state.line = line
    state.bMarks[line] = position
    state.tShift[line] = state.skipSpaces(position) - position
    state.sCount[line] = state.blkIndent


def _line(state: StateBlock, number: int) -> str:
    """A line's text without its indentation and the marks of the blocks that it is in."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()


def fences(state: StateCore) -> None:
    """A fence of language `math` is a formula, as on GitHub."""
    for token in state.tokens:
        if token.type == "fence" and token.info.strip() == "math":
            token.type, token.content = "math_block", token.content.strip()


def paragraphs(state: StateCore) -> None:
    """A paragraph that is one formula is set as display."""
    for place, token in enumerate(state.tokens[1:-1], 1):
        children = token.children
        if not children or len(children) > 1 or children[0].type not in ("math_inline", "math_display"):
            continue
        before, after = state.tokens[place - 1], state.tokens[place + 1]
        if before.type == "paragraph_open" and not before.hidden:
            children[0].type = "math_display"
            children[0].block = before.hidden = after.hidden = True
