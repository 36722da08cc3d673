"""Why a printed figure differs from what a model gives: everything that is tried, and how it comes out.

First the conventions by which columns are judged; then leads: layers that are left out or counted twice, other
arguments of the same factory, one more class, a factor, a misprint. A lead is no explanation: with hundreds of layers
some will fit any figure of two digits. So each kind says which share of the figures around would be met as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from math import prod
from typing import Literal

from kb.figures import number_in
from kb.judging import CONVENTIONS, Convention
from kb.records import Layer, Measurement, Printed

LeadKind = Literal["layers", "arguments", "classes", "factor", "misprint"]
LEAD_KINDS: tuple[LeadKind, ...] = ("layers", "arguments", "classes", "factor", "misprint")
SHOWN = 4  # leads of a kind; those that fit come first
AROUND = Decimal("0.25")  # of the printed figure, either way: the figures that a chance is counted over

# What a count may have been multiplied by, as a text and a fraction.
FACTORS: Mapping[str, tuple[int, int]] = {
    "2": (2, 1),
    "1/2": (1, 2),
    "4": (4, 1),  # bytes at 32 bits
    "8": (8, 1),
    "1/3": (1, 3),  # colours
    "3": (3, 1),
    "1000": (1000, 1),
    "1/1000": (1, 1000),
    "1/1.024": (1000, 1024),
    "1/1.048576": (10**6, 2**20),  # a million as 2^20
    "1/1.073741824": (10**9, 2**30),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A convention, what the model counts under it, and the digits that this would be printed as."""

    convention: str
    count: int
    prints: str
    fits: bool


@dataclass(frozen=True, slots=True)
class Lead:
    """Something else that was tried. `how` says what was done to `what`; `count` is what comes out."""

    kind: LeadKind
    how: str
    what: tuple[str, ...]
    count: int
    fits: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """All leads of one kind: the best of them, how many were tried, and how many fit.

    `chance` is the share of the figures around the printed one, with as many digits, that some lead would fit too.
    """

    kind: LeadKind
    best: tuple[Lead, ...]
    tried: int
    fitting: int
    chance: Decimal


@dataclass(frozen=True, slots=True)
class Explanation:
    """A printed figure beside everything that the model can be made to give. `low` and `high` bound what it accepts."""

    call: str
    metric: str
    printed: Printed
    measured: int
    low: Decimal
    high: Decimal
    readings: tuple[Reading, ...]
    trials: tuple[Trial, ...]

    @property
    def nearest(self) -> Reading:
        """The reading whose count lies nearest to the printed figure; one that fits before all others."""
        return min(self.readings, key=lambda each: (not each.fits, abs(each.count - self.printed.value)))

    @property
    def fitting(self) -> tuple[Reading, ...]:
        """The readings that print as these digits."""
        return tuple(each for each in self.readings if each.fits)


def explain(
    measured: Measurement,
    metric: str,
    printed: Printed,
    layers: Sequence[Layer],
    neighbours: Iterable[Measurement] = (),
) -> Explanation:
    """What a model gives for a printed figure, under every convention and with every lead.

    `layers` are the measurement's; `neighbours` are measurements of the same factory with other arguments.
    """
    plain = CONVENTIONS[metric][0]
    low, high = plain.accepts(printed)
    readings = tuple(_reading(each, printed, measured) for each in CONVENTIONS[metric])
    leads = [
        *_layer_leads(metric, plain.count(measured), printed, layers, readings),
        *_argument_leads(metric, plain.count(measured), printed, neighbours),
        *_class_leads(metric, plain.count(measured), printed, measured, layers),
        *_factor_leads(plain.count(measured), printed, readings),
        *_misprint_leads(printed, readings),
    ]
    trials = (_trial(kind, [lead for lead in leads if lead.kind == kind], printed) for kind in LEAD_KINDS)
    return Explanation(
        measured.call,
        metric,
        printed,
        plain.count(measured),
        low,
        high,
        readings,
        tuple(trial for trial in trials if trial.tried),
    )


