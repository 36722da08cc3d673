"""Witnesses: who else counts a reference model the same, recorded as data beside the models.

A model is proved before it judges: an implementation by others has parameters of the same shapes, or the authors
publish the same integers. A witness speaks for a call as long as the model gives what was compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kb.calls import CallError, is_package_call, parse_call
from kb.lock import MODELS, Lock
from kb.plain_yaml import PlainMapping, load_plain, place_of
from kb.problems import problem
from kb.records import Factory, Place, Problem

FILE = "witnesses.yml"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Witness:
    """Who gives the same for a call: an implementation with its package's version, or what the authors publish.

    `macs` is None where only the parameters are the same. `source` is where a published count stands.
    """

    call: str
    name: str
    version: str
    params: int
    macs: int | None = None
    source: str = ""

    def covers(self, metric: str) -> bool:
        """Whether it speaks for a metric: parameters always, multiply-adds and FLOPs where these were the same."""
        return metric == "params" or self.macs is not None


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The witnesses that were recorded, by call in normal form."""

    by_call: Mapping[str, tuple[Witness, ...]] = field(default_factory=dict)

    def of(self, call: str, lock: Lock, factories: Mapping[str, Factory]) -> tuple[Witness, ...]:
        """Those that speak for a call: recorded for it, or for the same network on another input."""
        for each in dict.fromkeys((call, _on_default_input(call, factories))):
            found = tuple(witness for witness in self.by_call.get(each, ()) if _still_holds(witness, lock))
            if found:
                return found
        return ()


def proved(call: str, metric: str, witnesses: tuple[Witness, ...]) -> bool:
    """Whether a model may judge a metric: a package's is by others anyway, ours need a witness."""
    return is_package_call(call) or any(witness.covers(metric) for witness in witnesses)


def _still_holds(witness: Witness, lock: Lock) -> bool:
    """Whether the model gives what it gave when it was compared: one that has changed since is to be compared again."""
    measured = lock.get(witness.call)
    return measured is not None and measured.params == witness.params and witness.macs in (None, measured.macs)


def _on_default_input(call: str, factories: Mapping[str, Factory]) -> str:
    """The call without the arguments that only the input knows: the network stays the same."""
    try:
        parsed = parse_call(call)
    except CallError:
        return call
    factory = factories.get(parsed.name)
    if factory is None:
        return call
    kept = {name: value for name, value in parsed.arguments.items() if name in factory.factory_parameters}
    return str(type(parsed)(parsed.name, kept))


def read_witnesses(root: Path, models_dir: str = MODELS) -> tuple[Witnesses, list[Problem]]:
    """The witnesses beside the models, and what is wrong with their file; none where there is no such file."""
    path, shown = root / models_dir / FILE, f"{models_dir}/{FILE}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Witnesses(), []
    except UnicodeDecodeError:
        return Witnesses(), [problem("K102", Place(shown), "the file is not UTF-8", "save it as UTF-8")]
    except OSError as error:
        return Witnesses(), [problem("K101", Place(shown), f"the file cannot be read: {error.strerror}")]
    data, problems = load_plain(text, shown)
    if problems:
        return Witnesses(), problems
    if not isinstance(data, PlainMapping) or data.get("format") != FORMAT or not isinstance(data.get("models"), dict):
        return Witnesses(), [problem("K411", Place(shown), f"the file is not of format {FORMAT}")]
    return _read(data["models"], shown)


def _read(models: object, shown: str) -> tuple[Witnesses, list[Problem]]:
    by_call: dict[str, tuple[Witness, ...]] = {}
    problems: list[Problem] = []
    assert isinstance(models, dict)
    for call, entries in models.items():
        try:
            by_call[call] = tuple(_witness(call, entry) for entry in _listed(entries))
        except ValueError as error:
            place = place_of(models, call, Place(shown))
            problems.append(problem("K411", place, f"the entry of `{call}` cannot be used: {error}"))
    return Witnesses(by_call), problems


def _listed(entries: object) -> list[object]:
    if not isinstance(entries, list):
        raise ValueError("it is not a list")
    return entries


def _witness(call: str, entry: object) -> Witness:
    """An entry as a witness; raises ValueError for one that is none."""
    if not isinstance(entry, dict):
        raise ValueError("a witness is a mapping")
    name, version, source = (entry.get(key, "") for key in ("name", "version", "source"))
    params, macs = entry.get("params"), entry.get("macs")
    if not isinstance(name, str) or not name:
        raise ValueError("`name` does not say who the witness is")
    if not isinstance(params, int) or not isinstance(macs, int | None) or isinstance(params, bool):
        raise ValueError("`params` and `macs` are whole numbers")
    return Witness(call, name, str(version), params, macs, str(source))
