"""What the head of a card's page says to programs: Highwire tags for reference managers, JSON-LD for search engines.

The theme prints it from the front matter, where it is escaped (templates/theme/partials/kb-head.html). Zotero takes the
type of the item from the venue's tag, and for a preprint, which has none, from DC.type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kb.bibliography.writing import addresses, arxiv_number, doi, kind_of_work, name_parts
from kb.pages.formats import json_members
from kb.pages.views import CardView
from kb.records import Card

_VENUES = {"conference": "citation_conference_title", "journal": "citation_journal_title", "preprint": "DC.type"}
_HAN, _KANA = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[\u3040-\u30ff]")

Json = dict[str, Any]


def head_of_card(view: CardView, image: str, site_name: str) -> Json:
    """What a card's page carries in its head besides title and description. `image` is a path, or ""."""
    card = view.card
    return {
        "type": "article",
        "lang": card.lang,
        "image": image,
        "twin": twin_path(view),
        "citation": [list(tag) for tag in highwire(card)] if card.citation.title else [],
        "json_ld": json_members(json_ld(card, site_name)),
    }


def twin_path(view: CardView) -> str:
    """Where the card's Markdown is: `.md.txt`, since site builders take each `.md` for the source of a page."""
    return f"{view.path.removesuffix('.html')}.md.txt"


def highwire(card: Card) -> Iterator[tuple[str, str]]:
    """The paper as reference managers read it from a page: name and content of each tag."""
    cited, kind, number = card.citation, kind_of_work(card), arxiv_number(card)
    where = addresses(card)
    yield "citation_title", cited.title
    yield from (("citation_author", _sorted_name(name)) for name in cited.authors)
    if cited.year:
        yield "citation_publication_date", str(cited.year)
    yield _VENUES[kind], "preprint" if kind == "preprint" else cited.venue
    if kind == "preprint":
        yield "citation_publisher", cited.venue or "arXiv"
    else:
        yield "prism.publicationName", cited.venue  # or Zotero takes the name of this site for it
    if name := doi(card):
        yield "citation_doi", name
    if number:
        yield "citation_arxiv_id", number
        yield "citation_pdf_url", f"https://arxiv.org/pdf/{number}"
    if where:
        yield "citation_public_url", next(iter(where.values()))
    if language := language_of(cited.title):
        yield "citation_language", language


def _sorted_name(name: str) -> str:
    """A name with its surname first, as the tags have it."""
    surname, given, suffix = name_parts(name)
    return ", ".join(filter(None, (surname, f"{given} {suffix}".strip())))


def language_of(title: str) -> str:
    """The language of a title, where its script tells it: English, for which ASCII is taken, or Chinese; else ""."""
    if title.isascii():
        return "en"
    return "zh" if _HAN.search(title) and not _KANA.search(title) else ""


def json_ld(card: Card, site_name: str) -> Json:
    """The note as an article about a scholarly article; the page adds the context, and its own address."""
    note = {
        "@type": "Article",
        "headline": card.name or card.citekey,
        "inLanguage": card.lang,
        "keywords": list(card.tags),
        "datePublished": card.date,
        "dateModified": card.updated,
        "isPartOf": {"@type": "WebSite", "name": site_name} if site_name else None,
        "about": _paper(card),
    }
    return {name: value for name, value in note.items() if value}


def _paper(card: Card) -> Json:
    cited = card.citation
    numbers = {"doi": doi(card), "arXiv": arxiv_number(card)}
    paper = {
        "@type": "ScholarlyArticle",
        "headline": cited.title or cited.text,
        "author": [_author(name) for name in cited.authors],
        "datePublished": str(cited.year or ""),
        "isPartOf": {"@type": "PublicationVolume", "name": cited.venue} if cited.venue else None,
        "identifier": [
            {"@type": "PropertyValue", "propertyID": name, "value": number}
            for name, number in numbers.items()
            if number
        ],
        "sameAs": list(addresses(card).values()),
        "inLanguage": language_of(cited.title) if cited.title else "",
    }
    return {name: value for name, value in paper.items() if value}


def _author(name: str) -> Json:
    found = name_parts(name)
    if not found.given:
        return {"@type": "Person" if _HAN.match(name) else "Thing", "name": found.surname}
    whole = " ".join(filter(None, (found.given, found.surname, found.suffix)))
    return {"@type": "Person", "name": whole, "familyName": found.surname, "givenName": found.given}
