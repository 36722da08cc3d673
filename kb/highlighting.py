"""Source code as HTML, in the form that Material styles."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from pygments import highlight as pygments_highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound


def highlight(source: str, language: str, *, first_line: int = 1, anchor_prefix: str = "") -> str:
    """Source code, coloured if the language is known; with a prefix, line 7 is a place to link to: `prefix-7`."""
    code = _colour(source, language)
    if anchor_prefix:
        lines = enumerate(code.removesuffix("\n").split("\n"), start=first_line)
        code = "".join(f'<span id="{escape(anchor_prefix)}-{number}">{line}\n</span>' for number, line in lines)
    return f'<div class="highlight"><pre><span></span><code>{code}</code></pre></div>\n'


def _colour(source: str, language: str) -> str:
    lexer = _lexer(language)
    return pygments_highlight(source, lexer, HtmlFormatter(nowrap=True)) if lexer else escape(source)


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    """The lexer of a language, which leaves blank lines and tabs as they are; None for a language that is not known."""
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language else None
    except ClassNotFound:
        return None
