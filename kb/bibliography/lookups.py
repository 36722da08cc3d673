"""Looking works up: a DOI at doi.org, by content negotiation, and an arXiv number at arXiv's interface for programs.

`KB_DOI_URL` and `KB_ARXIV_URL` name other services that give the same answers.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from kb.authors import surname_first
from kb.bibliography import csl
from kb.bibliography.citing import is_known_venue
from kb.bibliography.fetching import Question, absent, answered
from kb.bibliography.fields import doi_in, year_in
from kb.bibliography.records import Author, Entry
from kb.citation import read_citation
from kb.records import Place

_ARXIV_PLACES = (
    r"(?:https?://)?(?:[\w-]+\.)?arxiv\.org/(?:abs|pdf|html)/|arxiv:\s*",
    r"(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:\s*)?10\.48550/arxiv\.",
)
_ARXIV = re.compile(
    rf"(?:{'|'.join(_ARXIV_PLACES)})?(?P<number>\d{{4}}\.\d{{4,5}}|[a-z-]+(?:\.[a-z]{{2}})?/\d{{7}})(?:v\d+)?(?:\.pdf)?/?",
    re.IGNORECASE,
)
_DOI = re.compile(r"(?:(?:https?://)?(?:dx\.|www\.)?doi\.org/|doi:\s*)?(?P<doi>10\.\d{4,9}/\S+)", re.IGNORECASE)
_ACRONYM = re.compile(r"[A-Z][A-Za-z]*[A-Z]")
_ATOM = {"atom": "http://www.w3.org/2005/Atom", "arxiv": "http://arxiv.org/schemas/atom"}


class Number(NamedTuple):
    """What a work can be looked up by."""

    kind: Literal["arxiv", "doi"]
    value: str


def number_in(text: str) -> Number | None:
    """The arXiv number or DOI that a text is, by itself or as an address; None for another text."""
    text = unquote(text.strip()) if "://" in text else text.strip()
    address = re.split(r"[?#]", text)[0] if "://" in text else text
    if found := _ARXIV.fullmatch(address):
        return Number("arxiv", found["number"])
    if found := _DOI.fullmatch(text):
        return Number("doi", found["doi"])
    in_address = doi_in(address) if re.match(r"https?://", address) else ""
    return Number("doi", in_address) if in_address else None


def look_up(number: Number) -> Entry:
    """What is known of a work; Unanswered where that cannot be found out."""
    return _by_arxiv(number.value) if number.kind == "arxiv" else _by_doi(number.value)


def _by_doi(doi: str) -> Entry:
    base = os.environ.get("KB_DOI_URL") or "https://doi.org/"
    address = f"{base.rstrip('/')}/{quote(doi, safe='/:;()')}"
    question = Question(f"the DOI {doi}", address, "application/vnd.citationstyles.csl+json")
    return replace(answered(question, _read_csl), doi=doi, key="")


def _read_csl(body: bytes) -> Entry:
    try:
        item = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if not isinstance(item, Mapping):
        raise ValueError("it is no CSL-JSON item")
    library = csl.read([dict(_tidied(item))], "", "")
    if not library.entries:
        raise ValueError("it gives no title")
    return replace(library.entries[0], place=Place(""))


def _tidied(item: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """An item without what registries do to it: titles in lists, texts escaped for HTML."""
    texts = {name: _first_text(value) for name, value in item.items() if "title" in name}
    known = is_known_venue(texts.get("container-title", ""))
    for name, value in {**item, **texts}.items():
        if name != "container-title-short" or not known:  # the long name tells us which venue it is
            yield name, value


def _first_text(value: object) -> str:
    texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
    known = next(filter(is_known_venue, texts), "")
    return html.unescape(known or next(iter(texts), ""))


def _by_arxiv(number: str) -> Entry:
    base = os.environ.get("KB_ARXIV_URL") or "https://export.arxiv.org/api/query"
    address = f"{base}?id_list={quote(number, safe='/')}&max_results=1"
    question = Question(f"the arXiv number {number}", address, "application/atom+xml")

    def read(body: bytes) -> Entry:
        entry = _feed(body).find("atom:entry", _ATOM)
        if entry is None or "/api/errors" in _text(entry, "atom:id") or not _text(entry, "atom:title"):
            raise absent(question)
        return _of_arxiv(entry, number)

    return answered(question, read)


def _feed(body: bytes) -> ElementTree.Element:
    try:
        feed = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is no XML ({error})") from None
    if feed.tag != f"{{{_ATOM['atom']}}}feed":
        raise ValueError("it is no Atom feed")
    return feed


def _of_arxiv(entry: ElementTree.Element, number: str) -> Entry:
    names = [" ".join((name.text or "").split()) for name in entry.iterfind("atom:author/atom:name", _ATOM)]
    venue, year = _published(_text(entry, "arxiv:journal_ref"))
    return Entry(
        place=Place(""),
        type="article",
        title=_text(entry, "atom:title"),
        authors=tuple(map(_author, filter(None, names))),
        venue=venue or "arXiv",
        year=year or year_in(_text(entry, "atom:published")),
        doi=doi_in(_text(entry, "arxiv:doi")),
        arxiv=number,
    )


def _text(entry: ElementTree.Element, name: str) -> str:
    return " ".join(entry.findtext(name, "", _ATOM).split())


def _published(reference: str) -> tuple[str, int | None]:
    """Where and when a preprint was published, if its authors say so in a form that leaves no doubt."""
    cited = read_citation(f"Author A. A title of some words. {reference}") if reference else None
    if cited and cited.year and (is_known_venue(cited.venue) or _ACRONYM.fullmatch(cited.venue)):
        return cited.venue, cited.year
    return "", None


def _author(name: str) -> Author:
    """A name as arXiv gives it, the surname last."""
    family, given = surname_first(name)
    if not given and " " in name:
        given, _, family = name.rpartition(" ")
    return Author(family, given)
