"""How often a figure drawn at random would agree, as benchmarks/chance.py found it, beside how often the site's do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from kb.figures import number_in
from kb.pages.views import Figure
from kb.records import Printed

FILE = Path(__file__).with_suffix(".yml")
FORMAT = 1
METRICS = ("params", "macs")
DIGITS = (1, 2, 3, 4)
COLUMNS = (1, 2, 3, 5, 10)  # how many figures a column holds


@dataclass(frozen=True, slots=True)
class Shares:
    """What share of figures agrees under the plain convention; in columns, by their size; of whole columns, too."""

    plain: float
    column: Mapping[int, float]
    whole: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Chance:
    """What the benchmark found, by metric and number of digits, and how it was drawn."""

    calls: int  # models that figures were drawn around
    cells: int  # figures drawn for each metric, number of digits and size of column
    around: float  # how far around, relative to what a model gives
    shares: Mapping[str, Mapping[int, Shares]]


@cache
def chance() -> Chance:
    """What the benchmark wrote."""
    data = yaml.load(FILE.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    shares = {
        metric: {digits: Shares(**each) for digits, each in by_digits.items()}
        for metric, by_digits in data["metrics"].items()
    }
    return Chance(data["calls"], data["cells"], data["around"], shares)


def per_cent(share: float) -> str:
    """A share in whole per cents; in tenths below ten. What never came is shown as rare, not as impossible."""
    if share < 0.0005:
        return "< 0.1 %"
    return f"{share * 100:.0f} %" if share >= 0.0995 else f"{share * 100:.1f} %"


def digits_of(printed: Printed) -> int:
    """How many significant digits a figure is printed with."""
    return len(number_in(printed).replace(".", "").lstrip("0"))


def on_site(figures: Iterable[Figure], metric: str, digits: int) -> tuple[int, int]:
    """How many of the site's tested figures of a metric, with so many digits, agree, and how many there are.

    One that a footnote reproduces does not count as agreeing: that is what figures drawn at random have no chance of.
    """
    statuses = [
        figure.verdict.status
        for figure in figures
        if figure.verdict.metric == metric and digits_of(figure.verdict.printed) == digits
    ]
    return sum(status in ("agrees", "agrees_counting") for status in statuses), len(statuses)
