"""Where the plain convention does not give what is printed: by paper and table, with what explains it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb import asking
from kb.explaining import Explanation
from kb.markdown import definitions, plain_text
from kb.pages.site import Site
from kb.pages.views import CardView, Figure
from kb.records import Card

LONGEST_CAPTION = 90
_SENTENCE_END = re.compile(r"[。；：]|[.;:](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one table that are not plain: `tested` is how many of it could be tested."""

    caption: str
    tested: int
    figures: tuple[Figure, ...]


def papers(site: Site) -> Iterator[tuple[CardView, tuple[Table, ...]]]:
    """The cards that hold such figures, each with its tables of them."""
    for view in site.main_cards:
        found = tuple(_tables(view))
        if found:
            yield view, found


def _tables(view: CardView) -> Iterator[Table]:
    for line in dict.fromkeys(figure.row.table for figure in view.judged):
        tested = [figure for figure in view.judged if figure.row.table == line]
        found = tuple(figure for figure in tested if figure.verdict.status != "agrees")
        if found:
            yield Table(caption(view.card, line), len(tested), found)


def caption(card: Card, table: int) -> str:
    """What the card says of a table: the beginning of the paragraph above it."""
    for text, first_line in [
        (card.intro, card.intro_line),
        *((each.markdown, each.line + 1) for each in card.sections),
    ]:
        lines = text.split("\n")
        if first_line < table < first_line + len(lines):
            return _beginning("\n".join(lines[: table - first_line]).rstrip().rpartition("\n\n")[2])
    return ""


def _beginning(paragraph: str) -> str:
    """The first sentences of a paragraph, as many as fit; "" for what is none, as another table or a heading."""
    if paragraph.lstrip().startswith(("|", "#", "```", "[^", "<")):
        return ""
    text = " ".join(plain_text(paragraph).split())
    ends = [found.end() for found in _SENTENCE_END.finditer(text)] or [len(text)]
    return text[: max((end for end in ends if end <= LONGEST_CAPTION), default=ends[0])].rstrip("。；.;:：")


def footnotes(figure: Figure) -> tuple[str, ...]:
    """What the card's footnotes say of a figure, as text."""
    card = figure.card.card
    written = [definitions(text) for text in (card.intro, *(each.markdown for each in card.sections), card.definitions)]
    sources = (
        next((each[f"^{label}"] for each in written if f"^{label}" in each), "")
        for label in figure.verdict.printed.footnotes
    )
    return tuple(plain_text(source.partition("]:")[2].strip()) for source in sources if source)


def explanation(site: Site, figure: Figure) -> Explanation | None:
    """Everything that was tried for a figure; None where its model was never measured."""
    verdict = figure.verdict
    return asking.of_cell(site.base, verdict.call, verdict.metric, verdict.printed)
