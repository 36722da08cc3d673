"""Note bodies: each section of a card rendered for its page, its links and images resolved to the site's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from kb.anchors import INTRO, section_anchors, slug
from kb.base import path_beside
from kb.bodies import BodyContext, render_tokens
from kb.image_sizes import image_size
from kb.markdown import body_text, parse_anew
from kb.mentions import link_mentions
from kb.pages import addresses, claims, figures, lineage, plots
from kb.pages.site import Site
from kb.pages.views import CardView
from kb.records import Card, Link
from kb.tables import MODELS_SECTION

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"})

# An SVG is a document that could run script when it is opened by itself.
_ACTIVE_SVG = re.compile(
    rb"<\s*script|<\s*foreignObject|\bon\w+\s*=|javascript:|<!ENTITY|<\?xml-stylesheet", re.IGNORECASE
)


class Part(NamedTuple):
    """A part of a card: its heading ("" for the introduction), anchor, and source, with the line this begins on."""

    heading: str
    anchor: str
    markdown: str
    first_line: int
    section: str = ""  # the schema's id of the section


@dataclass(frozen=True, slots=True)
class Body:
    """A rendered part of a card: its heading ("" for the introduction), anchor, and the name of its HTML file.

    `text` is what the search finds it by.
    """

    heading: str
    anchor: str
    name: str
    html: str
    text: str
    images: tuple[tuple[str, str], ...] = ()  # path from the root, and where it is published
    private: bool = False  # not for the public site


def parts(card: Card) -> Iterator[Part]:
    """The parts of a card that its page shows, in its order; the anchors of known sections are their ids."""
    if card.intro.strip():
        yield Part("", INTRO, card.intro, card.intro_line)
    for section, anchor in zip(card.sections, section_anchors(card.sections), strict=True):
        yield Part(section.heading, anchor, section.markdown, section.line + 1, section.id)


def bodies(site: Site, view: CardView) -> Iterator[Body]:
    """The parts of a card, rendered."""
    return (_body(site, view, part) for part in parts(view.card))


def _body(site: Site, view: CardView, part: Part) -> Body:
    images: dict[str, str] = {}
    texts = site.texts_of(view.card)

    def resolve_and_keep(link: Link) -> str | None:
        found = image(site, view.card, link.target) if link.kind == "image" else None
        images.update([found] if found else [])
        return resolve(site, view, link)

    context = BodyContext(
        first_line=part.first_line,
        definitions=view.card.definitions,
        prefix=part.anchor,
        resolve=resolve_and_keep,
        cell=figures.cell_writer(view, texts),
        table=figures.legend_writer(view, texts),
        code=lambda text: _link_of_code(site, view, text),
        value=claims.claim_writer(view, texts, site.base.outcome),
        name=lambda target: _name(site, view.card, target),
        mentions=(lambda tokens: link_mentions(tokens, view.card, site.names_in(view.card).names))
        if _names_papers(site, view.card, part)
        else None,
        size=lambda target: _size(site, view.card, target),
        labels=texts.under("body"),
        callout_titles=texts.under("callout"),
        figure=lambda target, text: _place_of_figure(site, view, target, text),
    )
    name = f"{view.path.removesuffix('.html')}/{part.anchor}.html"
    tokens = parse_anew(part.markdown, view.card.definitions)
    text = body_text(tokens, lambda source: claims.in_text(view, source))
    private = part.section in site.base.schema.private
    return Body(part.heading, part.anchor, name, render_tokens(tokens, context), text, tuple(images.items()), private)


def _names_papers(site: Site, card: Card, part: Part) -> bool:
    """Whether a part may name papers, where it is to become links; the list of models names models."""
    if part.anchor == MODELS_SECTION:
        return False
    return "[[" in part.markdown or any(each.section == part.anchor for each in site.base.links_of(card))


def _place_of_figure(site: Site, view: CardView, target: str, text: str) -> str | None:
    """What stands for a runnable figure that has been drawn; its words alone for one that has not."""
    name = site.base.figure_named(view.card, target)
    if name is None:
        return None
    words = escape(text, quote=False)
    return plots.place_of(name, words) if site.plot(name) else f'<span class="kb-unresolved">{words or name}</span>'


def _link_of_code(site: Site, view: CardView, text: str) -> str | None:
    """Where a code span leads: to the model that it names, or to its line in the list of expressions."""
    claim = view.claim(text)
    if claim:
        return f"#{claim.anchor}"
    model = view.model(site.base.normal_call(text)) if "(" in text else None
    return f"#{model.anchor}" if model else None


def resolve(site: Site, view: CardView, link: Link) -> str | None:
    """The address on the site for what a note links to; None for what leads nowhere."""
    if link.kind == "image":
        found = image(site, view.card, link.target)
        return addresses.link(view.path, found[1]) if found else None
    target, _, heading = link.target.partition("#")
    card = site.base.linked(view.card, target)
    if card is None and link.kind == "wiki" and (planned := site.base.planned(target)):
        return addresses.link(view.path, addresses.TO_READ, lineage.to_read_anchor(planned))
    if card is None or not (target or _anchor_of(card, heading)):
        return None
    return addresses.link(view.path, site.path_of(card), _anchor_of(card, heading))


def _name(site: Site, card: Card, target: str) -> str | None:
    """What readers call the card that a wiki link names by its key; links by name or alias are text already."""
    found = site.base.resolve(target, card.lang)
    return found.name if found and found.citekey == target else None


def _anchor_of(card: Card, heading: str) -> str:
    """The anchor of the section with a heading, however the link spells it; "" where there is none."""
    if not heading:
        return ""
    wanted = slug(unquote(heading))
    named = zip(card.sections, section_anchors(card.sections), strict=True)
    return next((anchor for each, anchor in named if wanted in (anchor, slug(each.heading))), "")


def _size(site: Site, card: Card, target: str) -> tuple[int, int] | None:
    """The size of an image of a note."""
    found = image(site, card, target)
    return image_size(site.base.settings.root / found[0]) if found else None


def image(site: Site, card: Card, target: str) -> tuple[str, str] | None:
    """An image of a note: its path from the root, and where it is published; None where there is no such image."""
    path = path_beside(card, target)
    if path is None or PurePosixPath(path).suffix.lower() not in IMAGES:
        return None
    if not site.file(path):
        return None
    file = site.base.settings.root / path
    if file.suffix.lower() == ".svg" and _ACTIVE_SVG.search(file.read_bytes()):
        return None
    notes = PurePosixPath(site.base.settings.notes)
    inside = PurePosixPath(path).is_relative_to(notes)
    return path, f"cards/{PurePosixPath(path).relative_to(notes)}" if inside else f"files/{path}"
