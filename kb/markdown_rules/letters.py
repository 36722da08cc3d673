"""Which rules may match at a character: all others need not be tried there, and trying is what a parser does most.

Nothing but speed depends on this: a rule that is not tried would not have matched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import Ruler
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

Rules = dict[str, tuple[Any, ...]]  # by the character that they may match at; "" for all other characters

# A rule that is not named here may match anywhere.
INLINE = {
    **{"newline": "\n", "math": "$", "escape": "\\", "backticks": "`", "strikethrough": "~=", "emphasis": "*_"},
    **{"wiki_link": "![", "bare_url": "hw", "link": "[", "image": "!", "footnote_ref": "[", "autolink": "<"},
    **{"html_inline": "<", "entity": "&"},
}
BLOCK = {
    **{"math": "$", "fence": "`~", "blockquote": ">", "hr": "*-_", "list": "*+-0123456789", "footnote_def": "["},
    **{"reference": "[", "html_block": "<", "heading": "#"},
}
# Where text ends: at these characters and at web addresses. A pattern that begins with a set is found fastest.
_END_OF_TEXT = re.compile(
    r"[\n$\\`~=*_!\[\]<&hw](?:(?<![hw])|(?<=h)(?<![A-Za-z0-9]h)ttps?://|(?<=w)(?<![A-Za-z0-9]w)ww\.)"
)


def is_text(line: str) -> bool:
    """Whether a line of text can hold nothing else."""
    return not _END_OF_TEXT.search(line)


def install(md: MarkdownIt) -> None:
    """Try rules by the character they begin with. To be called when all of them are in place."""
    md.inline = _Inline(md.inline)
    md.block.ruler = _ByLetter(md.block.ruler, BLOCK, _block)


class _Inline(ParserInline):
    """A parser of lines to which text in which nothing can match is one token at once."""

    def __init__(self, parser: ParserInline) -> None:
        super().__init__()
        self.ruler = _ByLetter(parser.ruler, INLINE, _inline)
        self.ruler2 = parser.ruler2
        self.terminator_re = _END_OF_TEXT

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        if not src or not is_text(src):
            return super().parse(src, md, env, tokens)
        tokens.append(Token("text", "", 0, content=src))
        return tokens


class _ByLetter(Ruler[Any]):
    """A ruler each of whose chains is one rule: the first that matches."""

    def __init__(self, ruler: Ruler[Any], letters: dict[str, str], first: Callable[[Rules], Any]) -> None:
        super().__init__()
        self.__rules__ = ruler.__rules__
        self._letters, self._first = letters, first

    def __compile__(self) -> None:
        super().__compile__()
        letters = {id(rule.fn): self._letters.get(rule.name) for rule in self.__rules__}
        self.__cache__ = {
            name: [self._first(_by_letter([(rule, letters[id(rule)]) for rule in rules]))]
            for name, rules in (self.__cache__ or {}).items()
        }


def _by_letter(rules: list[tuple[Any, str | None]]) -> Rules:
    letters = {letter for _, some in rules for letter in some or ""}
    anywhere = tuple(rule for rule, some in rules if some is None)
    return {"": anywhere} | {
        letter: tuple(rule for rule, some in rules if some is None or letter in some) for letter in letters
    }


def _inline(rules: Rules) -> Callable[[StateInline, bool], bool]:
    others = rules[""]

    def first(state: StateInline, silent: bool) -> bool:
        for rule in rules.get(state.src[state.pos], others):  # noqa: SIM110 - a generator costs as much as the rules
            if rule(state, silent):
                return True
        return False

    return first


def _block(rules: Rules) -> Callable[[StateBlock, int, int, bool], bool]:
    others = rules[""]

    def first(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        position = state.bMarks[start] + state.tShift[start]
        for rule in rules.get(state.src[position : position + 1], others):  # noqa: SIM110
            if rule(state, start, end, silent):
                return True
        return False

    return first
