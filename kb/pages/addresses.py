"""Where everything stands on the site: paths from its root, and the relative links between them."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from urllib.parse import quote

from kb.anchors import numbered, slug
from kb.file_names import excess, fault, hidden_letter
from kb.lock import file_name

HOME = "index.html"
CARDS = "cards/index.html"
MODELS = "models.html"
FIGURES = "figures.html"
DISCREPANCIES = "discrepancies.html"
CONVENTIONS = "conventions.html"
CODES = "codes/index.html"
SEARCH = "search.html"
LINEAGE = "lineage.html"
TO_READ = "to-read.html"
LINKS = "links.json"
DATA = "data/index.html"
ATOM = "feed.xml"
JSON_FEED = "feed.json"
GROUPINGS = ("year", "venue", "kind", "author", "tag")

_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|#%\s]')


def is_file_name(name: str) -> bool:
    """Whether a key may name a page: no path, nothing hidden, nothing that a file system or a link cannot hold."""
    usable = name.isprintable() and not name.startswith(".") and not _NOT_IN_NAMES.search(name)
    usable = usable and not hidden_letter(name) and not fault(name) and not excess(name)
    return bool(name) and usable and name.casefold() != "index" and unicodedata.is_normalized("NFC", name)


def card_stem(citekey: str, lang: str = "") -> str:
    """A card's path from the site's root, without `.html`; `lang` only for a card in a second language."""
    return f"{lang}/cards/{citekey}" if lang else f"cards/{citekey}"


def grouping(name: str) -> str:
    """The path of an index page."""
    return f"by/{name}.html"


def code(name: str) -> str:
    """The path of the page that explains a code of `kb check`."""
    return f"codes/{name}.html"


def figure_data(name: str) -> str:
    """The path of what a runnable figure was drawn from."""
    return f"figures/{name}.json"


def layers(call: str, language: str) -> str:
    """The path of a call's layers as a table, with our words in a language."""
    return f"layers/{file_name(call).removesuffix('.csv')}.{language}.tsv"


def panels(path: str) -> str:
    """The path of what the card with the page at `path` shows of its many models only when they are opened."""
    return f"{path.removesuffix('.html')}.panels.json"


def source_of(path: str) -> str:
    """The staged Markdown file that becomes the page at `path`."""
    return f"pages/{path.removesuffix('.html')}.md"


def pieces(path: str) -> str:
    """The staged file of what the card with the page at `path` brings to the files of all cards."""
    return f"pieces/{path.removesuffix('.html')}.json"


def search_entry(path: str) -> str:
    """The staged file of what the page at `path` adds to the search index."""
    return f"pieces/{path.removesuffix('.html')}.found"


def is_found_by(staged: str) -> bool:
    """Whether a staged file holds what a page adds to the search index."""
    return staged.startswith("pieces/") and staged.endswith(".found")


def found_by(staged: str) -> str:
    """The page whose additions to the search index such a file holds."""
    return staged.removeprefix("pieces/").removesuffix(".found") + ".html"


def link(page: str, target: str, fragment: str = "") -> str:
    """The href from one page to another, both given from the site's root."""
    if page == target and fragment:
        return "#" + quote(fragment)
    relative = posixpath.relpath(target, posixpath.dirname(page) or ".")
    return quote(relative) + ("#" + quote(fragment) if fragment else "")


def comparison(page: str, citekey: str, call: str) -> str:
    """The href from a page to the compare page, with a card's calls chosen and all compared with one of them."""
    return f"{link(page, MODELS)}?call={quote(call, safe='(),:')}&card={quote(citekey)}"


def unique_slugs(texts: list[str], prefix: str = "") -> dict[str, str]:
    """A slug per text; texts that would share one get a number."""
    different = list(dict.fromkeys(texts))
    return dict(zip(different, numbered([prefix + slug(text) for text in different]), strict=True))
