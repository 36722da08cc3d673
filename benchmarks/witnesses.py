"""Compares our reference models with independent implementations, and records the ones that agree.

    python benchmarks/witnesses.py            compares the pairs of witnesses.yml, writes reference_models/witnesses.yml
    python benchmarks/witnesses.py --check    compares only

Two networks agree where the shapes of their parameters, sorted, are the same; a 1×1 convolution counts as the linear
layer that it is. Their multiply-adds are compared too, and recorded where they are the same. It exits 1 where
parameters differ. Packages are to be installed as the tests install them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from torch import nn

from kb.calls import find_factories, is_package_call, normalise, parse_call, split_call
from kb.counting import build, make_inputs, measure_module
from kb.counting.packages import build_package_model, find_factory, input_for, split_arguments
from kb.records import Factory
from kb.witnesses import FILE, FORMAT
from kb.writing import write_if_changed

ROOT = Path(__file__).resolve().parent.parent
MODELS = "reference_models"
PAIRS = Path(__file__).with_suffix(".yml")
HEADER = """\
# Independent implementations that our models were compared with: the same parameters, shape by shape, and where `macs`
# stands, the same multiply-adds. Written by `python benchmarks/witnesses.py`: compare again rather than edit.
"""

Shapes = Counter[tuple[int, ...]]


@dataclass(frozen=True)
class Network:
    """What is compared of a network."""

    params: int
    macs: int
    shapes: Shapes


@dataclass(frozen=True)
class Outcome:
    """A pair, compared: the entry to record, and in `differs` what is not the same."""

    call: str
    entry: dict[str, object]
    differs: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the parameters are the same: without that nobody is a witness."""
        return "params" not in self.differs


def main() -> int:
    """Compare all pairs, say how they came out, and record those that agree."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="compare only")
    check = options.parse_args().check
    outcomes = list(compare(read_pairs(PAIRS)))
    for outcome in outcomes:
        print(f"{'same' if outcome.agrees else 'DIFFERS':8}{outcome.call:45}{shown(outcome)}", flush=True)
    if not check:
        write_if_changed(ROOT / MODELS / FILE, text_of([outcome for outcome in outcomes if outcome.agrees]))
    return 0 if all(outcome.agrees for outcome in outcomes) else 1


def shown(outcome: Outcome) -> str:
    """Who the witness is, and what differs."""
    remark = f"  ({', '.join(outcome.differs)} differ)" if outcome.differs else ""
    return f"{outcome.entry['name']} {outcome.entry['version']}{remark}"


def read_pairs(path: Path) -> list[tuple[str, Any]]:
    """Our calls, each with another's call or with published counts; a call may have a list of these."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [(call, each) for call, given in data.items() for each in (given if isinstance(given, list) else [given])]


def compare(pairs: list[tuple[str, Any]]) -> Iterator[Outcome]:
    """Every pair, compared."""
    factories, _ = find_factories(ROOT, MODELS)
    for written, given in pairs:
        call = normalise(written, factories)
        ours = our_network(call, factories)
        yield with_published(call, ours, given) if isinstance(given, dict) else with_network(call, ours, given)


def with_network(call: str, ours: Network, theirs: str) -> Outcome:
    """Our network beside another's."""
    network = package_network(theirs)
    same_macs = ours.macs == network.macs
    package = theirs.partition(".")[0]
    entry = {"name": theirs, "version": f"{package} {importlib.metadata.version(package)}", "params": ours.params}
    entry |= {"macs": ours.macs} if same_macs else {}
    differs = [*(["params"] if ours.shapes != network.shapes else []), *([] if same_macs else ["macs"])]
    return Outcome(call, entry, tuple(differs))


def with_published(call: str, ours: Network, published: dict[str, Any]) -> Outcome:
    """Our network beside counts that its authors publish."""
    entry = {"version": "", **published}
    differs = tuple(name for name in ("params", "macs") if name in published and published[name] != getattr(ours, name))
    return Outcome(call, {name: value for name, value in entry.items() if name not in differs}, differs)


def our_network(call: str, factories: dict[str, Factory]) -> Network:
    """The network of a call of ours, measured."""
    parsed = parse_call(call)
    if is_package_call(call):
        return package_network(call)
    factory = factories[parsed.name]
    own, of_inputs = split_call(parsed, factory)
    sys.path[:] = [str(ROOT), *(path for path in sys.path if path != str(ROOT))]
    file = importlib.import_module(str(PurePosixPath(factory.path).with_suffix("")).replace("/", "."))
    module = build(getattr(file, factory.name), own)
    return measured(module, make_inputs(getattr(file, factory.inputs), of_inputs), call)


def package_network(call: str) -> Network:
    """The network of an installed package, measured on the input that it was made for."""
    parsed = parse_call(call)
    factory = find_factory(*parsed.name.split(":"))
    arguments, ours = split_arguments(factory, parsed.arguments)
    module = build_package_model(factory, arguments)
    return measured(module, input_for(factory, module, ours), call)


def measured(module: nn.Module, inputs: Any, call: str) -> Network:
    """What is compared of a module."""
    found = measure_module(module, inputs, call)
    return Network(found.params, found.macs, shapes(module))


def shapes(module: nn.Module) -> Shapes:
    """How many parameters there are of each shape; a 1×1 convolution has the shape of the linear layer that it is."""
    return Counter(
        tuple(each.shape[:2]) if each.dim() > 2 and each.shape[2:].numel() == 1 else tuple(each.shape)
        for each in module.parameters()
    )


def text_of(outcomes: list[Outcome]) -> str:
    """The file of witnesses: sorted, a line for each."""
    lines = [HEADER, f"format: {FORMAT}\n", "models:\n"]
    by_call: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_call.setdefault(outcome.call, []).append(outcome)
    for call in sorted(by_call):
        lines.append(f"  {json.dumps(call, ensure_ascii=False)}:\n")
        lines += [f"    - {flow(outcome.entry)}\n" for outcome in by_call[call]]
    return "".join(lines)


def flow(entry: dict[str, object]) -> str:
    """A mapping on one line, texts in double quotes."""
    values = (f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items())
    return f"{{{', '.join(values)}}}"


if __name__ == "__main__":
    sys.exit(main())
