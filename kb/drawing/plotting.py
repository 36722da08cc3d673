"""A runnable figure's drawing: its panels for a page, or all of it as a file that stands by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import ceil

from markupsafe import Markup

from kb.drawing import plots
from kb.drawing.axes import Axis, reach, written
from kb.drawing.marks import COLOURS, number, printable
from kb.drawing.plots import Panel, Plot, Series, said

WIDTH, HEIGHT = 320.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 20.0, 38.0
STEPS = 5  # between an axis's ticks, at most
MOST_TITLES = 80  # points of a series, from which they say nothing when pointed at
SHAPES = (  # of points: one for each colour, so that no colour is needed to tell them apart
    "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    "M-2.7-2.7h5.4v5.4h-5.4z",
    "M0-3.6L3.4 2.6H-3.4z",
    "M0-3.8L3.8 0L0 3.8L-3.8 0z",
    "M0 3.6L3.4-2.6H-3.4z",
    "M-3.4-1.1h2.3v-2.3h2.2v2.3h2.3v2.2h-2.3v2.3h-2.2v-2.3h-2.3z",
    "M-3.6 0L-1.4-3.2H1.4L3.6 0L1.4 3.2H-1.4z",
    "M-3-3L3 3M3-3L-3 3",
)
DASHES = ("", "6 3", "2 3", "8 3 2 3", "4 2", "1 2", "10 4", "3 3")

# Of a drawing that stands by itself: the palettes' colours, light and dark.
LIGHT = ("#2f6fbb", "#e08a2e", "#3f9b6b", "#b5527c", "#7a68c4", "#5fa9b8", "#a38a4a", "#8b94a1")
DARK = ("#5e9be6", "#e5a055", "#5cba88", "#d2749c", "#9a89e0", "#74bccb", "#bfa562", "#8b94a1")
INK, DARK_INK, GROUND, DARK_GROUND = "#1c2330", "#e3e8ef", "#ffffff", "#13171d"


def names(plot: Plot, language: str) -> list[str]:
    """The names of all series, each once: the place of a name is its colour's, in every panel."""
    found = (said(series.name, language) for panel in plot.panels for series in panel.series)
    return list(dict.fromkeys(found))


def panels(plot: Plot, language: str) -> list[Markup]:
    """A picture of each panel."""
    return [
        _panel(panel, names(plot, language), language, f' viewBox="0 0 {WIDTH:g} {HEIGHT:g}"') for panel in plot.panels
    ]


def swatch(place: int, draws: Sequence[str]) -> Markup:
    """What a series looks like, for a legend."""
    line = Markup('<path class="kb-stroke-{0}" d="M1 6h22"{1}/>').format(_colour(place), _dash(place))
    point = Markup('<path class="{}" transform="translate(12 6)" d="{}"/>').format(_point_class(place), _shape(place))
    shown = (line if {"line", "both"} & {*draws} else Markup()) + (point if {"points", "both"} & {*draws} else Markup())
    return Markup('<svg class="kb-plot__swatch" width="24" height="12" aria-hidden="true">{}</svg>').format(shown)


def legend(plot: Plot, language: str) -> list[tuple[Markup, str]]:
    """Every series that has a name: what it looks like, and its name."""
    found = []
    for place, name in enumerate(names(plot, language)):
        draws = [each.draw for panel in plot.panels for each in panel.series if said(each.name, language) == name]
        if name:
            found.append((swatch(place, draws), name))
    return found


