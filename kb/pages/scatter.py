"""The compare page's plot: accuracies against cost, or parameters against multiply-adds, laid out for a template.

The script of the page (assets/compare.js) draws it anew where readers choose other axes or fewer calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kb.drawing.axes import Axis, axis
from kb.pages import formats
from kb.pages.comparing import Reported, Row, Series, distinct, families

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 14, 46
COLOURS = 8
SHAPES = ("circle", "square", "triangle", "diamond", "cross")


@dataclass(frozen=True, slots=True)
class Point:
    """A call in the plot. `sources` give its accuracy; on the `front` is what nothing cheaper is better than."""

    row: Row
    x: float
    y: float
    sources: tuple[Reported, ...] = ()
    front: bool = False

    @property
    def href(self) -> str:
        """The model's panel, on the card that reports the accuracy where one does."""
        citekey = self.sources[0].view.card.citekey if self.sources else ""
        mentions = (mention for mention in self.row.mentions if mention.view.card.citekey == citekey)
        return next(mentions, self.row.first).href


@dataclass(frozen=True, slots=True)
class Plot:
    """Points between their axes. `series` is None where parameters stand against multiply-adds."""

    series: Series | None
    x: Axis
    y: Axis
    points: tuple[Point, ...]
    families: tuple[str, ...]

    def lines(self) -> Iterator[tuple[str, str]]:
        """A line for each network of several sizes: its family, and its path through the best at each cost."""
        by_line: dict[str, list[Point]] = {}
        for point in self.points:
            by_line.setdefault(point.row.line, []).append(point)
        for points in by_line.values():
            best = {point.x: point for point in sorted(points, key=lambda point: (point.x, point.y))}
            if len(best) > 1:
                yield points[0].row.family, self._path(best.values())

    def front(self) -> str:
        """The steps from each point that nothing cheaper is better than to the next: the best at every cost."""
        first, *others = (point for point in self.points if point.front)
        steps = "".join(f"H{self.x.at(point.x)}V{self.y.at(point.y)}" for point in others)
        return f"M{self.x.at(first.x)} {self.y.at(first.y)}{steps}H{self.x.end}"

    def _path(self, points: Iterable[Point]) -> str:
        return "M" + "L".join(f"{self.x.at(point.x)} {self.y.at(point.y)}" for point in points)

    def look(self, family: str) -> tuple[int, str]:
        """A family's colour, counted from 1, and the shape of its marks."""
        number = self.families.index(family)
        return number % COLOURS + 1, SHAPES[number // COLOURS % len(SHAPES)]


def plot(rows: Sequence[Row], shown: Series | None, most: int) -> Plot:
    """Accuracies of a series against multiply-adds; without one, parameters against multiply-adds.

    Of more than `most` points it holds some, evenly taken, and the Pareto front.
    """
    points = tuple(sorted(_points(rows, shown), key=lambda point: (point.x, -point.y, point.row.call)))
    points = tuple(_marked(points)) if shown else points
    step = max(1, -(-len(points) // most))
    points = tuple(point for number, point in enumerate(points) if number % step == 0 or point.front)
    across = axis((point.x for point in points), LEFT, WIDTH - RIGHT, log=True)
    up = axis((point.y for point in points), HEIGHT - BOTTOM, TOP, log=shown is None)
    return Plot(shown, across, up, points, tuple(families(rows)))


def _points(rows: Iterable[Row], shown: Series | None) -> Iterator[Point]:
    for row in rows:
        cost = row.measurement.macs
        if cost and shown is None and row.measurement.params:
            yield Point(row, cost, row.measurement.params)
        elif cost and shown:
            key = (shown.metric, shown.dataset)
            for group in distinct(each for each in row.reported if (each.metric, each.on.dataset) == key):
                yield Point(row, cost, float(group[0].value), group)


def _marked(points: Iterable[Point]) -> Iterator[Point]:
    """The points, from the cheapest to the dearest, with those on the Pareto front marked."""
    best = float("-inf")
    for point in points:
        yield Point(point.row, point.x, point.y, point.sources, front=point.y > best)
        best = max(best, point.y)


def tick(value: float) -> str:
    """A tick's label, as short as can be: 50 M, 72.5."""
    for scale, unit in formats.SCALES:
        if value >= scale:
            return f"{value / scale:g} {unit}"
    return f"{value:g}"
