"""Where a network's parameters and multiply-adds go: a bar by kind of layer, and its stages with their costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from markupsafe import Markup

from kb.drawing.marks import link, number, rectangles

# The heights of the parts of a picture, in pixels: bars above, boxes of the stages, bars below, three lines of text.
ABOVE, BOX, BELOW, LINE = 60.0, 30.0, 46.0, 12.0
GAP = 4.0
BOXES = ABOVE + GAP
FLOOR = BOXES + BOX + GAP
DRAWN = FLOOR + BELOW
HEIGHT = DRAWN + 3 * LINE + 2
WIDTH_OF_UNIT, WIDTH_OF_BAR = 10.0, 8.0
LEAST_UNITS = 2  # a stage is as wide as two units at least, to have room for its texts
WIDE = 36  # units from which a picture is scrolled on a phone

Shares = Mapping[int, float]  # by colour: what part of the whole


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: its colour, its share of the whole, and what a pointer over it says."""

    colour: int
    share: float
    title: str


@dataclass(frozen=True, slots=True)
class Column:
    """A stage as drawn: the shares of each of its units, how large its output is, its texts and where it leads."""

    macs: tuple[Shares, ...]
    params: tuple[Shares, ...]
    side: int  # of its output; 0 for a vector
    texts: tuple[str, str, str]
    title: str
    href: str = ""


def bar(parts: Sequence[Part], label: str) -> Markup:
    """A whole and its parts, as wide as there is room."""
    body, x = Markup(), 0.0
    for part in parts:
        if part.share > 0:
            body += Markup('<rect class="kb-fill-{}" x="{}" width="{}" height="10"><title>{}</title></rect>').format(
                part.colour, number(1000 * x), number(1000 * part.share), part.title
            )
            x += part.share
    return Markup(
        '<svg class="kb-bar__track" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        "{}</svg>"
    ).format(label, body)


def network(columns: Sequence[Column], label: str) -> Markup:
    """The stages of a network from left to right: multiply-adds above, parameters below, each in its own scale."""
    starts = list(_starts(columns))
    units = int(starts[-1])
    view = f"0 0 {number(units * WIDTH_OF_UNIT)} {number(DRAWN)}"
    body = _costs(columns, starts) + _boxes(columns, starts)
    return Markup(
        '<svg class="kb-net{}" width="100%" height="{}" role="group" aria-label="{}">'
        '<svg width="100%" height="{}" viewBox="{}" preserveAspectRatio="none">{}</svg>{}</svg>'
    ).format(
        " kb-net--wide" * (units > WIDE), number(HEIGHT), label, number(DRAWN), view, body, _texts(columns, starts)
    )


def _starts(columns: Sequence[Column]) -> Iterator[float]:
    """Where each column begins, in units, and at last where they end."""
    at = 0.0
    for column in columns:
        yield at
        at += max(len(column.macs), LEAST_UNITS)
    yield at


def _costs(columns: Sequence[Column], starts: Sequence[float]) -> Markup:
    """All bars of one colour are one path."""
    above: dict[int, list[tuple[float, float, float, float]]] = {}
    tallest = [_tallest(unit for column in columns for unit in each(column)) for each in (_macs, _params)]
    for column, start in zip(columns, starts, strict=False):
        room = max(len(column.macs), LEAST_UNITS) / len(column.macs) * WIDTH_OF_UNIT
        for place, (macs, params) in enumerate(zip(column.macs, column.params, strict=True)):
            x = start * WIDTH_OF_UNIT + place * room + (WIDTH_OF_UNIT - WIDTH_OF_BAR) / 2
            width = room - (WIDTH_OF_UNIT - WIDTH_OF_BAR)
            for colour, y, height in (*_stack(macs, tallest[0], ABOVE, -1), *_stack(params, tallest[1], BELOW, 1)):
                above.setdefault(colour, []).append((x, y, width, height))
    paths = (Markup('<path class="kb-fill-{}" d="{}"/>').format(key, rectangles(above[key])) for key in sorted(above))
    return Markup().join(paths)


def _macs(column: Column) -> tuple[Shares, ...]:
    return column.macs


def _params(column: Column) -> tuple[Shares, ...]:
    return column.params


def _tallest(units: Iterator[Shares]) -> float:
    return max((sum(unit.values()) for unit in units), default=0.0)


def _stack(shares: Shares, tallest: float, room: float, direction: int) -> Iterator[tuple[int, float, float]]:
    """The parts of one bar, away from the boxes: colour, top, height."""
    at = ABOVE if direction < 0 else FLOOR
    for colour, share in sorted(shares.items()):
        height = room * share / tallest if tallest else 0.0
        if height >= 0.05:
            yield colour, (at - height if direction < 0 else at), height
            at += direction * height


def _boxes(columns: Sequence[Column], starts: Sequence[float]) -> Markup:
    """A box for each stage, the taller the finer its output; over its column lies what a pointer reaches."""
    largest = max((column.side for column in columns), default=0)
    parts = Markup()
    for column, start, end in zip(columns, starts, starts[1:], strict=False):
        height = BOX * (log2(column.side + 1) / log2(largest + 1) if largest else 0.2)
        height = max(height, 4.0)
        x, width = start * WIDTH_OF_UNIT + 0.5, (end - start) * WIDTH_OF_UNIT - 1
        box = Markup('<path d="{}"/><path d="{}"><title>{}</title></path>').format(
            rectangles([(x, BOXES + (BOX - height) / 2, width, height)]),
            rectangles([(x, 0, width, DRAWN)]),
            column.title,
        )
        parts += link(column.href, box) if column.href else Markup("<g>{}</g>").format(box)
    return Markup('<g class="kb-net__stages">{}</g>').format(parts)


def _texts(columns: Sequence[Column], starts: Sequence[float]) -> Markup:
    parts = Markup()
    for line in range(3):
        texts = Markup()
        for column, start, end in zip(columns, starts, starts[1:], strict=False):
            if column.texts[line]:
                middle = number(50 * (start + end) / starts[-1], 2)
                texts += Markup('<text x="{}%" y="{}">{}</text>').format(
                    middle, number(DRAWN + (line + 1) * LINE), column.texts[line]
                )
        parts += Markup('<g class="kb-net__text-{}">{}</g>').format(line + 1, texts)
    return parts
