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
    repair: bool = False


# In this order: what is read anew first, what stands within a card's parts last. `kb fix --help` tells what each does.
MENDINGS: Sequence[Kind] = (
    Kind("front matter", heads.front_matter, repair=True),
    Kind("heading marks", heads.heading_marks, repair=True),
    Kind("[toc]", text.contents),
    Kind("citekey", heads.citekeys),
    Kind("card heading", heads.card_headings),
    Kind("section heading", heads.section_headings),
    Kind("blockquote", heads.blockquotes),
    Kind("metadata", heads.metadata),
    Kind("list indentation", lists.indentation),
    Kind("table alignment", tables.alignment),
    Kind("spaces at ends", text.spaces_at_ends),
    Kind("end of file", text.end_of_file),
)
