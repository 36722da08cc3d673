"""Compares the counter with the table that timm publishes: parameters, multiply-adds and activations of its models.

    python benchmarks/timm_table.py benchmark-infer-….csv               all rows at a model's default size
    python benchmarks/timm_table.py benchmark-infer-….csv --sample 200  a seeded sample of them
    python benchmarks/timm_table.py benchmark-infer-….csv --markdown    the table as Markdown

The CSV lies in timm's repository, under `results/`, and is not part of ours. It was counted with fvcore, which adds
estimates for normalisation, pooling and resampling to the multiply-adds, after timm had joined the branches of the
networks that are made for that. So a row is compared with what kb brings along (`plain`), with fvcore's estimates
added (`extras`), and then with the networks that timm_table.yml speaks of: what explains a row has to print as its
three figures do. It exits 1 where a row is not explained.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml
from fvcore_rules import Difference, difference, frequencies_as_products, joined, network, unfused

from kb.counting import measure_module
from kb.package_lock import package_lock
from kb.records import Measurement

NOTES = Path(__file__).with_suffix(".yml")
SEED = 0
FIGURES = {"params": 10**6, "macs": 10**9, "activations": 10**6}  # what a row prints, in which unit
STEP = Decimal("0.01")  # of the last digit
NAMES = {"params": "parameters", "macs": "multiply-adds", "activations": "activations"}


@dataclass(frozen=True)
class Row:
    """A row of timm's table; its figures as printed."""

    model: str
    size: int
    params: str
    macs: str
    activations: str

    @property
    def call(self) -> str:
        """The model's call."""
        return f"timm.models:{self.model}()"


@dataclass(frozen=True)
class Counts:
    """What is compared with a row."""

    params: int
    macs: int
    activations: int

    def fit(self, row: Row) -> frozenset[str]:
        """The figures of the row that these round to."""
        return frozenset(name for name in FIGURES if abs(self.printed(name) - Decimal(getattr(row, name))) <= STEP / 2)

    def printed(self, name: str) -> Decimal:
        """A figure in the unit that the table prints it in, not yet rounded."""
        return Decimal(getattr(self, name)) / FIGURES[name]

    def plus(self, macs: int, activations: int = 0) -> Counts:
        """These with something added."""
        return Counts(self.params, self.macs + macs, self.activations + activations)


@dataclass(frozen=True)
class Outcome:
    """A row with the counts that were tried, by the way of counting."""

    row: Row
    tried: Mapping[str, Counts]

    @property
    def explained(self) -> str:
        """The first way of counting that gives all three figures; "" where none does."""
        return next((way for way, counts in self.tried.items() if len(counts.fit(self.row)) == len(FIGURES)), "")


def main() -> int:
    """Compare, print the table, and name what is left."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("csv", type=Path)
    options.add_argument("--sample", type=int, default=0, help="so many rows, drawn by a seed (default: all)")
    options.add_argument("--only", default="", help="rows of models whose name has this in it")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--markdown", action="store_true", help="only the table, as Markdown")
    given = options.parse_args()
    rows = [row for row in default_rows(read_rows(given.csv)) if given.only in row.model]
    notes = yaml.safe_load(NOTES.read_text(encoding="utf-8"))
    outcomes = list(compared(sampled(rows, given.sample), notes["other_calls"], given.jobs))
    if not given.markdown:
        print("\n".join(outliers(outcomes, notes)), end="\n\n")
    print("\n".join(table(outcomes, notes)))
    return 0 if all(outcome.explained for outcome in outcomes) else 1


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of timm's table."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            size = int(row["infer_img_size"])
            yield Row(row["model"], size, row["param_count"], row["infer_gmacs"], row["infer_macts"])


def default_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Those of models that this timm has, at their default size."""
    for row in rows:
        found = brought(row.call)
        if found and found.input.endswith(f"×{row.size}"):
            yield row


def brought(call: str) -> Measurement | None:
    """The measurement that kb brings along."""
    lock = package_lock(call)
    return lock.get(call) if lock else None


def sampled(rows: Sequence[Row], number: int) -> Sequence[Row]:
    """So many of the rows, the same ones each time; all for 0."""
    return random.Random(SEED).sample(rows, number) if 0 < number < len(rows) else rows