def standalone(plot: Plot, language: str) -> str:
    """The whole figure as an SVG file, in both palettes."""
    columns = min(len(plot.panels), 3)
    rows, named = ceil(len(plot.panels) / columns), legend(plot, language)
    width, top = columns * WIDTH, 24.0 if said(plot.title, language) else 0.0
    below = top + rows * HEIGHT
    body = Markup()
    for place, panel in enumerate(plot.panels):
        x, y = place % columns * WIDTH, top + place // columns * HEIGHT
        where = f' x="{number(x)}" y="{number(y)}" width="{WIDTH:g}" height="{HEIGHT:g}"'
        body += _panel(panel, names(plot, language), language, where) + Markup("\n")
    for place, (picture, name) in enumerate(named):
        line = Markup('<g transform="translate(16 {})">{}<text x="30" y="10">{}</text></g>\n')
        body += line.format(number(below + place * 16), picture, printable(name))
    return str(
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" '
            'class="kb-plot">\n'
            '<title>{2}</title>\n<style>\n{3}</style>\n<rect class="ground" width="100%" height="100%"/>\n'
            '<text class="kb-plot__title" x="{4}" y="18">{2}</text>\n{5}</svg>\n'
        ).format(
            number(width),
            number(below + len(named) * 16 + 8),
            printable(said(plot.title, language)),
            Markup(_style()),
            number(width / 2),
            body,
        )
    )


def _style() -> str:
    """The style sheet of a drawing that stands by itself."""
    return (
        "text{font:11px system-ui,sans-serif;fill:currentColor}.kb-plot__title{font-weight:600;text-anchor:middle}"
        ".kb-plot__x{text-anchor:middle}.kb-plot__y{text-anchor:end}.kb-plot__grid,.kb-plot__frame{fill:none;"
        "stroke:currentColor;stroke-opacity:.15}.kb-plot__frame{stroke-opacity:.5}\n"
        + _palette(LIGHT, INK, GROUND)
        + "@media (prefers-color-scheme:dark){"
        + _palette(DARK, DARK_INK, DARK_GROUND).replace("\n", "")
        + "}\n"
    )


def _palette(colours: Sequence[str], ink: str, ground: str) -> str:
    lines = (
        f".kb-stroke-{n}{{stroke:{colour};fill:none;stroke-width:1.6}}.kb-fill-{n}{{fill:{colour}}}"
        for n, colour in enumerate(colours, 1)
    )
    return f"svg{{color:{ink}}}.ground{{fill:{ground}}}{''.join(lines)}\n"


# ------------------------------------------------------------------------------------------------------- one panel


def _panel(panel: Panel, known: Sequence[str], language: str, where: str) -> Markup:
    across, up = _scales(panel)
    title, x_label, y_label = (printable(said(each, language)) for each in (panel.title, panel.x.label, panel.y.label))
    body = Markup().join(
        _drawn(series, known.index(said(series.name, language)), across, up, language) for series in panel.series
    )
    middle, centre = number((LEFT + WIDTH - RIGHT) / 2), number((TOP + HEIGHT - BOTTOM) / 2)
    return Markup(
        '<svg class="kb-plot"{} role="img"><title>{}</title>{}{}'
        '<text class="kb-plot__title" x="{}" y="13">{}</text><text class="kb-plot__x" x="{}" y="{}">{}</text>'
        '<text class="kb-plot__x" transform="translate(11 {}) rotate(-90)">{}</text></svg>'
    ).format(
        Markup(where), title or _spoken(panel, language), _axes(across, up), body,
        middle, title, middle, number(HEIGHT - 4), x_label, centre, y_label,
    )  # fmt: skip


def _spoken(panel: Panel, language: str) -> str:
    """What a panel without a title shows."""
    return printable(" / ".join(filter(None, [said(panel.y.label, language), said(panel.x.label, language)])))


def _scales(panel: Panel) -> tuple[Axis, Axis]:
    left, right, bottom, top = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP
    ends = [_ends(panel, name, axis) for name, axis in (("x", panel.x), ("y", panel.y))]
    if panel.equal:
        unit = max((ends[0][1] - ends[0][0]) / (right - left), (ends[1][1] - ends[1][0]) / (bottom - top))
        ends = [_around(end, unit * room) for end, room in zip(ends, (right - left, bottom - top), strict=True)]
    across, up = (*ends[0], left, right, panel.x.log), (*ends[1], bottom, top, panel.y.log)
    return Axis(*across, STEPS), Axis(*up, STEPS)


