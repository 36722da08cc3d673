"""The counter: networks worked out by hand, torch's own counter as a witness, and torchvision's published figures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from torch import nn

from kb.counting import build, measure_module

CASES = Path(__file__).parent / "cases" / "counting"


def _cases():
    """Every public function of the case files."""
    for path in sorted(CASES.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"counting_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, case in vars(module).items():
            if callable(case) and getattr(case, "__module__", "") == module.__name__ and name[0].islower():
                yield pytest.param(case, id=f"{path.stem}-{name}")


def _counted(measurement, name):
    """A part of a measurement, in the form in which cases write it."""
    if name == "by_kind":
        return {kind: total.macs for kind, total in measurement.by_kind.items() if total.macs}
    if name == "layers":
        return [(layer.path, layer.kind, layer.calls, layer.params, layer.macs) for layer in measurement.layers]
    value = getattr(measurement, name)
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", list(_cases()))
def test_worked_out_by_hand(case):
    network, inputs, expected = case()
    built = network if isinstance(network, nn.Module) else build(network, {})
    measurement = measure_module(built, inputs)
    assert {name: _counted(measurement, name) for name in expected} == expected
    if "incomplete" not in expected:
        assert measurement.incomplete == ()


def test_there_are_cases_enough():
    assert len(list(_cases())) >= 60
