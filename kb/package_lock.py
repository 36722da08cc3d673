"""Measurements that kb brings along: the models of torchvision and timm, with their defaults, by package version.

They lie in `kb/measured/<package>-<version>.csv`, a model to a line, so that a card can name
`torchvision.models:resnet50()` and show its numbers where neither torch nor torchvision is installed. A file is read
when a call of its package is first looked up. They hold no layers, which would take ten times the room in the wheel;
`kb measure --again` enters measurements with layers into a base's own lock, which comes first.
`python benchmarks/package_locks.py` makes the files.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from kb.fingerprints import fingerprint
from kb.records import NUMBERS, KindTotal, Measurement

FOLDER = Path(__file__).parent / "measured"
COLUMNS = ("call", "defined_in", "input", *NUMBERS, "classifier", "by_kind", "extras", "incomplete")
AND = " | "  # between the operators that could not be counted

Row = Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class PackageLock:
    """The measured models of one version of a package: their rows by call, also by the module that defines them."""

    package: str
    version: str
    rows: Mapping[str, Row]

    def get(self, call: str) -> Measurement | None:
        """The measurement of a call in normal form; None for one that was not measured."""
        row = self.rows.get(call)
        return _measurement(call, row, {self.package: self.version}) if row else None

    def hint(self, call: str) -> str:
        """What to write in place of a call that was not measured: the nearest one that was."""
        close = get_close_matches(f"{call.partition('(')[0]}()", self.rows, n=1)
        meant = f"; did you mean `{close[0]}`?" if close else ""
        return f"kb brings along the models of {self.package} {self.version} with their defaults{meant}"


def package_lock(call: str) -> PackageLock | None:
    """What kb brings along for the package that a call names; None where that is nothing."""
    return _read(call.partition(":")[0].partition(".")[0])


@cache
def _read(package: str) -> PackageLock | None:
    path = next(FOLDER.glob(f"{package}-*.csv"), None)
    if path is None:
        return None
    rows: dict[str, Row] = {}
    for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))):
        rows[row["call"]] = rows[f"{row['defined_in']}:{row['call'].partition(':')[2]}"] = row
    return PackageLock(package, path.stem.removeprefix(f"{package}-"), rows)


def _measurement(call: str, row: Row, versions: Mapping[str, str]) -> Measurement:
    numbers: dict[str, Any] = {name: int(row[name]) for name in NUMBERS}
    return Measurement(
        call=call,
        input=row["input"],
        **numbers,
        classifier=row["classifier"],
        by_kind={kind: KindTotal(*map(int, totals)) for kind, *totals in _items(row["by_kind"])},
        extras={kind: int(elements) for kind, elements in _items(row["extras"])},
        incomplete=tuple(filter(None, row["incomplete"].split(AND))),
        fingerprint=fingerprint(call, {}, FOLDER),
        versions=versions,
    )


def _items(text: str) -> Iterable[list[str]]:
    """`conv 9408 118013952; linear 2048000 2048000`, taken apart."""
    return (item.split() for item in text.split("; ") if item)


def text_of(measurements: Iterable[tuple[Measurement, str]]) -> str:
    """The file of measurements, each with the module that defines its model: sorted, a line for each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for measurement, module in sorted(measurements, key=lambda pair: pair[0].call):
        writer.writerow([_cell(name, measurement, module) for name in COLUMNS])
    return out.getvalue()


def _cell(name: str, measurement: Measurement, module: str) -> object:
    if name == "defined_in":
        return module
    if name == "by_kind":
        kinds = sorted(measurement.by_kind.items())
        return "; ".join(f"{kind} {total.params} {total.macs}" for kind, total in kinds)
    if name == "extras":
        return "; ".join(f"{kind} {elements}" for kind, elements in sorted(measurement.extras.items()))
    if name == "incomplete":
        return AND.join(measurement.incomplete)
    return getattr(measurement, name)
