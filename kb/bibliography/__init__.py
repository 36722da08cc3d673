"""Bibliographies as other programs write them: BibTeX and BibLaTeX, CSL-JSON, and Zotero libraries as JSON.

`read` gives one `Entry` for each work, whatever the form; nothing in an entry is guessed. What has no field of its
own is kept in `other`, under the name that it has in the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kb.bibliography.records import Entry, Library
from kb.problems import problem
from kb.records import Place

__all__ = ["Entry", "Library", "is_bibliography", "read"]

ENDINGS = (".bib", ".bibtex", ".json")


def is_bibliography(name: str) -> bool:
    """Whether a file of this name may hold a bibliography."""
    return name.casefold().endswith(ENDINGS)


def read(text: str, path: str) -> Library:
    """The works in a bibliography, and what is wrong with it."""
    from kb.bibliography import bibtex, csl, zotero  # what only an import needs

    if not text.lstrip("\ufeff \t\r\n").startswith(("[", "{")):
        return bibtex.read(text, path)
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        place = Place(path, error.lineno, error.colno)
        return Library("json", problems=(problem("K107", place, f"the JSON cannot be read: {error.msg}"),))
    except RecursionError:
        return Library("json", problems=(problem("K107", Place(path), "the JSON is nested too deeply"),))
    items = data.get("items") if isinstance(data, Mapping) else data
    if isinstance(data, Mapping) and isinstance(items, list):
        return zotero.read(data, items, text, path)
    if isinstance(items, list):
        return zotero.read({}, items, text, path) if _is_zotero(items) else csl.read(items, text, path)
    if isinstance(data, Mapping) and "type" in data:
        return csl.read([data], text, path)
    hint = "export from Zotero as Better BibTeX, Better BibTeX JSON or CSL-JSON"
    return Library("json", problems=(problem("K107", Place(path), "the JSON holds no bibliography", hint),))


def _is_zotero(items: Sequence[Any]) -> bool:
    return any(isinstance(item, Mapping) and "itemType" in item for item in items)