def _ends(panel: Panel, name: str, asked: plots.Axis) -> tuple[float, float]:
    """The ends of an axis: as the figure asks, else a little beyond its numbers."""
    numbers = [value for series in panel.series for value in getattr(series, name) if value is not None]
    low, high = reach(numbers, log=asked.log)
    first, last = low if asked.low is None else asked.low, high if asked.high is None else asked.high
    return (first, last) if first < last else (first, first + 1.0)


def _around(ends: tuple[float, float], length: float) -> tuple[float, float]:
    middle = (ends[0] + ends[1]) / 2
    return middle - length / 2, middle + length / 2


def _axes(across: Axis, up: Axis) -> Markup:
    vertical = "".join(f"M{number(across.at(each))} {TOP:g}V{HEIGHT - BOTTOM:g}" for each in across.ticks())
    level = "".join(f"M{LEFT:g} {number(up.at(each))}H{WIDTH - RIGHT:g}" for each in up.ticks())
    frame = f"M{LEFT:g} {TOP:g}V{HEIGHT - BOTTOM:g}H{WIDTH - RIGHT:g}"
    texts = Markup()
    for each in across.ticks():
        texts += Markup('<text class="kb-plot__x" x="{}" y="{}">{}</text>').format(
            number(across.at(each)), number(HEIGHT - BOTTOM + 13), written(each)
        )
    for each in up.ticks():
        texts += Markup('<text class="kb-plot__y" x="{}" y="{}">{}</text>').format(
            number(LEFT - 5), number(up.at(each) + 3.5), written(each)
        )
    return Markup('<path class="kb-plot__grid" d="{}"/><path class="kb-plot__frame" d="{}"/>{}').format(
        vertical + level, frame, texts
    )


def _drawn(series: Series, place: int, across: Axis, up: Axis, language: str) -> Markup:
    points = [
        None if x is None or y is None else (number(across.at(x)), number(up.at(y)))
        for x, y in zip(series.x, series.y, strict=True)
    ]
    shown = Markup()
    if series.draw in ("line", "both"):
        shown += Markup('<path class="kb-stroke-{}" d="{}"{}/>').format(_colour(place), _line(points), _dash(place))
    if series.draw in ("points", "both"):
        shown += Markup().join(_points(series, points, place, language))
    return shown


def _line(points: Sequence[tuple[str, str] | None]) -> str:
    runs = (list(run) for there, run in groupby(points, key=lambda each: each is not None) if there)
    return "".join("M" + "L".join(" ".join(point) for point in run if point) for run in runs)


def _points(series: Series, points: Sequence[tuple[str, str] | None], place: int, language: str) -> Iterator[Markup]:
    titled = len(points) <= MOST_TITLES
    for n, point in enumerate(points):
        if point:
            title = Markup("<title>{}</title>").format(_title(series, n, language)) if titled else ""
            yield Markup('<path class="{}" transform="translate({} {})" d="{}">{}</path>').format(
                _point_class(place), *point, _shape(place), title
            )


def _title(series: Series, n: int, language: str) -> str:
    """What a point says when it is pointed at."""
    label = said(series.labels[n], language) if series.labels else ""
    x, y = series.x[n], series.y[n]
    numbers = "" if x is None or y is None else f"{written(x)}, {written(y)}"
    return printable(": ".join(filter(None, [" ".join(filter(None, [said(series.name, language), label])), numbers])))


def _colour(place: int) -> int:
    return place % COLOURS + 1


def _shape(place: int) -> str:
    return SHAPES[place % len(SHAPES)]


def _point_class(place: int) -> str:
    """An open shape, the last, is drawn by its line."""
    return f"kb-{'stroke' if place % len(SHAPES) == len(SHAPES) - 1 else 'fill'}-{_colour(place)}"


def _dash(place: int) -> Markup:
    dash = DASHES[place % len(DASHES)]
    return Markup(' stroke-dasharray="{}"').format(dash) if dash else Markup()