def nearest_metric(measured: Measurement, printed: Printed) -> str:
    """Which count a figure without a name is nearest to: parameters or multiply-adds."""
    counts = {"params": measured.params, "macs": measured.macs}
    return min(counts, key=lambda name: _ratio(Decimal(counts[name] or 1), abs(printed.value) or Decimal(1)))


def _ratio(one: Decimal, other: Decimal) -> Decimal:
    return max(one / other, other / one)


# ------------------------------------------------------------------------------------------------------- digits


def as_printed(count: int | Decimal, printed: Printed, *, truncated: bool = False) -> str:
    """The digits that a count would be printed as, in the unit and with the decimals of a printed figure."""
    decimals = len(number_in(printed).partition(".")[2])
    value = Decimal(count) / printed.step.scaleb(decimals)
    return f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN if truncated else ROUND_HALF_UP):f}"


def _reading(convention: Convention, printed: Printed, measured: Measurement) -> Reading:
    count = convention.count(measured)
    digits = as_printed(count, printed, truncated=convention.truncated)
    return Reading(convention.id, count, digits, convention.fits(printed, measured))


def _fits(count: int | Decimal, printed: Printed) -> bool:
    return abs(count - printed.value) <= printed.step / 2


# -------------------------------------------------------------------------------------------------------- leads


def _trial(kind: LeadKind, leads: Sequence[Lead], printed: Printed) -> Trial:
    best = sorted(leads, key=lambda lead: (not lead.fits, abs(lead.count - printed.value), len(lead.what)))
    fitting = sum(lead.fits for lead in leads)
    chance = (
        _chance([lead.count for lead in leads], printed) if kind != "misprint" else _misprint_chance(leads, printed)
    )
    return Trial(kind, tuple(best[:SHOWN]), len(leads), fitting, chance)


def _chance(counts: Iterable[int], printed: Printed) -> Decimal:
    """The share of the figures around that one of the counts would be printed as."""
    first, last = (int(printed.value * (1 + side * AROUND) / printed.step) for side in (-1, 1))
    met = {int((count / printed.step).quantize(Decimal(1), ROUND_HALF_UP)) for count in counts}
    return Decimal(sum(first <= cell <= last for cell in met)) / max(last - first + 1, 1)


