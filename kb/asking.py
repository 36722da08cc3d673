"""A question about one figure: reading it as it is typed, and finding what it is to be compared with."""

from __future__ import annotations

import re

from kb import remeasuring
from kb.base import Base
from kb.calls import CallError, normalise
from kb.explaining import Explanation, explain, nearest_metric
from kb.figures import SMALLEST, Column, read_figure
from kb.lock import layers
from kb.problems import problem
from kb.records import Measurement, Place, Printed, Problem

METRICS = {  # what may stand behind a figure
    "params": re.compile(r"\s*(?:params?|parameters?|参数量?)\s*$", re.IGNORECASE),
    "macs": re.compile(r"\s*(?:macs?|m-?adds?|mult-?adds?|乘加次?数?|计算量)\s*$", re.IGNORECASE),
    "flops": re.compile(r"\s*flops?\s*$", re.IGNORECASE),
}


class FigureError(ValueError):
    """Why a text is no figure that can be explained, in words for the person who typed it."""


def read(text: str) -> tuple[Printed, str]:
    """A figure as typed, and the metric that it names: `6.9M params`, "" where it names none."""
    metric = next((name for name, words in METRICS.items() if words.search(text)), "")
    figure = read_figure(METRICS[metric].sub("", text) if metric else text, Column("params"))
    if figure is None or figure[1] == "%":
        raise FigureError(f"`{text}` cannot be read: write a figure with its unit, as in `6.9M` or `569M MACs`")
    printed = Printed(*figure, line=1, column=0)
    if not printed.unit and printed.value < SMALLEST:
        raise FigureError(f"`{text}` has no unit: write `{text}M`, or all its digits")
    return printed, metric


def answer(base: Base, text: str, printed: Printed, metric: str, say: remeasuring.Say) -> Explanation | list[Problem]:
    """The explanation of a figure for a call; from the lock where that is up to date, else measured."""
    try:
        call = normalise(text, base.factories, base.settings.packages)
    except CallError as error:
        return [problem(error.code, Place(""), error.message, error.hint)]
    found, problems = remeasuring.up_to_date(base, [call], say)
    if call not in found:
        return problems
    measured = found[call]
    return explain(
        measured, metric or nearest_metric(measured, printed), printed, measured.layers, neighbours(base, call)
    )


def neighbours(base: Base, call: str) -> list[Measurement]:
    """The lock's measurements of a call's factory with other arguments."""
    factory = call.partition("(")[0]
    return [found for other, found in base.lock.entries.items() if other.partition("(")[0] == factory and other != call]


def of_cell(base: Base, call: str, metric: str, printed: Printed) -> Explanation | None:
    """The explanation of a figure in a card, from the lock; None where its call was never measured."""
    measured = base.lock.get(call)
    if measured is None:
        return None
    return explain(measured, metric, printed, layers(base.settings.root, call), neighbours(base, call))
