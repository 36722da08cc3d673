"""What the home page shows as proof: how the tested figures came out, by what counting, and which are open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb.pages.site import Site
from kb.pages.views import CardView, Figure

NEWEST = 5
OF_ONE_PAPER = 2  # so that a table in which much is open does not fill the list
WAYS = 4
_TRUNCATED = "_truncated"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bar: how the figures came out, and where it begins and ends, in thousandths."""

    status: str
    start: int
    width: int


def bar(counts: Mapping[str, int]) -> tuple[Part, ...]:
    """The bar of all tested figures, a part for each way in which some came out."""
    total, before = sum(counts.values()), 0
    parts = []
    for status, count in counts.items():
        if count:
            start, before = round(1000 * before / total), before + count
            parts.append(Part(status, start, round(1000 * before / total) - start))
    return tuple(parts)


def ways(figures: Iterable[Figure]) -> tuple[tuple[str, int], ...]:
    """The conventions under which figures agree that do not agree plainly, the plainest of each; the commonest first.

    Whether a count is rounded or truncated is a convention by itself only where nothing else is counted otherwise.
    """
    counts = Counter(
        figure.verdict.conventions[0].removesuffix(_TRUNCATED)
        for figure in figures
        if figure.verdict.status == "agrees_counting" and figure.verdict.conventions
    )
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:WAYS])


def newest_unexplained(site: Site) -> tuple[Figure, ...]:
    """The unexplained figures of the newest cards, or papers where cards bear no date; of one paper the widest off."""
    found: list[Figure] = []
    for view in sorted(site.main_cards, key=_age, reverse=True):
        found += sorted(view.unexplained.values(), key=_distance, reverse=True)[:OF_ONE_PAPER]
        if len(found) >= NEWEST:
            break
    return tuple(found[:NEWEST])


def _age(view: CardView) -> tuple[str, str]:
    """When a card was written or last changed; the paper's year where it does not say."""
    return view.card.updated or view.card.date or str(view.card.citation.year or ""), view.card.citekey


def _distance(figure: Figure) -> float:
    verdict = figure.verdict
    value = float(verdict.printed.value)
    return abs((verdict.counted or 0) - value) / value if value else 0.0
