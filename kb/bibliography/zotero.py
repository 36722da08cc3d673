"""A Zotero library as Better BibTeX writes it to JSON: items with their notes, tags, attachments and collections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kb.bibliography.fields import Places, arxiv_in, doi_in, markdown, plain, without, year_in
from kb.bibliography.records import Author, Entry, Library, Skipped
from kb.problems import problem
from kb.records import Place

_VENUES = (
    *("conferenceName", "proceedingsTitle", "journalAbbreviation", "publicationTitle", "bookTitle", "websiteTitle"),
    *("university", "institution", "repository", "publisher"),
)
_USED = (
    *("itemType", "title", "shortTitle", "creators", "date", "DOI", "url", "tags", "abstractNote", "notes", "extra"),
    *("attachments", "citationKey", "citekey", "archiveID", "collections", "relations"),
    *("itemID", "key", "itemKey", "libraryID", "version", "uri", "select", "dateAdded", "dateModified", "accessDate"),
    *("libraryCatalog",),
)
_KEY_IN_EXTRA = re.compile(r"^\s*citation key:\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)


def read(data: Mapping[str, Any], items: Sequence[Any], text: str, path: str) -> Library:
    """The works in a library; notes and attachments that belong to none are skipped, and named."""
    places = Places(text, path)
    collections = _collections(data.get("collections"))
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    problems = []
    for item in items:
        if not isinstance(item, Mapping):
            problems.append(problem("K107", places.after(item), f"an item of the list is no mapping: {str(item)[:40]}"))
            continue
        place = places.after(item.get("citationKey"), item.get("citekey"), item.get("title"), item.get("key"))
        kind = plain(item.get("itemType"))
        if kind in ("note", "attachment", "annotation"):
            skipped.append(Skipped(place, _beginning(item), f"{kind} without a work"))
        elif not plain(item.get("title")):
            skipped.append(Skipped(place, plain(item.get("key")), "it has no title"))
        else:
            entries.append(_entry(item, place, collections))
    return Library("zotero", tuple(entries), tuple(skipped), tuple(problems))


def _entry(item: Mapping[str, Any], place: Place, collections: Mapping[object, list[str]]) -> Entry:
    extra = item.get("extra") if isinstance(item.get("extra"), str) else ""
    key_in_extra = _KEY_IN_EXTRA.search(extra or "")
    venue = next((name for name in _VENUES if plain(item.get(name))), "")
    arxiv = arxiv_in(plain(item.get("archiveID")), plain(item.get("url")), *(extra or "").splitlines())
    other = without(item, (*_USED, venue))
    rest = _KEY_IN_EXTRA.sub("", extra or "").strip()
    return Entry(
        place=place,
        type=plain(item.get("itemType")),
        key=plain(item.get("citationKey")) or plain(item.get("citekey")) or (key_in_extra[1] if key_in_extra else ""),
        title=plain(item.get("title")),
        short_title=plain(item.get("shortTitle")),
        authors=tuple(_authors(item.get("creators"))),
        venue=plain(item.get(venue)) or ("arXiv" if arxiv else ""),
        year=year_in(plain(item.get("date"))),
        doi=doi_in(plain(item.get("DOI"))) or doi_in(rest),
        arxiv=arxiv,
        url=plain(item.get("url")),
        tags=tuple(filter(None, (plain(_named(tag, "tag")) for tag in _list(item.get("tags"))))),
        abstract=markdown(str(item.get("abstractNote") or "")),
        notes=tuple(filter(None, (markdown(str(_named(each, "note") or "")) for each in _list(item.get("notes"))))),
        files=tuple(filter(None, (_file(each) for each in _list(item.get("attachments"))))),
        other=other
        | ({"extra": rest} if rest else {})
        | ({"collections": named} if (named := collections.get(item.get("itemID"), [])) else {}),
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else value


def _authors(creators: object) -> Iterator[Author]:
    """The authors; where an item has none, whoever else made it."""
    people = [each for each in _list(creators) if isinstance(each, Mapping)]
    authors = [each for each in people if each.get("creatorType", "author") == "author"]
    for each in authors or people:
        family = plain(each.get("lastName")) or plain(each.get("name"))
        if family:
            yield Author(family, plain(each.get("firstName")))


def _file(attachment: object) -> str:
    if not isinstance(attachment, Mapping):
        return plain(attachment)
    path = plain(attachment.get("localPath")) or plain(attachment.get("path"))
    return re.split(r"[/\\]", path)[-1] or plain(attachment.get("title"))


def _beginning(item: Mapping[str, Any]) -> str:
    text = markdown(str(item.get("note") or "")) or plain(item.get("title")) or plain(item.get("key"))
    return next((line for line in text.splitlines() if line.strip()), "")


def _collections(data: object) -> dict[object, list[str]]:
    """The names of the collections that hold each item, by its number."""
    held: dict[object, list[str]] = {}
    for each in data.values() if isinstance(data, Mapping) else ():
        for item in _list(_named(each, "items")):
            held.setdefault(item, []).append(plain(_named(each, "name")))
    return held
