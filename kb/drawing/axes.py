"""Axes of a drawing: where a value stands, and which round values are marked; linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ROOM = 0.05  # of the axis, beyond the least and the greatest value
ROUND = (1, 2, 5)
FEW_DECADES = 3  # up to here a logarithmic axis marks 2 and 5 beside the powers of ten


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values laid over a range of positions; `start` may lie beyond `end`, as where y grows upwards."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where a value stands, to a tenth: finer steps cannot be seen, and differ between machines."""
        low, high = _scaled(self.low, self.log), _scaled(self.high, self.log)
        share = (_scaled(value, self.log) - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> tuple[float, ...]:
        """The round values on the axis, from five to about ten of them."""
        candidates = _log_ticks(self.low, self.high) if self.log else _linear_ticks(self.low, self.high)
        return tuple(value for value in candidates if self.low <= value <= self.high)


def axis(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Axis:
    """An axis that holds all these values with some room; a logarithmic one leaves out those not above zero."""
    held = [_scaled(value, log) for value in values if value > 0 or not log]
    low, high = (min(held), max(held)) if held else (0.0, 1.0)
    room = (high - low) * ROOM or abs(high) * ROOM or ROOM
    low, high = low - room, high + room
    return Axis(10**low, 10**high, start, end, log) if log else Axis(low, high, start, end)


def _scaled(value: float, log: bool) -> float:
    return math.log10(value) if log else value


def _log_ticks(low: float, high: float) -> Iterator[float]:
    steps = ROUND if math.log10(high / low) <= FEW_DECADES else ROUND[:1]
    for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (step * 10.0**exponent for step in steps)


def _linear_ticks(low: float, high: float) -> Iterator[float]:
    least = (high - low) / 8
    decade = 10.0 ** math.floor(math.log10(least))
    step = next(size for size in (*(each * decade for each in ROUND), 10 * decade) if size >= least)
    digits = max(0, -math.floor(math.log10(step)))
    for count in range(math.floor(low / step), math.ceil(high / step) + 1):
        yield round(count * step, digits)
