"""A runnable figure on a card's page: its panels, its legend, its caption, and its numbers as a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jinja2 import Environment

from kb.drawing.axes import written
from kb.drawing.plots import Numbers, Plot, said
from kb.drawing.plotting import legend, panels
from kb.pages import addresses
from kb.pages.site import Site
from kb.pages.views import CardView

MOST_ROWS = 24  # of a series in the table; of a longer one, every so many
_PLACE = re.compile(
    r'(?P<start><p>)?<span data-kb-figure="(?P<name>\w+)">(?P<caption>(?:(?!</span>).)*)</span>'
    r"(?(start)(?P<end></p>)?)",
    re.DOTALL,
)

Render = Callable[[str, str, bool], str]  # name, caption as HTML, whether it stands in a paragraph of its own


def place_of(name: str, caption: str) -> str:
    """What stands for a figure until the body is sanitised; `caption` is HTML."""
    return f'<span data-kb-figure="{name}">{caption}</span>'


def _filled(html: str, render: Render) -> str:
    """The body with what `render` makes of each figure."""

    def draw(found: re.Match[str]) -> str:
        alone = bool(found["start"] and found["end"])
        shown = render(found["name"], found["caption"], alone)
        return shown if alone else f"{found['start'] or ''}{shown}"

    return _PLACE.sub(draw, html)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A point of a series: the panel's title, the series' name and the point's label, and the point."""

    panel: str
    series: str
    label: str
    x: str
    y: str


def drawn(env: Environment, site: Site, view: CardView, html: str) -> str:
    """A sanitised body of a card, its figures drawn where they stand."""
    return _filled(html, lambda *found: _figure(env, site, view, *found)) if "data-kb-figure" in html else html


def _figure(env: Environment, site: Site, view: CardView, name: str, caption: str, alone: bool) -> str:
    """A figure's HTML. In the midst of a line there is room for the drawing alone."""
    plot, runnable = site.plot(name), site.base.runnables.get(name)
    if plot is None or runnable is None:
        return caption
    language, number = view.card.lang or site.texts.language, view.sources.get(runnable.path)
    title, pictures = said(plot.title, language), panels(plot, language)
    if not alone:
        return env.get_template("figure-inline.html.j2").render(panels=pictures, title=title)
    return env.get_template("figure.html.j2").render(
        runnable=runnable,
        title=title,
        caption=caption,
        panels=pictures,
        legend=legend(plot, language),
        rows=tuple(_rows(plot, language)),
        x_label=_one(plot, "x", language),
        y_label=_one(plot, "y", language),
        source=f"#source-{number}-{runnable.line}" if number else "",
        data=addresses.link(view.path, addresses.figure_data(name)),
    )


def _one(plot: Plot, name: str, language: str) -> str:
    """What all panels have on an axis; the axis's letter where they differ."""
    labels = {said(getattr(panel, name).label, language) for panel in plot.panels}
    return next(iter(labels)) or name if len(labels) == 1 else name


def _rows(plot: Plot, language: str) -> Iterator[TableRow]:
    for panel in plot.panels:
        for series in panel.series:
            every = -(-len(series.x) // MOST_ROWS)
            for n in range(0, len(series.x), every):
                label = said(series.labels[n], language) if series.labels else ""
                names = said(panel.title, language), said(series.name, language)
                yield TableRow(*names, label, _number(series.x, n), _number(series.y, n))


def _number(numbers: Numbers, n: int) -> str:
    value = numbers[n]
    return "–" if value is None else written(value)