def _layer_leads(
    metric: str, whole: int, printed: Printed, layers: Sequence[Layer], readings: Sequence[Reading]
) -> Iterator[Lead]:
    """The model without a part of it, with the part twice, with half of it; parts that cost the same are one lead.

    What is a convention's is left to it: the model without its classifier.
    """
    known = {reading.count for reading in readings}
    by_cost: dict[int, list[str]] = {}
    for part, cost in _parts(metric, layers):
        if 0 < cost < whole:
            by_cost.setdefault(cost, []).append(part)
    for cost, all_parts in by_cost.items():
        parts = _outermost(all_parts)
        for how, count in (("without", whole - cost), ("twice", whole + cost), ("half", whole - cost // 2)):
            if count not in known:
                yield Lead("layers", how, parts, count, _fits(count, printed))


def _outermost(parts: Sequence[str]) -> tuple[str, ...]:
    """The parts without those that lie in another of them: a block that costs what its one convolution does."""
    return tuple(part for part in parts if not any(part.startswith(f"{other}.") for other in parts))


def _parts(metric: str, layers: Sequence[Layer]) -> Iterator[tuple[str, int]]:
    """Every module that holds layers, every layer, and every kind of layer (in brackets), with what it costs."""
    costs: dict[str, int] = {}
    for layer in layers:
        cost = {"params": layer.params, "macs": layer.macs, "flops": 2 * layer.macs}[metric]
        names = layer.path.split(".") if layer.path else []
        for depth in range(1, len(names) + 1):
            part = ".".join(names[:depth])
            costs[part] = costs.get(part, 0) + cost
        costs[f"[{layer.kind}]"] = costs.get(f"[{layer.kind}]", 0) + cost
    yield from costs.items()


def _argument_leads(metric: str, whole: int, printed: Printed, neighbours: Iterable[Measurement]) -> Iterator[Lead]:
    """The same factory with other arguments, under the first convention that fits, else the plain one.

    Calls that count the same are one lead; those that count what the call itself does are none.
    """
    conventions = CONVENTIONS[metric]
    calls: dict[tuple[str, int, bool], list[str]] = {}
    for each in neighbours:
        if conventions[0].count(each) != whole:
            fitting = next((way for way in conventions if way.fits(printed, each)), None)
            way = fitting or conventions[0]
            calls.setdefault((way.id, way.count(each), fitting is not None), []).append(each.call)
    for (convention, count, fits), same in calls.items():
        yield Lead("arguments", convention, tuple(same), count, fits)


def _class_leads(
    metric: str, whole: int, printed: Printed, measured: Measurement, layers: Sequence[Layer]
) -> Iterator[Lead]:
    """One class more, as for a background, or one less: the classifier's cost is shared out among its classes."""
    layer = next((each for each in layers if each.path == measured.classifier and len(each.output) > 1), None)
    if layer is None:
        return
    classes = layer.output[1]
    cost = {"params": layer.params, "macs": layer.macs, "flops": 2 * layer.macs}[metric]
    if classes < 2 or cost % classes or prod(layer.output[2:]) != 1:
        return
    for more in (1, -1):
        count = whole + more * cost // classes
        yield Lead("classes", "", (str(classes + more),), count, _fits(count, printed))


def _factor_leads(whole: int, printed: Printed, readings: Sequence[Reading]) -> Iterator[Lead]:
    """The count multiplied; factors that are a convention's are left to it."""
    known = {reading.count for reading in readings}
    for factor, (above, below) in FACTORS.items():
        count = whole * above // below
        if count not in known:
            yield Lead("factor", "", (factor,), count, _fits(count, printed))


MISPRINTS: Mapping[str, Callable[[str, str], bool]] = {
    "point": lambda meant, read: _digits(meant) == _digits(read) and meant != read,
    "swapped": lambda meant, read: read in _swapped(meant),
    "digit": lambda meant, read: len(meant) == len(read) and sum(map(str.__ne__, meant, read)) == 1,
    "dropped": lambda meant, read: read in _dropped(meant),
    "added": lambda meant, read: meant in _dropped(read),
}


def _misprint_leads(printed: Printed, readings: Sequence[Reading]) -> Iterator[Lead]:
    """What the model would print under each convention, where a slip turns it into the printed digits."""
    read = number_in(printed)
    seen: set[str] = set()
    for reading in readings:
        if reading.prints not in seen:
            seen.add(reading.prints)
            slip = next((name for name, turns in MISPRINTS.items() if turns(reading.prints, read)), "")
            yield Lead("misprint", slip, (reading.convention, reading.prints), reading.count, bool(slip))


def _misprint_chance(leads: Sequence[Lead], printed: Printed) -> Decimal:
    """The share of the figures around that a slip would turn one of the readings into."""
    first, last = (int(printed.value * (1 + side * AROUND) / printed.step) for side in (-1, 1))
    meant = {lead.what[1] for lead in leads}
    step = max((last - first) // 400, 1)  # figures of many digits are sampled
    cells = range(first, last + 1, step)
    around = [as_printed(cell * printed.step, printed) for cell in cells]
    met = sum(any(turns(each, read) for each in meant for turns in MISPRINTS.values()) for read in around)
    return Decimal(met) / max(len(around), 1)


def _digits(number: str) -> str:
    return number.replace(".", "").strip("0")


def _swapped(number: str) -> set[str]:
    """The number with two neighbouring digits changed about."""
    digits = [place for place, letter in enumerate(number) if letter != "."]
    return {
        number[:one] + number[other] + number[one + 1 : other] + number[one] + number[other + 1 :]
        for one, other in pairwise(digits)
    } - {number}


def _dropped(number: str) -> set[str]:
    """The number with one digit gone; at least two are left."""
    if len(_digits(number)) < 3:
        return set()
    return {number[:place] + number[place + 1 :] for place, letter in enumerate(number) if letter != "."} - {number}
