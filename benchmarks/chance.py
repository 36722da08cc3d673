"""How often a figure drawn at random would agree: what the verdicts on this knowledge base's models are worth.

    python benchmarks/chance.py            draws, prints the table, writes kb/pages/chance.yml
    python benchmarks/chance.py --check    draws, and exits 1 where the file says otherwise

For each of the calls in reference_models/measured.yml a number is drawn uniformly within a quarter of what the model
gives, either way, and printed with one to four digits, as a paper would. The figures are then judged as a table's are,
in columns of one to ten models drawn without replacement: `plain` is the share that the plain convention alone gives,
`column` the share that agree under the one convention of their column, `whole` the share of columns in which every
figure does. FLOPs are left out: their list is that of the multiply-adds, seen from the other side. The draws are
seeded, so the same measurements give the same file.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from kb.explaining import AROUND
from kb.judging import CONVENTIONS, judge
from kb.lock import read_lock
from kb.pages.chance import COLUMNS, DIGITS, FILE, FORMAT, METRICS
from kb.records import Measurement, Printed, ResultRow
from kb.writing import write_if_changed

ROOT = Path(__file__).resolve().parent.parent
SEED = 20171704
CELLS = 6000  # figures for each metric, number of digits and size of column: shares are right to about 0.6 %
HEADER = "# How often a figure drawn at random would agree. Written by `python benchmarks/chance.py`.\n"
AGREES = ("agrees", "agrees_counting")

Measurements = Mapping[str, Measurement]


def printed(number: Decimal, digits: int, line: int) -> Printed:
    """A number as it is printed with so many significant digits."""
    step = Decimal(10) ** (number.adjusted() - digits + 1)
    value = (number / step).quantize(Decimal(1), ROUND_HALF_UP) * step
    return Printed(f"{value:f}", "", value, step, line, 0)


def column(
    metric: str, digits: int, size: int, measured: Sequence[Measurement], draw: random.Random
) -> Iterator[ResultRow]:
    """Rows of a table with figures drawn around what their models give."""
    for line, each in enumerate(draw.sample(measured, size), 1):
        count = CONVENTIONS[metric][0].count(each)
        number = Decimal(draw.uniform(1 - float(AROUND), 1 + float(AROUND)) * count)
        yield ResultRow("", each.call, line, 1, "", {metric: printed(number, digits, line)})


@dataclass(frozen=True)
class Tally:
    """How many figures were drawn in columns of one size, and what came of them."""

    figures: int = 0
    columns: int = 0
    plain: int = 0
    agreeing: int = 0
    whole: int = 0


def tally(metric: str, digits: int, size: int, lock: Measurements, cells: int) -> Tally:
    """What comes of as many columns of one size as hold so many figures."""
    draw = random.Random(f"{SEED} {metric} {digits} {size}")
    measured = [lock[call] for call in sorted(lock)]
    columns = [list(column(metric, digits, size, measured, draw)) for _ in range(cells // size)]
    agreeing = [sum(each.status in AGREES for each in judge(rows, lock).values()) for rows in columns]
    plain = CONVENTIONS[metric][0]
    plainly = sum(plain.fits(row.metrics[metric], lock[row.call]) for rows in columns for row in rows)
    return Tally(len(columns) * size, len(columns), plainly, sum(agreeing), agreeing.count(size))


def shares(metric: str, digits: int, lock: Measurements, cells: int) -> dict[str, object]:
    """The shares of figures of so many digits that agree; those of columns by their size."""
    found = {size: tally(metric, digits, size, lock, cells) for size in COLUMNS}
    plain = sum(each.plain for each in found.values()) / sum(each.figures for each in found.values())
    return {
        "plain": round(plain, 4),
        "column": {size: round(each.agreeing / each.figures, 4) for size, each in found.items()},
        "whole": {size: round(each.whole / each.columns, 4) for size, each in found.items()},
    }


def text_of(lock: Measurements, cells: int = CELLS) -> str:
    """The file's text."""
    lines = [
        f"{HEADER}format: {FORMAT}\nseed: {SEED}\naround: {AROUND}\ncalls: {len(lock)}\ncells: {cells}\nmetrics:\n"
    ]
    for metric in METRICS:
        lines.append(f"  {metric}:\n")
        lines += [f"    {digits}: {flow(shares(metric, digits, lock, cells))}\n" for digits in DIGITS]
    return "".join(lines)


def flow(value: object) -> str:
    """Mappings of numbers on one line."""
    if not isinstance(value, dict):
        return str(value)
    return f"{{{', '.join(f'{key}: {flow(each)}' for key, each in value.items())}}}"


def main() -> int:
    """Draw, and write or check the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the file says otherwise")
    options = parser.parse_args()
    lock = read_lock(ROOT)[0].entries
    text = text_of(lock)
    print(text, end="")
    if options.check and (not FILE.exists() or FILE.read_text(encoding="utf-8") != text):
        print(f"{FILE} says otherwise: run python benchmarks/chance.py", file=sys.stderr)
        return 1
    if not options.check:
        write_if_changed(FILE, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