def compared(rows: Sequence[Row], other_calls: Mapping[str, Any], jobs: int) -> Iterator[Outcome]:
    """Every row with what was tried for it."""
    with get_context("spawn").Pool(jobs) as pool:
        tasks = ((row, other_calls.get(row.model, {}).get("call", "")) for row in rows)
        for done, outcome in enumerate(pool.imap(compare, tasks, chunksize=4), 1):
            if sys.stderr.isatty():
                print(f"\r{done} of {len(rows)}", end="", file=sys.stderr, flush=True)
            yield outcome


def compare(task: tuple[Row, str]) -> Outcome:
    """One row: each next way of counting is tried where the one before does not give all its figures."""
    row, other_call = task
    tried: dict[str, Counts] = {}
    for way, counts in ways(row, other_call):
        tried[way] = counts
        if way != "plain" and len(counts.fit(row)) == len(FIGURES):
            break
    return Outcome(row, tried)


def ways(row: Row, other_call: str) -> Iterator[tuple[str, Counts]]:
    """The ways of counting, in the order in which they are tried."""
    found = brought(row.call)
    assert found is not None
    plain = Counts(found.params, found.macs, found.activations)
    theirs = difference(*network(row.call))
    yield "plain", plain
    yield "extras", plain.plus(theirs.estimated)
    yield "unseen", as_fvcore(plain, theirs)
    with frequencies_as_products():
        yield "products", counted(*network(row.call))
    changed = joined(row.call)
    if changed:
        yield "joined", counted(*changed)
    yield "unfused", counted(*unfused(row.call))
    if other_call:
        yield "other_call", counted(*network(other_call))


def counted(module: Any, inputs: Any) -> Counts:
    """What kb counts of a network, with fvcore's estimates and without what it does not see."""
    found = measure_module(module, inputs)
    return as_fvcore(Counts(found.params, found.macs, found.activations), difference(module, inputs))


def as_fvcore(counts: Counts, theirs: Difference) -> Counts:
    """Counts with what fvcore adds, and without what it does not see."""
    return counts.plus(theirs.estimated - theirs.unseen_macs, -theirs.unseen_activations)


def table(outcomes: Sequence[Outcome], notes: Mapping[str, Any]) -> Iterator[str]:
    """How many rows fit, figure by figure and in all three; and how many each next way of counting adds."""
    yield f"| timm's table, {len(outcomes):,} rows | as kb counts | with fvcore's estimates |"
    yield "|---|---:|---:|"
    for name, words in NAMES.items():
        fitting = [sum(name in each.tried[way].fit(each.row) for each in outcomes) for way in ("plain", "extras")]
        yield f"| {words} | {' | '.join(share(number, outcomes) for number in fitting)} |"
    reached = 0
    explained = Counter(each.explained for each in outcomes)
    for way in notes["ways"]:
        reached += explained[way]
        cells = ("", share(reached, outcomes)) if way != "plain" else (share(reached, outcomes), "")
        yield f"| all three, {notes['ways'][way]['name']} | {' | '.join(cells)} |"


def share(number: int, outcomes: Sequence[Outcome]) -> str:
    """A number of rows, and what part of all that is."""
    return f"{number:,} ({100 * number / max(len(outcomes), 1):.1f} %)"


def outliers(outcomes: Sequence[Outcome], notes: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for every row that the counter does not give, with fvcore's estimates or without."""
    for way in [*notes["ways"], ""]:
        group = [each for each in outcomes if each.explained == way]
        if not group or way == "plain":
            continue
        why = notes["ways"][way]["why"] if way else "NOT EXPLAINED"
        yield f"{len(group)} row{'s' * (len(group) > 1)}: {why}"
        if way != "extras":
            yield from (f"  {line(each, notes)}" for each in group)


def line(outcome: Outcome, notes: Mapping[str, Any]) -> str:
    """What is printed, what kb gives, and for which counts the printed figures are right."""
    row = outcome.row
    shown = ("extras", outcome.explained) if outcome.explained else outcome.tried
    given = "; ".join(f"{way} {_shown(outcome.tried[way])}" for way in shown)
    own = f" ({notes['other_calls'][row.model]['why']})" if outcome.explained == "other_call" else ""
    return f"{row.model}: printed {row.params} {row.macs} {row.activations}; {given}{own}"


def _shown(counts: Counts) -> str:
    return " ".join(f"{counts.printed(name):.3f}" for name in FIGURES)


if __name__ == "__main__":
    sys.exit(main())
