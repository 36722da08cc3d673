"""Where the plain convention does not give what is printed, by paper and table, and which claims fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb import asking
from kb.captions import paragraph_above
from kb.claims import footnote
from kb.explaining import Explanation
from kb.expressions import MARKS
from kb.markdown import definitions, plain_text
from kb.pages.site import Site
from kb.pages.views import CardView, ClaimView, Figure
from kb.records import Card

LONGEST_CAPTION = 90
_SENTENCE_END = re.compile(r"[。；：]|[.;:](?=\s|$)")
_EXPRESSION = re.compile(rf"(`+)((?:{'|'.join(map(re.escape, MARKS))})[^`]*)\1")


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one table that are not plain: `tested` is how many of it could be tested."""

    caption: str
    tested: int
    figures: tuple[Figure, ...]


def papers(site: Site) -> Iterator[tuple[CardView, tuple[Table, ...]]]:
    """The cards that hold such figures or failed claims, each with its tables of figures."""
    for view in site.main_cards:
        found = tuple(_tables(view))
        if found or failed(view):
            yield view, found


def _tables(view: CardView) -> Iterator[Table]:
    for line in dict.fromkeys(figure.row.table for figure in view.judged):
        tested = [figure for figure in view.judged if figure.row.table == line]
        found = tuple(figure for figure in tested if figure.verdict.status != "agrees")
        if found:
            yield Table(caption(view.card, line), len(tested), found)


def caption(card: Card, table: int) -> str:
    """What the card says of a table: the first sentences of the paragraph above it, as many as fit."""
    text = " ".join(plain_text(paragraph_above(card, table)).split())
    ends = [found.end() for found in _SENTENCE_END.finditer(text)] or [len(text)]
    return text[: max((end for end in ends if end <= LONGEST_CAPTION), default=ends[0])].rstrip("。；.;:：")


def failed(view: CardView) -> tuple[ClaimView, ...]:
    """A card's claims that do not hold."""
    return tuple(claim for claim in view.claims if claim.outcome.status == "fails")


def footnotes(figure: Figure) -> tuple[str, ...]:
    """What the card's footnotes say of a figure, as text."""
    return tuple(filter(None, (_words(label, figure.card) for label in figure.verdict.printed.footnotes)))


def footnote_of(claim: ClaimView, view: CardView) -> str:
    """What the card's footnote says of a claim, as text; "" for none."""
    return _words(footnote(claim.outcome.claim, view.card), view)


def _words(label: str, view: CardView) -> str:
    """A footnote as text, with the values of its expressions in their place."""
    card = view.card
    written = [definitions(text) for text in (card.intro, *(each.markdown for each in card.sections), card.definitions)]
    source = next((each[f"^{label}"] for each in written if f"^{label}" in each), "")
    return plain_text(_EXPRESSION.sub(lambda found: _value(found, view), source).partition("]:")[2].strip())


def _value(found: re.Match[str], view: CardView) -> str:
    claim = view.claim(found[2])
    return claim.outcome.shown if claim and claim.outcome.shown else found[0]


def explanation(site: Site, figure: Figure) -> Explanation | None:
    """Everything that was tried for a figure; None where its model was never measured."""
    verdict = figure.verdict
    return asking.of_cell(site.base, verdict.call, verdict.metric, verdict.printed)
