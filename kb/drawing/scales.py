"""Axes: where a number lies, and which numbers are marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

TICKS = 5  # about so many
ROOM = 0.05  # of the data's range, left at both ends


@dataclass(frozen=True, slots=True)
class Scale:
    """From a range of numbers to a range of coordinates."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where a number lies."""
        low, high, value = (log10(each) if self.log else each for each in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """The numbers to mark."""
        return list(_log_ticks(self.low, self.high) if self.log else _linear_ticks(self.low, self.high))


def reach(numbers: Sequence[float], log: bool, low: float | None, high: float | None) -> tuple[float, float]:
    """The ends of an axis: as given, else a little beyond the numbers."""
    least, most = (log10(each) if log else each for each in (min(numbers, default=1.0), max(numbers, default=1.0)))
    room = (most - least) * ROOM or (0.1 if log else abs(most) * ROOM or 1.0)
    ends = least - room, most + room
    found = tuple(10**each if log else each for each in ends)
    first, last = (given if given is not None else own for given, own in zip((low, high), found, strict=True))
    return (first, last) if first < last else (first, first + 1.0)


def _linear_ticks(low: float, high: float) -> Iterator[float]:
    rough = (high - low) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * 0.999)
    first = ceil(low / step - 1e-9)
    for number in range(first, floor(high / step + 1e-9) + 1):
        yield float(f"{number * step:.10g}")


def _log_ticks(low: float, high: float) -> Iterator[float]:
    """Powers of ten; where there are few, their doubles and fives, too."""
    within = (1,) if log10(high / low) > 3 else (1, 2, 5)
    for power in range(floor(log10(low)), ceil(log10(high)) + 1):
        for each in within:
            value = float(f"{each * 10.0**power:.10g}")
            if low * 0.999 <= value <= high * 1.001:
                yield value


def written(value: float) -> str:
    """A tick's number: 0.05, 1000, 2e+07."""
    return f"{value:.6g}".replace("-", "−")
