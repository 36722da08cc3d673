"""What the site tells programs about itself: feeds of new and changed cards, llms.txt, robots.txt.

Dates are those of the cards' front matter, never the clock's: a card without one is in no feed. The identifiers of
entries do not hold the site's address, so that a site that moves is not news.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import date
from xml.etree import ElementTree

from kb.bibliography.writing import plain_citation
from kb.pages import addresses
from kb.pages.metadata import twin_path
from kb.pages.site import Site
from kb.pages.views import CardView
from kb.records import Card

ATOM = "http://www.w3.org/2005/Atom"
NEWEST = 50  # entries that a feed holds
NEVER = "1970-01-01"  # when a feed without entries was changed
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def day(text: str) -> str:
    """A date as feeds have it, without the time; "" for what is none."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return ""


def dated(site: Site) -> list[tuple[str, CardView]]:
    """The cards with a date, each with the day of its last change, the newest first."""
    days = [(max(day(view.card.updated), day(view.card.date)), view) for view in site.cards]
    found = sorted((each for each in days if each[0]), key=lambda each: each[1].path)
    return sorted(found, key=lambda each: each[0], reverse=True)[:NEWEST]


def identifier(site: Site, path: str) -> str:
    """What names a page for ever."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"paperkb:{site.base.settings.site_name}/{path}").urn


def title_of(card: Card) -> str:
    """A card's name, and the paper's title where it says more."""
    name, title = card.name or card.citekey, card.citation.title
    return f"{name}: {title}" if title and not title.casefold().startswith(name.casefold()) else title or name


# ----------------------------------------------------------------------------------------------------------- feeds


def atom(site: Site) -> str:
    """The Atom feed (RFC 4287)."""
    found = dated(site)
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": site.texts.language})
    _text(feed, "id", identifier(site, ""))
    _text(feed, "title", site.base.settings.site_name)
    _text(feed, "updated", _moment(found[0][0] if found else NEVER))
    _text(ElementTree.SubElement(feed, "author"), "name", site.base.settings.site_name)
    ElementTree.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": site.url(addresses.HOME)})
    if site.address:
        ElementTree.SubElement(feed, "link", {"rel": "self", "href": site.url(addresses.ATOM)})
    for changed, view in found:
        _entry(site, feed, changed, view)
    ElementTree.indent(feed)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(feed, encoding="unicode")}\n'


def _entry(site: Site, feed: ElementTree.Element, changed: str, view: CardView) -> None:
    entry, card = ElementTree.SubElement(feed, "entry"), view.card
    _text(entry, "id", identifier(site, view.path))
    _text(entry, "title", title_of(card))
    _text(entry, "updated", _moment(changed))
    if day(card.date):
        _text(entry, "published", _moment(day(card.date)))
    ElementTree.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": site.url(view.path)})
    _text(entry, "summary", plain_citation(card))
    for tag in dict.fromkeys(card.tags):
        ElementTree.SubElement(entry, "category", {"term": _NOT_XML.sub("", tag)})


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = _NOT_XML.sub("", text)


def _moment(day: str) -> str:
    return f"{day}T00:00:00Z"


def json_feed(site: Site) -> str:
    """The same as a JSON Feed (https://jsonfeed.org/version/1.1)."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.base.settings.site_name,
        "home_page_url": site.url(addresses.HOME) if site.address else "",
        "feed_url": site.url(addresses.JSON_FEED) if site.address else "",
        "language": site.texts.language,
        "items": [_item(site, changed, view) for changed, view in dated(site)],
    }
    return json.dumps({key: value for key, value in feed.items() if value != ""}, ensure_ascii=False, indent=2) + "\n"


def _item(site: Site, changed: str, view: CardView) -> dict[str, object]:
    card = view.card
    item = {
        "id": identifier(site, view.path),
        "url": site.url(view.path),
        "title": title_of(card),
        "content_text": plain_citation(card) or title_of(card),
        "date_published": _moment(day(card.date)) if day(card.date) else "",
        "date_modified": _moment(changed),
        "language": card.lang,
        "tags": list(dict.fromkeys(card.tags)),
    }
    return {key: value for key, value in item.items() if value}


# --------------------------------------------------------------------------------------------------- other readers


def llms_txt(site: Site) -> str:
    """The site for language models (https://llmstxt.org): what it is, and every card's Markdown, by kind."""
    t, settings = site.texts, site.base.settings
    lines = [f"# {_one_line(settings.site_name)}", "", f"> {t('home.lead')}", "", t("llms.about")]
    for group in site.groups["kind"]:
        lines += ["", f"## {_one_line(group.label)}", "", *_listed(site, group.views)]
    lines += ["", f"## {t('data.title')}", "", f"- [{t('data.title')}]({site.url(addresses.DATA)}): {t('data.lead')}"]
    return "\n".join(lines) + "\n"


def _listed(site: Site, views: tuple[CardView, ...]) -> Iterator[str]:
    for view in views:
        name, cited = _one_line(view.card.name or view.card.citekey), view.card.citation
        year = f" ({cited.year})" if cited.year else ""
        title = _one_line(cited.title or cited.text)
        yield f"- [{name}]({site.url(twin_path(view))}){f': {title}{year}' if title else year}"


def _one_line(text: str) -> str:
    return " ".join(text.replace("[", "(").replace("]", ")").split())


def robots_txt(site: Site) -> str:
    """Everything may be read, and the sitemap lists it."""
    return f"User-agent: *\nAllow: /\nSitemap: {site.url('sitemap.xml')}\n"
