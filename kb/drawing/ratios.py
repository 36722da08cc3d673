"""How far measured figures lie from printed ones: a mark for each, on an axis that is fine near zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import asinh

from markupsafe import Markup

from kb.drawing.marks import link, number

FINE = 0.005  # differences about as large as this take as much room as ten times larger ones
TICKS = (-0.5, -0.1, -0.01, 0.0, 0.01, 0.1, 1.0, 9.0, 99.0, 999.0)
NEAREST = 3.2  # per cent of the width that marks keep from each other; nearer ones are stacked
STEP, MARGIN = 15, 4  # pixels: of one mark above another, and of a row
LEAST_RANGE = 0.02


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure: its difference, measured over printed less one; how it is marked, what is said of it, its place."""

    difference: float
    sign: str
    style: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Axis:
    """From the least to the greatest difference, zero always among them."""

    low: float
    high: float

    def at(self, difference: float) -> float:
        """Where a difference lies, in per cent of the width, with room for a mark at both ends."""
        low, high = asinh(self.low / FINE), asinh(self.high / FINE)
        return 3 + 94 * (asinh(difference / FINE) - low) / (high - low)

    def ticks(self) -> Iterator[float]:
        """The differences that are marked on it."""
        return (each for each in TICKS if self.low <= each <= self.high)


def axis(differences: Sequence[float]) -> Axis:
    """One axis for all of a card's figures."""
    return Axis(min(*differences, -LEAST_RANGE), max(*differences, LEAST_RANGE))


def row(marks: Sequence[Mark], scale: Axis, label: str) -> Markup:
    """The marks of one table."""
    placed = list(_stacked(marks, scale))
    height = MARGIN + STEP * (1 + max(level for _, _, level in placed))
    lines = Markup().join(
        Markup('<line x1="{0}%" x2="{0}%" y2="100%"{1}/>').format(
            number(scale.at(each), 2), Markup(' class="kb-ratios__zero"') if not each else ""
        )
        for each in scale.ticks()
    )
    shown = Markup().join(
        link(
            mark.href,
            Markup('<text class="{}" x="{}%" y="{}">{}<title>{}</title></text>').format(
                mark.style, number(x, 2), height - MARGIN - STEP * level, mark.sign, mark.title
            ),
        )
        for mark, x, level in placed
    )
    return Markup(
        '<svg class="kb-ratios__row" width="100%" height="{}" role="group" aria-label="{}">{}{}</svg>'
    ).format(height, label, lines, shown)


def ticks(scale: Axis) -> Markup:
    """The axis's numbers, which stand below all rows."""
    texts = (
        Markup('<text x="{}%" y="11">{}</text>').format(number(scale.at(each), 2), tick(each)) for each in scale.ticks()
    )
    return Markup('<svg class="kb-ratios__axis" width="100%" height="14" aria-hidden="true">{}</svg>').format(
        Markup().join(texts)
    )


def tick(difference: float) -> str:
    """A difference in per cent; large ones as factors."""
    if difference >= 1:
        return f"×{difference + 1:g}"
    return f"{100 * difference:+g} %".replace("-", "−") if difference else "0"


def _stacked(marks: Sequence[Mark], scale: Axis) -> Iterator[tuple[Mark, float, int]]:
    """Each mark with its place and how many others it stands on."""
    last: list[float] = []  # by level: where its last mark is
    for mark in sorted(marks, key=lambda each: each.difference):
        x = scale.at(mark.difference)
        level = next((level for level, taken in enumerate(last) if x - taken >= NEAREST), len(last))
        last[level : level + 1] = [x]
        yield mark, x, level
