"""Where everything stands on the site: paths from its root, and the relative links between them."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from urllib.parse import quote

HOME = "index.html"
CARDS = "cards/index.html"
MODELS = "models.html"
FIGURES = "figures.html"
DISCREPANCIES = "discrepancies.html"
CONVENTIONS = "conventions.html"
CODES = "codes/index.html"
GROUPINGS = ("year", "venue", "kind", "author", "tag")

_NOT_WORD = re.compile(r"[^\w]+")
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|#%\s]')


def is_file_name(name: str) -> bool:
    """Whether a key may name a page: no path, nothing hidden, nothing that a file system or a link cannot hold."""
    usable = name.isprintable() and not name.startswith(".") and not _NOT_IN_NAMES.search(name)
    return bool(name) and usable and name != "index" and unicodedata.is_normalized("NFC", name)


def card_stem(citekey: str, lang: str = "") -> str:
    """A card's path from the site's root, without `.html`; `lang` only for a card in a second language."""
    return f"{lang}/cards/{citekey}" if lang else f"cards/{citekey}"


def grouping(name: str) -> str:
    """The path of an index page."""
    return f"by/{name}.html"


def code(name: str) -> str:
    """The path of the page that explains a code of `kb check`."""
    return f"codes/{name}.html"


def source_of(path: str) -> str:
    """The staged Markdown file that becomes the page at `path`."""
    return f"pages/{path.removesuffix('.html')}.md"


def link(page: str, target: str, fragment: str = "") -> str:
    """The href from one page to another, both given from the site's root."""
    if page == target and fragment:
        return "#" + quote(fragment)
    relative = posixpath.relpath(target, posixpath.dirname(page) or ".")
    return quote(relative) + ("#" + quote(fragment) if fragment else "")


def slug(text: str) -> str:
    """A fragment identifier from any text: letters and digits of all scripts, joined by hyphens."""
    return _NOT_WORD.sub("-", text.lower()).strip("-_") or "x"


def unique_slugs(texts: list[str], prefix: str = "") -> dict[str, str]:
    """A slug per text; texts that would share one get a number."""
    slugs: dict[str, str] = {}
    last: dict[str, int] = {}  # the number that was given last, by slug
    for text in dict.fromkeys(texts):
        base = candidate = prefix + slug(text)
        while candidate in last:
            last[base] += 1
            candidate = f"{base}-{last[base]}"
        last[candidate] = 1
        slugs[text] = candidate
    return slugs
