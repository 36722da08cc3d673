"""The size of a picture, whatever its format: without it, the text below jumps when the picture comes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.image_sizes import image_size, size_of

CASES = sorted((Path(__file__).parent / "cases" / "images").iterdir())


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_the_size_is_that_in_the_file_name(path):
    named = re.search(r"(\d+)x(\d+)", path.name)
    assert image_size(path) == ((int(named[1]), int(named[2])) if named else None)


@given(st.sampled_from([path.read_bytes() for path in CASES]), st.data())
def test_a_damaged_picture_has_no_size_or_another(data, draw):
    """A broken file must not stop a build."""
    cut = draw.draw(st.integers(0, len(data)))
    size_of(data[:cut] + draw.draw(st.binary(max_size=40)) + data[cut + 4 :])
