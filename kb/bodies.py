"""Note bodies as HTML: what the author wrote, with links resolved and figures added by the page, sanitised last."""

from __future__ import annotations

from markdown_it.token import Token

from kb.body_renderer import BodyRenderer
from kb.highlighting import highlight
from kb.line_renderer import BodyContext
from kb.markdown import parse_anew
from kb.sanitising import clean

__all__ = ["BodyContext", "highlight", "render", "render_tokens"]


def render(text: str, context: BodyContext) -> str:
    """The HTML of a body, safe to put into a page."""
    return render_tokens(parse_anew(text, context.definitions), context)


def render_tokens(tokens: list[Token], context: BodyContext) -> str:
    """The HTML of a body that has been parsed."""
    if context.mentions:
        context.mentions(tokens)
    return clean(BodyRenderer(context, tokens).render_all(tokens))
