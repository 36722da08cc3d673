"""Note bodies: each section of a card rendered for its page, its links and images resolved to the site's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from kb.base import path_beside
from kb.bodies import BodyContext, Prepared, complete, prepare
from kb.pages import addresses, claims, figures
from kb.pages.site import Site
from kb.pages.views import CardView
from kb.records import Card, Link
from kb.texts import Texts

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


@dataclass(frozen=True, slots=True)
class Body:
    """A rendered part of a card: its heading ("" for the introduction), anchor, and the name of its HTML file."""

    heading: str
    anchor: str
    name: str
    html: str
    images: tuple[tuple[str, str], ...] = ()  # path from the root, and where it is published


def parts(card: Card) -> Iterator[Part]:
    """The parts of a card that its page shows, in its order; the anchors of known sections are their ids."""
    if card.intro.strip():
        yield Part("", "intro", card.intro, card.intro_line)
    for section, anchor in zip(card.sections, _anchors(card), strict=True):
        yield Part(section.heading, anchor, section.markdown, section.line + 1)


class PreparedPart(NamedTuple):
    """A part of a card, rendered as far as its own text tells."""

    heading: str
    context: BodyContext
    body: Prepared


def prepared(card: Card, texts: Texts) -> list[PreparedPart]:
    """The parts of a card, as far as they can be rendered without its page."""
    return [_prepared(part, card, texts) for part in parts(card)]


def _prepared(part: Part, card: Card, texts: Texts) -> PreparedPart:
    titles = texts.under("callout")
    context = BodyContext(part.first_line, card.definitions, part.anchor, callout_titles=titles)
    return PreparedPart(part.heading, context, prepare(part.markdown, context))


def bodies(site: Site, view: CardView) -> Iterator[Body]:
    """The parts of a card, rendered."""
    for part in site.prepared(view.card) or prepared(view.card, site.texts):
        yield _body(site, view, part)


def _anchors(card: Card) -> list[str]:
    return addresses.numbered(each.id or f"section-{addresses.slug(each.heading)}"[:80] for each in card.sections)


def _body(site: Site, view: CardView, part: PreparedPart) -> Body:
    images: dict[str, str] = {}

    def resolve_and_keep(link: Link) -> str | None:
        found = image(site, view.card, link.target) if link.kind == "image" else None
        images.update([found] if found else [])
        return resolve(site, view, link)

    anchor = part.context.prefix
    context = replace(
        part.context,
        resolve=resolve_and_keep,
        cell=figures.cell_writer(view, site.texts),
        table=figures.legend_writer(view, site.texts),
        code=lambda text: _link_of_code(site, view, text),
        value=claims.claim_writer(view, site.texts, site.base.outcome),
        name=lambda target: _name(site, view.card, target),
    )
    name = f"{view.path.removesuffix('.html')}/{anchor}.html"
    return Body(part.heading, anchor, name, _for_search(complete(part.body, context)), tuple(images.items()))


def _for_search(html: str) -> str:
    """The search keeps text alone: a formula's source is noise in it, and cells would run into each other."""
    return html.replace('class="arithmatex">', 'class="arithmatex" data-search-exclude="">').replace(
        "</td><", "</td>\n<"
    )


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
    if card is None or not card.publish or not (target or _anchor_of(card, heading)):
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
    wanted = addresses.slug(unquote(heading))
    named = zip(card.sections, _anchors(card), strict=True)
    return next((anchor for each, anchor in named if wanted in (anchor, addresses.slug(each.heading))), "")


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
