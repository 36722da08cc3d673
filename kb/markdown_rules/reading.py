"""What a reader sees of a line of Markdown, as plain text: for titles, labels and search."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from markdown_it.token import Token

_SYMBOLS = {
    **{"times": "×", "cdot": "·", "pm": "±", "approx": "≈", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "ne": "≠"},
    **{
        "neq": "≠",
        "in": "∈",
        "to": "→",
        "rightarrow": "→",
        "infty": "∞",
        "sum": "∑",
        "prod": "∏",
        "sqrt": "√",
        "ll": "≪",
    },
    **{
        "gg": "≫",
        "sim": "∼",
        "ldots": "…",
        "cdots": "…",
        "dots": "…",
        "odot": "⊙",
        "oplus": "⊕",
        "otimes": "⊗",
        "quad": " ",
    },
}
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+)([ \t]*)|\\(.)|[{}]")
_BREAK = re.compile(r"<br\b", re.IGNORECASE)


def as_text(tokens: Iterable[Token]) -> str:
    """The text of the tokens of a line, without markup and without footnote marks."""
    return "".join(map(_text, tokens))


def _text(token: Token) -> str:
    if token.type in ("text", "text_special", "code_inline", "wiki_link"):
        return token.content
    if token.type in ("math_inline", "math_display"):
        return tex_as_text(token.content)
    if token.type == "image":
        return as_text(token.children) if token.children else token.content
    is_break = token.type in ("softbreak", "hardbreak") or (token.type == "html_inline" and _BREAK.match(token.content))
    return " " if is_break else ""


def tex_as_text(tex: str) -> str:
    """Short TeX as people would type it without TeX: `\\alpha = 0.75` is `α = 0.75`."""
    tex = _FRACTION.sub(r"\1/\2", tex)
    return _COMMAND.sub(lambda found: _symbol(found[1], found[2]) if found[1] else found[3] or "", tex).strip()


def _symbol(command: str, space: str) -> str:
    case = "CAPITAL" if command[0].isupper() else "SMALL"
    try:
        return (_SYMBOLS.get(command) or unicodedata.lookup(f"GREEK {case} LETTER {command.upper()}")) + space
    except KeyError:
        return ""  # \mathrm, \left, …: what they set follows
