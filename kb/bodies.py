"""Note bodies as HTML: what the author wrote, with links resolved and figures added by the page, sanitised last."""

from __future__ import annotations

from dataclasses import dataclass

from kb.body_renderer import BodyRenderer
from kb.filling import filled
from kb.highlighting import highlight
from kb.line_renderer import BodyContext, Gap
from kb.markdown import parse, parse_anew
from kb.sanitising import clean

__all__ = ["BodyContext", "Prepared", "complete", "highlight", "prepare", "render"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A body as far as its own text tells: HTML with marks where the page has something to fill in."""

    html: str
    gaps: tuple[Gap, ...]


def render(text: str, context: BodyContext) -> str:
    """The HTML of a body, safe to put into a page."""
    return complete(prepare(text, context), context)


def prepare(text: str, context: BodyContext) -> Prepared:
    """The part of the work that needs nothing of the page: the hooks of the context are not asked."""
    tokens = parse_anew(text, context.definitions) if context.definitions else parse(text)
    renderer = BodyRenderer(context, tokens)
    return Prepared(renderer.render_all(tokens), tuple(renderer.gaps))


def complete(body: Prepared, context: BodyContext) -> str:
    """The HTML of a prepared body, its gaps filled by the page, safe to put into it."""
    return clean(filled(body.html, body.gaps, context))
