"""Axes of a drawing: where a value stands, and which round values are marked; linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ROOM = 0.05  # of the axis, beyond the least and the greatest value
ROUND = (1, 2, 5)
FEW_DECADES = 3  # up to here a logarithmic axis marks 2 and 5 beside the powers of ten
STEPS = 8  # of a linear axis, at most, for a drawing of a page's width
SLIGHT = 1e-9  # of the axis: so far beyond its end, through arithmetic alone, a value is at it


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values laid over a range of positions; `start` may lie beyond `end`, as where y grows upwards."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    steps: int = STEPS

    def at(self, value: float) -> float:
        """Where a value stands, to a tenth: finer steps cannot be seen, and differ between machines."""
        return round(self.start + self._share(value) * (self.end - self.start), 1)

    def ticks(self) -> tuple[float, ...]:
        """The round values on the axis."""
        candidates = _log_ticks(self.low, self.high) if self.log else _linear_ticks(self.low, self.high, self.steps)
        return tuple(value for value in candidates if -SLIGHT <= self._share(value) <= 1 + SLIGHT)

    def _share(self, value: float) -> float:
        low, high = _scaled(self.low, self.log), _scaled(self.high, self.log)
        return (_scaled(value, self.log) - low) / (high - low)


def axis(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Axis:
    """An axis that holds all these values with some room; a logarithmic one leaves out those not above zero."""
    return Axis(*reach(values, log=log), start, end, log)


def reach(values: Iterable[float], *, log: bool) -> tuple[float, float]:
    """The ends of an axis: a little beyond the least and the greatest value."""
    held = [_scaled(value, log) for value in values if value > 0 or not log]
    low, high = (min(held), max(held)) if held else (0.0, 1.0)
    room = (high - low) * ROOM or abs(high) * ROOM or ROOM
    low, high = low - room, high + room
    return (10**low, 10**high) if log else (low, high)


def written(value: float) -> str:
    """A tick's number: 0.05, 1000, 2e+07."""
    return f"{value:.6g}".replace("-", "−")


def _scaled(value: float, log: bool) -> float:
    return math.log10(value) if log else value


def _log_ticks(low: float, high: float) -> Iterator[float]:
    steps = ROUND if math.log10(high / low) <= FEW_DECADES else ROUND[:1]
    for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (float(f"{step}e{exponent}") for step in steps)


def _linear_ticks(low: float, high: float, steps: int) -> Iterator[float]:
    least = (high - low) / steps * (1 - SLIGHT)
    decade = 10.0 ** math.floor(math.log10(least))
    step = next(size for size in (*(each * decade for each in ROUND), 10 * decade) if size >= least)
    digits = max(0, -math.floor(math.log10(step)))
    for count in range(math.floor(low / step), math.ceil(high / step) + 1):
        yield round(count * step, digits)
