"""How the papers follow from each other over the years, as SVG: the newest at the top, each above what it builds on.

The drawing is the same for the same cards. Of very many cards it shows those with the most relations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from unicodedata import east_asian_width

from kb.lineage import Lineage

FEW = 60  # papers of a base that are all drawn as boxes, with what they are compared with
MOST = 120  # papers with relations in one drawing
MOST_DOTS = 300  # papers without; of more, each year says how many it has
BOX, GAP, DOT = 26, 30, 26  # heights in pixels; a dot has the size of a finger
AXIS = 46  # width of the years
LOWEST = 52  # height of a year


@dataclass(frozen=True, slots=True)
class Node:
    """A paper in the drawing."""

    citekey: str
    name: str
    title: str
    year: int
    href: str


@dataclass(frozen=True, slots=True)
class Format:
    """How wide the drawing is, for a screen of a desk or of a phone."""

    name: str
    width: int
    columns: int
    box: int  # width

    @property
    def cell(self) -> float:
        return (self.width - AXIS) / self.columns


WIDE, NARROW = Format("wide", 900, 5, 128), Format("narrow", 350, 3, 91)


def most_related(lineage: Lineage) -> list[str]:
    """The papers to draw as boxes: those with the most relations; all where there are few."""

    def weight(citekey: str) -> int:
        return len(lineage.builds_on.get(citekey, ())) + len(lineage.built_on_by.get(citekey, ()))

    related = [each for each in lineage.in_order(list(lineage.cards)) if weight(each) or len(lineage.cards) <= FEW]
    return sorted(related, key=lambda each: -weight(each))[:MOST]  # of equal ones, the newest


class Chart:
    """One drawing: `nodes` and `dots`, papers with and without relations, are given the newest first.

    `rest` has a text and an address for the papers of a year that are not drawn.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        dots: Sequence[Node],
        edges: Mapping[str, Sequence[str]],
        faint: Mapping[str, Sequence[str]],
        rest: Mapping[int, tuple[str, str]],
        form: Format,
    ) -> None:
        self._nodes = {node.citekey: node for node in nodes}
        self._dots, self._rest, self._form = dots, rest, form
        self._edges = {each: [to for to in targets if to in self._nodes] for each, targets in edges.items()}
        self._faint = {each: [to for to in targets if to in self._nodes] for each, targets in faint.items()}

    def svg(self, label: str) -> str:
        """The drawing. Its edges go downwards and are drawn before the boxes that they pass."""
        shapes = "".join(self._shapes())
        width, height = self._form.width, self._layout.height
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        # The theme sets `href` of whatever has one, which SVG's links do not allow: theirs is the older attribute.
        name = f"kb-chart kb-chart--{self._form.name}"
        return f'<svg class="{name}" {size} role="group" aria-label="{escape(label)}">{shapes}</svg>\n'

    def _shapes(self) -> Iterator[str]:
        for year, top in self._layout.years:
            yield f'<line class="kb-chart__rule" x1="0" x2="{self._form.width}" y1="{top}" y2="{top}"/>'
            yield f'<text class="kb-chart__year" x="0" y="{top + 23}">{year or "?"}</text>'
            if year in self._rest:
                text, href = self._rest[year]
                at = f'x="0" y="{top + 42}"'
                yield f'<a class="kb-chart__rest" xlink:href="{escape(href)}"><text {at}>{text}</text></a>'
        for citekey in self._layout.boxes:
            yield self._box(self._nodes[citekey])
        yield from map(self._dot, self._dots)

    def _box(self, node: Node) -> str:
        x, y = self._layout.boxes[node.citekey]
        width = self._form.box
        edges = "".join(self._edge(node.citekey, to, "kb-chart__faint") for to in self._faint.get(node.citekey, ()))
        edges += "".join(self._edge(node.citekey, to, "kb-chart__edge") for to in self._edges.get(node.citekey, ()))
        shown = escape(fitted(node.name, (width - 8) / 6.6))
        return (
            f'<g class="kb-chart__node">{edges}<a xlink:href="{escape(node.href)}"><title>{_title(node)}</title>'
            f'<rect x="{x - width / 2:.0f}" y="{y}" width="{width:.0f}" height="{BOX}" rx="5"/>'
            f'<text x="{x:.0f}" y="{y + 17}">{shown}</text></a></g>'
        )

    def _edge(self, source: str, target: str, style: str) -> str:
        """A curve from below a box to above an older one, around the boxes that stand straight between them."""
        (x1, y1), (x2, y2) = self._layout.boxes[source], self._layout.boxes[target]
        y1, y2 = (y1 + BOX, y2) if y1 < y2 else (y1 + BOX // 2, y2 + BOX // 2)
        bend = max((y2 - y1) * 0.5, 12)
        aside = self._form.cell * 0.7 if abs(x1 - x2) < 1 and y2 - y1 > BOX + 2 * GAP else 0
        aside = -aside if x1 + aside > self._form.width else aside
        return (
            f'<path class="{style}" d="M{x1:.0f} {y1}C{x1 + aside:.0f} {y1 + bend:.0f} '
            f'{x2 + aside:.0f} {y2 - bend:.0f} {x2:.0f} {y2}"/>'
        )

    def _dot(self, node: Node) -> str:
        x, y = self._layout.dots[node.citekey]
        title, middle = _title(node), f'cx="{x + DOT // 2}" cy="{y + DOT // 2}"'
        return (
            f'<a class="kb-chart__dot" xlink:href="{escape(node.href)}" aria-label="{title}"><title>{title}</title>'
            f'<rect x="{x}" y="{y}" width="{DOT}" height="{DOT}"/><circle {middle} r="5"/></a>'
        )

    @cached_property
    def _layout(self) -> Layout:
        both = {each: [*self._edges.get(each, ()), *self._faint.get(each, ())] for each in self._nodes}
        return Layout(list(self._nodes.values()), self._dots, both, self._rest, self._form)


class Layout:
    """Where everything stands: a band for each year, in it the boxes, each near what builds on it, and the dots."""

    def __init__(
        self,
        nodes: Sequence[Node],
        dots: Sequence[Node],
        edges: Mapping[str, Sequence[str]],
        rest: Iterable[int],
        form: Format,
    ) -> None:
        self._form, self._edges = form, edges
        self._above: dict[str, list[int]] = {}  # the columns of the papers that build on each
        self._used = [0] * form.columns
        self.boxes: dict[str, tuple[float, int]] = {}
        self.dots: dict[str, tuple[int, int]] = {}
        self.years: list[tuple[int, int]] = []
        self.height = 0
        in_years: dict[int, tuple[list[Node], list[Node]]] = {}
        for kind, papers in enumerate((nodes, dots)):
            for node in papers:
                in_years.setdefault(node.year, ([], []))[kind].append(node)
        for year in rest:
            in_years.setdefault(year, ([], []))
        for year in sorted(in_years, reverse=True):
            self._place_year(year, *in_years[year])

    def _place_year(self, year: int, nodes: Sequence[Node], dots: Sequence[Node]) -> None:
        self.years.append((year, self.height))
        top = self.height + 6
        here = {node.citekey for node in nodes}
        waiting = sorted(
            nodes, key=lambda node: (self._is_below(node, here), self._wish(node), node.citekey.casefold())
        )
        for start in range(0, len(waiting), self._form.columns):
            self._place_line(waiting[start : start + self._form.columns], top)
            top += BOX + GAP
        per_line = int((self._form.width - AXIS) // DOT)
        for number, node in enumerate(dots):
            line, column = divmod(number, per_line)
            self.dots[node.citekey] = (AXIS + column * DOT, top - (GAP - 6 if nodes else 0) + line * DOT)
        if dots:
            top += -(-len(dots) // per_line) * DOT - (GAP - 12 if nodes else -6)
        self.height = max(top, self.height + LOWEST)

    def _is_below(self, node: Node, here: set[str]) -> bool:
        """Whether a box comes after those that build on papers of the same year, whose edges it may cover."""
        return here.isdisjoint(self._edges.get(node.citekey, ()))

    def _wish(self, node: Node) -> float:
        """The column that a box would best stand in: below the papers that build on it, else where there is room."""
        above = self._above.get(node.citekey)
        return sum(above) / len(above) if above else self._used.index(min(self._used))

    def _place_line(self, nodes: Sequence[Node], top: int) -> None:
        free = list(range(self._form.columns))
        for node in nodes:
            wish = self._wish(node)
            column = min(free, key=lambda each: (abs(each - wish), each))
            free.remove(column)
            self._used[column] += 1
            self.boxes[node.citekey] = (AXIS + (column + 0.5) * self._form.cell, top)
            for target in self._edges.get(node.citekey, ()):
                self._above.setdefault(target, []).append(column)


def _title(node: Node) -> str:
    year = f" ({node.year})" if node.year else ""
    return escape(f"{node.name}{year}" + (f": {node.title}" if node.title and node.title != node.name else ""))


def fitted(text: str, room: float) -> str:
    """As much of a text as has room, in widths of a Latin letter."""
    used = 0.0
    for place, letter in enumerate(text):
        used += 1.75 if east_asian_width(letter) in "WF" else 1.15 if letter.isupper() else 1
        if used > room:
            return text[: max(place - 1, 1)].rstrip("-–: ") + "…"
    return text
