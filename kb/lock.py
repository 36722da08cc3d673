"""The lock: measurements committed beside the models, so that a site needs no torch and a change shows in a diff.

`measured.yml` holds the totals by call, sorted; `measured/<call>.csv` the layers. Entries carry a fingerprint
of what they were measured from.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kb.calls import is_package_call
from kb.file_names import is_reserved
from kb.fingerprints import COUNTER_VERSION, fingerprint, package_versions
from kb.package_lock import package_lock
from kb.plain_yaml import load_plain
from kb.problems import problem
from kb.records import NUMBERS, Factory, KindTotal, Layer, Measurement, Place, Problem
from kb.writing import change_together, remove, sweep

__all__ = ["COUNTER_VERSION", "Lock", "fingerprint", "layers", "read_lock", "stale_calls", "write_lock"]

MODELS = "reference_models"
FORMAT = 1
HEADER = (
    "# What running the models gives. Written by `kb measure`: measure again rather than edit, also after a merge.\n"
)
COLUMNS = [each.name for each in dataclasses.fields(Layer)]
TEXTS = ("input", "classifier", "fingerprint")
CALL_OF_PLAIN_VALUES = re.compile(r"\w+\((?:\w+=[0-9a-z_.]+(?:, |(?=\))))*\)", re.ASCII)
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Lock:
    """The measurements that were kept, by call in normal form. Their layers are read apart, by `layers`.

    What a knowledge base has not measured itself of an installed package's models, kb may have brought along.
    """

    entries: Mapping[str, Measurement] = field(default_factory=dict)

    def get(self, call: str) -> Measurement | None:
        """The measurement of a call, without its layers; None where it was never measured."""
        own = self.entries.get(call)
        if own is None and is_package_call(call):
            brought = package_lock(call)
            return brought.get(call) if brought else None
        return own


def read_lock(root: Path, models_dir: str = MODELS) -> tuple[Lock, list[Problem]]:
    """The lock, and what is wrong with it; an entry that cannot be used is as good as not measured."""
    path = root / models_dir / "measured.yml"
    shown = f"{models_dir}/measured.yml"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Lock(), []
    except UnicodeDecodeError:
        return Lock(), [_damaged(shown, 1, "the file is not UTF-8")]
    except OSError as error:
        return Lock(), [problem("K101", Place(shown), f"the file cannot be read: {error.strerror}")]
    return _lock_from(text, shown)


def _lock_from(text: str, shown: str) -> tuple[Lock, list[Problem]]:
    marker = re.search(r"^(<{7}|={7}|>{7})", text, re.MULTILINE)
    if marker:
        return Lock(), [_damaged(shown, text.count("\n", 0, marker.start()) + 1, "the file holds a merge conflict")]
    data = _quickly(text)
    problems: list[Problem] = []
    if data is None:
        data, problems = load_plain(text, shown)
    if problems:
        return Lock(), [_damaged(shown, problems[0].place.line, problems[0].message)]
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("calls"), dict):
        return Lock(), [_damaged(shown, 1, f"the file is not of format {FORMAT}")]
    return _entries(data["calls"], text, shown)


def _quickly(text: str) -> Any:
    """The data, by the fast reader; None where there is something to report, which the slow one then finds."""
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _entries(calls: Mapping[object, object], text: str, shown: str) -> tuple[Lock, list[Problem]]:
    entries: dict[str, Measurement] = {}
    problems: list[Problem] = []
    for call, entry in calls.items():
        try:
            entries[str(call)] = _measurement(str(call), entry)
        except ValueError as error:
            line = next(
                (n for n, each in enumerate(text.splitlines(), 1) if each.startswith(f"  {_text(str(call))}:")), 1
            )
            problems.append(_damaged(shown, line, f"the entry of `{call}` was changed by hand: {error}"))
    return Lock(entries), problems


def _damaged(shown: str, line: int, message: str) -> Problem:
    return problem("K410", Place(shown, line), message, "run `kb measure` and commit the result")


def _measurement(call: str, entry: object) -> Measurement:
    """An entry as a measurement; raises ValueError where a value is missing or of the wrong type."""
    if not isinstance(entry, dict):
        raise ValueError("it is not a mapping")
    numbers = {name: _checked(entry, name, int) for name in NUMBERS}
    texts = {name: _checked(entry, name, str) for name in TEXTS}
    by_kind = _checked(entry, "by_kind", dict)
    return Measurement(
        call=call,
        **numbers,
        **texts,
        by_kind={str(kind): _kind_total(total) for kind, total in by_kind.items()},
        incomplete=tuple(map(str, _checked(entry, "incomplete", list, default=[]))),
        extras={str(kind): _number(number, kind) for kind, number in _checked(entry, "extras", dict, {}).items()},
        versions={str(name): str(version) for name, version in _checked(entry, "versions", dict, {}).items()},
    )


def _checked(entry: Mapping[str, Any], name: str, kind: type, default: Any = None) -> Any:
    value = entry.get(name, default)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"`{name}` is not {'a whole number' if kind is int else 'what it was'}")
    return value


def _kind_total(total: object) -> KindTotal:
    if not isinstance(total, dict):
        raise ValueError("`by_kind` is not what it was")
    return KindTotal(_checked(total, "params", int), _checked(total, "macs", int))


def _number(value: object, name: object) -> int:
    return int(_checked({str(name): value}, str(name), int))


def layers(root: Path, call: str, models_dir: str = MODELS) -> tuple[Layer, ...]:
    """The layers of a measured call; none where their file is missing or cannot be read."""
    path = root / models_dir / "measured" / file_name(call)
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        return tuple(_layer(row) for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError):
        return ()


def _layer(row: Mapping[str, str]) -> Layer:
    return Layer(
        path=row["path"],
        kind=row["kind"],
        calls=int(row["calls"]),
        input=_shape(row["input"]),
        output=_shape(row["output"]),
        params=int(row["params"]),
        macs=int(row["macs"]),
        made=row["made"],
    )


def _shape(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split("x"))) if text else ()


def stale_calls(
    lock: Lock, calls: Iterable[str], factories: Mapping[str, Factory], root: Path, models_dir: str = MODELS
) -> list[str]:
    """Those of the calls that were never measured, or whose model has changed since."""
    return [call for call in calls if _is_stale(lock.get(call), call, factories, root, models_dir)]


def _is_stale(
    entry: Measurement | None, call: str, factories: Mapping[str, Factory], root: Path, models_dir: str
) -> bool:
    if entry is None or entry.fingerprint != fingerprint(call, factories, root):
        return True
    if is_package_call(call):
        installed = package_versions(call)
        return bool(installed) and dict(entry.versions) != installed
    return not _has_layers(root / models_dir / "measured" / file_name(call))


def _has_layers(path: Path) -> bool:
    """Whether a file of layers is there, in the form that kb writes now: an earlier kb told less of a layer."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n") == ",".join(COLUMNS)
    except (OSError, UnicodeDecodeError):
        return False


