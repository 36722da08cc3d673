"""CSL-JSON: what citation processors read, and most reference managers export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kb.bibliography.fields import Places, arxiv_in, doi_in, markdown, plain, without, year_in
from kb.bibliography.records import Author, Entry, Library, Skipped
from kb.problems import problem
from kb.records import Place

_VENUES = ("container-title-short", "container-title", "event-title", "event", "collection-title", "publisher")
_USED = (
    *("id", "citation-key", "type", "title", "title-short", "author", "issued", "DOI", "URL", "keyword", "abstract"),
    *("note", "categories"),
)


def read(items: Sequence[Any], text: str, path: str) -> Library:
    """The works in a CSL-JSON list."""
    places = Places(text, path)
    entries = []
    problems = []
    skipped = []
    for item in items:
        if not isinstance(item, Mapping):
            problems.append(problem("K107", places.after(item), f"an item of the list is no mapping: {str(item)[:40]}"))
        elif not plain(item.get("title")):
            place = places.after(item.get("id"), item.get("citation-key"))
            skipped.append(Skipped(place, str(item.get("id", "")), "it has no title"))
        else:
            entries.append(_entry(item, places.after(item.get("id"), item.get("citation-key"), item.get("title"))))
    return Library("csl", tuple(entries), tuple(skipped), tuple(problems))


def _entry(item: Mapping[str, Any], place: Place) -> Entry:
    venue = next((name for name in _VENUES if plain(item.get(name))), "")
    url, note = plain(item.get("URL")), item.get("note")
    number = plain(item.get("number"))
    arxiv = arxiv_in(url, number if "arxiv" in number.casefold() else "", plain(item.get(venue)))
    return Entry(
        place=place,
        type=plain(item.get("type")),
        key=plain(item.get("citation-key")) or plain(item.get("id")),
        title=plain(item.get("title")),
        short_title=plain(item.get("title-short")),
        authors=tuple(_author(each) for each in _list(item.get("author") or item.get("editor"))),
        venue=plain(item.get(venue)) or ("arXiv" if arxiv else ""),
        year=_year(item.get("issued")),
        doi=doi_in(plain(item.get("DOI"))),
        arxiv=arxiv,
        url=url,
        tags=tuple(filter(None, map(str.strip, plain(item.get("keyword")).split(",")))),
        abstract=markdown(str(item.get("abstract") or "")),
        notes=(markdown(note),) if isinstance(note, str) and note.strip() else (),
        other=without(item, (*_USED, venue, *(() if item.get("author") else ("editor",)))),
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _author(name: object) -> Author:
    if not isinstance(name, Mapping):
        return Author(plain(name))
    particle = " ".join(filter(None, [plain(name.get("non-dropping-particle")), plain(name.get("dropping-particle"))]))
    family = " ".join(filter(None, [particle, plain(name.get("family")) or plain(name.get("literal"))]))
    return Author(family, plain(name.get("given")))


def _year(issued: object) -> int | None:
    """The year of a CSL date: `{"date-parts": [[2017, 4]]}`, or the date as a text."""
    if not isinstance(issued, Mapping):
        return year_in(plain(issued))
    parts = issued.get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts else None
    given = first[0] if isinstance(first, list) and first else issued.get("literal") or issued.get("raw")
    return year_in(plain(given))
