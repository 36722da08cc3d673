"""What can be mended in a note: a list of functions, each from a note to the edits that it proposes.

Whether an edit is made is decided elsewhere (`kb.fixing`), by what the note says before and after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kb.mendings import heads, lists, tables, text
from kb.mendings.source import Edit, Mending, Source

__all__ = ["MENDINGS", "Edit", "Kind", "Mending", "Source"]


class Kind(NamedTuple):
    """One kind of mending. By a repair kb comes to read what it did not; all others leave what is said as it is."""

    name: str
    propose: Mending
    example: str
    repair: bool = False


MENDINGS: Sequence[Kind] = (
    Kind(
        "front matter", heads.front_matter, "`标签：a，b` and `year: ２０１８`, which YAML does not read", repair=True
    ),
    Kind("heading marks", heads.heading_marks, "`####Method`, `＃＃＃ NAME: KEY`: `#### Method`", repair=True),
    Kind("[toc]", text.contents, "left out, as pages do, but for one above several cards"),
    Kind("citekey", heads.citekeys, "composed form (NFC), no invisible characters; in links, too"),
    Kind("card heading", heads.card_headings, "`### NAME_KEY`, `###  NAME：KEY ###`: `### NAME: KEY`"),
    Kind("section heading", heads.section_headings, "`####  **面临问题** :`: as the template writes it"),
    Kind("blockquote", heads.blockquotes, "`>kind`: `> kind`, on every line of it"),
    Kind("metadata", heads.metadata, "`标签：a，b`: `标签: a, b`; `arXiv：１８０１.０４３８１`: `arXiv: 1801.04381`"),
    Kind("list indentation", lists.indentation, "text and items below an item begin where its text does"),
    Kind("table alignment", tables.alignment, "columns as wide as their widest cell, ideographs counting two"),
    Kind("spaces at ends", text.spaces_at_ends, "of lines, but for the two that break a line"),
    Kind("end of file", text.end_of_file, "one line feed, no blank lines"),
)
