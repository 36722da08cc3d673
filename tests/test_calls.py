"""Calls are read, put in their normal form, or refused with a reason; factories are found without running anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kb.calls import CallError, find_factories, is_call, normalise, parse_call
from kb.records import Factory

CASES = Path(__file__).parent / "cases" / "calls"
FACTORIES, PROBLEMS = find_factories(CASES, "reference_models")
PACKAGES = ("torchvision", "timm")


def _cases(name):
    return yaml.safe_load((CASES / name).read_text(encoding="utf-8"))


def test_factories_are_what_is_annotated_as_one():
    assert PROBLEMS == []
    assert list(FACTORIES) == ["plain", "spelled_out", "imported", "in_a_string"]
    assert FACTORIES["plain"] == Factory(
        name="plain",
        path="reference_models/networks.py",
        line=10,
        parameters={"width": 1, "classes": 1000, "head": "linear", "resolution": 224},
        required=(),
        factory_parameters=("width", "classes", "head"),
        inputs="example_inputs",
        inputs_parameters=("resolution", "width"),
        doc="A network.\n\nWith more to say.",
    )
    assert FACTORIES["spelled_out"].inputs == "spelled_out_inputs"
    assert FACTORIES["spelled_out"].required == ("depth",)
    assert FACTORIES["in_a_string"].parameters["width"] is ...


@pytest.mark.parametrize(("text", "expected"), _cases("normal_forms.yml").items())
def test_normal_form(text, expected):
    assert normalise(text, FACTORIES, PACKAGES) == expected
    assert normalise(expected, FACTORIES, PACKAGES) == expected
    assert is_call(text, FACTORIES)


@pytest.mark.parametrize(("text", "expected"), _cases("errors.yml").items())
def test_error(text, expected):
    code, message, hint = expected
    with pytest.raises(CallError) as raised:
        normalise(text, FACTORIES, PACKAGES)
    assert (raised.value.code, raised.value.hint) == (code, hint)
    assert message in raised.value.message


@pytest.mark.parametrize("case", _cases("broken.yml"), ids=lambda case: "+".join(case["files"]))
def test_broken_files_are_reported(case, tmp_path):
    folder = tmp_path / "reference_models"
    folder.mkdir()
    for name, text in case["files"].items():
        content = {"LATIN-1": "# é\n".encode("latin-1"), "DEEP": b"(" * 500}.get(text, text.encode())
        (folder / name).write_bytes(content)
    _, problems = find_factories(tmp_path, "reference_models")
    shown = [f"{p.place.path}:{p.place.line}:{p.place.column}: {p.code} {p.message}" for p in problems]
    assert shown == case["problems"]


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(arguments):
    for text in (arguments, f"plain({arguments})"):
        assert re.fullmatch("plain.*|K40[1-4]", _outcome(text), re.DOTALL)


def _outcome(text):
    try:
        return normalise(text, FACTORIES, PACKAGES)
    except CallError as error:
        return error.code


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=4,
)


@given(values)
def test_every_literal_survives(value):
    text = normalise(f"spelled_out(depth={value!r})", FACTORIES)
    (read,) = parse_call(text).arguments.values()
    assert read == value
    assert normalise(text, FACTORIES) == text


def test_nothing_is_imported():
    script = """
import pathlib, sys
from kb.calls import find_factories
find_factories(pathlib.Path("."), "reference_models")
assert not {"torch", "reference_models", "networks"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], cwd=CASES, check=True)
