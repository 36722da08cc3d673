"""What a runnable figure returns: plain data, which is read here and nowhere else.

    {"title": "…", "panels": [{"title": "…", "x": {"label": "N", "log": True}, "y": "ratio", "equal": False,
     "series": [{"name": "3×3", "x": […], "y": […], "draw": "line", "labels": […]}]}]}

`panels` may be left out where there is one: its keys then stand beside the title. A text is a string, or one string
by language: {"en": "…", "zh": "…"}. `draw` is "line", "points" or "both"; `labels` name single points. An axis is its
label, or a mapping with `label`, `log`, `low`, `high`. None among the numbers breaks a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_NUMBERS = 20_000
WAYS = ("line", "points", "both")
_OF_PLOT, _OF_PANEL = ("title", "panels"), ("title", "x", "y", "series", "equal")
_OF_AXIS, _OF_SERIES = ("label", "log", "low", "high"), ("name", "x", "y", "draw", "labels")

Text = str | Mapping[str, str]
Numbers = tuple[float | None, ...]


class PlotError(ValueError):
    """Why data is no figure: where in it, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: what it shows, and its ends where they are given."""

    label: Text = ""
    log: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers that belong together, in their order."""

    name: Text
    x: Numbers
    y: Numbers
    draw: str = "line"
    labels: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """Series over one pair of axes; `equal` where a unit is as long on both."""

    title: Text
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    equal: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure: its panels, side by side."""

    title: Text
    panels: tuple[Panel, ...]


def said(text: Text, language: str) -> str:
    """A text in a language; in English, or else in the first there is, where it has none."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("en") or next(iter(text.values()), "")


def plot_from(data: object) -> Plot:
    """The figure that data describes; raises PlotError where it describes none."""
    found = _mapping(data, "the figure", (*_OF_PLOT, *_OF_PANEL))
    listed = found["panels"] if "panels" in found else [{key: found[key] for key in found if key != "title"}]
    panels = tuple(_panel(each, f"panel {n}") for n, each in enumerate(_list(listed, "`panels`"), 1))
    if not panels:
        raise PlotError("the figure has no panels")
    if sum(len(series.x) for panel in panels for series in panel.series) > MOST_NUMBERS:
        raise PlotError(f"the figure has more than {MOST_NUMBERS:,} points")
    return Plot(_text(found.get("title", ""), "the title"), panels)


def _panel(data: object, where: str) -> Panel:
    found = _mapping(data, where, _OF_PANEL)
    x, y = (_axis(found.get(name, ""), f"{where}, `{name}`") for name in ("x", "y"))
    series = tuple(_series(each, f"{where}, series {n}") for n, each in enumerate(_list(found.get("series"), where), 1))
    for axis, name in ((x, "x"), (y, "y")):
        if axis.log and any(number is not None and number <= 0 for each in series for number in getattr(each, name)):
            raise PlotError(f"{where}: `{name}` is logarithmic and holds a number that is not above zero")
    return Panel(_text(found.get("title", ""), where), x, y, series, found.get("equal") is True)


def _axis(data: object, where: str) -> Axis:
    if isinstance(data, str) or (isinstance(data, Mapping) and not set(data) & set(_OF_AXIS)):
        return Axis(_text(data, where))
    found = _mapping(data, where, _OF_AXIS)
    low, high = (_number(found.get(name), where) for name in ("low", "high"))
    if low is not None and high is not None and low >= high:
        raise PlotError(f"{where}: `low` is not below `high`")
    if found.get("log") is True and any(end is not None and end <= 0 for end in (low, high)):
        raise PlotError(f"{where}: a logarithmic axis ends above zero")
    return Axis(_text(found.get("label", ""), where), found.get("log") is True, low, high)


def _series(data: object, where: str) -> Series:
    found = _mapping(data, where, _OF_SERIES)
    x, y = (tuple(_numbers(found.get(name), f"{where}, `{name}`")) for name in ("x", "y"))
    if len(x) != len(y):
        raise PlotError(f"{where}: `x` has {len(x)} numbers and `y` has {len(y)}")
    draw = found.get("draw", "line")
    if draw not in WAYS:
        raise PlotError(f"{where}: `draw` is {draw!r}; it is one of {', '.join(WAYS)}")
    labels = tuple(_text(each, where) for each in _list(found.get("labels", []), f"{where}, `labels`"))
    if labels and len(labels) != len(x):
        raise PlotError(f"{where}: there are {len(labels)} labels for {len(x)} points")
    return Series(_text(found.get("name", ""), where), x, y, str(draw), labels)


def _mapping(data: object, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise PlotError(f"{where} is no mapping but {_kind(data)}")
    for key in data:
        if key not in known:
            raise PlotError(f"{where} has a key `{key}`; its keys are {', '.join(known)}")
    return data


def _list(data: object, where: str) -> list[object]:
    if not isinstance(data, list):
        raise PlotError(f"{where}: there should be a list, not {_kind(data)}")
    return data


def _text(data: object, where: str) -> Text:
    if isinstance(data, str) or (isinstance(data, Mapping) and all(isinstance(each, str) for each in data.values())):
        return data
    raise PlotError(f"{where}: there should be a text, not {_kind(data)}")


def _numbers(data: object, where: str) -> Iterator[float | None]:
    return (_number(each, where) for each in _list(data, where))


def _number(data: object, where: str) -> float | None:
    if data is not None and (isinstance(data, bool) or not isinstance(data, int | float)):
        raise PlotError(f"{where}: there should be a number, not {_kind(data)}")
    return data


def _kind(data: object) -> str:
    return "nothing" if data is None else f"a {type(data).__name__}"
