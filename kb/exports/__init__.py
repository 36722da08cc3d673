"""The cards' data as other programs read them: BibTeX, CSL-JSON, JSON, CSV, SQLite, a model index.

A file of text is a head, a piece for each card (or measurement), and a tail. A piece is made of its own card and of the
measurements that the card names, so that one changed card leaves the pieces of the others as they are.
"""

from __future__ import annotations

from kb.exports.columns import TABLES, datasette_metadata, described
from kb.exports.files import (
    DATABASE,
    FILES,
    MOST_IN_DATABASE,
    VERSION,
    Pieces,
    content,
    contents,
    file_for,
    pieces_of,
    revised,
    with_database,
)
from kb.exports.published import Published

__all__ = [
    "DATABASE",
    "FILES",
    "MOST_IN_DATABASE",
    "TABLES",
    "VERSION",
    "Pieces",
    "Published",
    "content",
    "contents",
    "datasette_metadata",
    "described",
    "file_for",
    "pieces_of",
    "revised",
    "with_database",
]