def write_lock(
    root: Path, measurements: Iterable[Measurement], models_dir: str = MODELS, *, only: Collection[str] | None = None
) -> None:
    """Enters measurements into the lock beside those it holds; with `only`, drops all calls but these."""
    held, _ = read_lock(root, models_dir)
    folder = root / models_dir / "measured"
    new = {measurement.call: measurement for measurement in measurements}
    entries = {**held.entries, **new}
    kept = {call: entry for call, entry in entries.items() if only is None or call in only}
    contents = {folder / file_name(call): _layers_text(measurement.layers) for call, measurement in new.items()}
    sweep(root / models_dir)
    change_together((), {**contents, root / models_dir / "measured.yml": "".join(_lock_lines(kept))})
    if only is not None:
        _remove_unused(folder, {file_name(call) for call in kept})


def _remove_unused(folder: Path, used: Collection[str]) -> None:
    for path in folder.glob("*.csv"):
        if path.name not in used:
            remove(path)


def _lock_lines(entries: Mapping[str, Measurement]) -> Iterator[str]:
    yield HEADER
    yield f"format: {FORMAT}\n"
    yield "calls:\n" if entries else "calls: {}\n"
    for call in sorted(entries):
        yield f"  {_text(call)}:\n"
        yield from _entry_lines(entries[call])


def _entry_lines(entry: Measurement) -> Iterator[str]:
    for each in dataclasses.fields(Measurement):
        if each.name in NUMBERS:
            yield f"    {each.name}: {getattr(entry, each.name)}\n"
        elif each.name in TEXTS:
            yield f"    {each.name}: {_text(getattr(entry, each.name))}\n"
    yield "    by_kind:\n" if entry.by_kind else "    by_kind: {}\n"
    for kind, total in sorted(entry.by_kind.items()):
        yield f"      {kind}: {{params: {total.params}, macs: {total.macs}}}\n"
    for name, mapping in (("extras", entry.extras), ("versions", entry.versions)):
        if mapping:
            yield f"    {name}: {{{', '.join(f'{key}: {_value(value)}' for key, value in sorted(mapping.items()))}}}\n"
    if entry.incomplete:
        yield "    incomplete:\n"
        yield from (f"      - {_text(each)}\n" for each in entry.incomplete)


def _value(value: object) -> str:
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    """A text in double quotes, which YAML and JSON write alike."""
    return json.dumps(text, ensure_ascii=False)


def _layers_text(rows: Iterable[Layer]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for layer in rows:
        writer.writerow(_cell(getattr(layer, name)) for name in COLUMNS)
    return out.getvalue()


def _cell(value: object) -> object:
    return "x".join(map(str, value)) if isinstance(value, tuple) else value


def file_name(call: str) -> str:
    """The name of a call's layers file: the same on every system, and another for every call.

    `mobilenet_v2(width=0.75)` is `mobilenet_v2-width-0.75.csv`; where writing a call so would lose something,
    the first digits of its SHA-256 follow.
    """
    readable = re.sub(r"[^a-z0-9_.-]+", "-", call.lower()).strip("-.")
    plain = CALL_OF_PLAIN_VALUES.fullmatch(call) and call == call.lower() and len(readable) <= LONGEST_NAME
    if plain and not is_reserved(readable):
        return f"{readable}.csv"
    return f"{readable[:LONGEST_NAME]}-{hashlib.sha256(call.encode()).hexdigest()[:8]}.csv"
