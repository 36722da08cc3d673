"""The pinned versions install on every Python that the project says it runs on."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions, metadata

from packaging.specifiers import SpecifierSet


def pinned(root) -> list[str]:
    """The distributions whose versions are pinned, as far as they are installed."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {name.lower() for name, _, version in (line.partition("==") for line in lines) if version}
    return sorted({each.name for each in distributions() if each.name.lower() in pins})


def test_no_pinned_version_asks_for_a_newer_python_than_we_do(root):
    ours = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    oldest = f"{ours.removeprefix('>=')}.0"  # Debian 12 has 3.11.2
    needs = {name: metadata(name).get("Requires-Python", "") for name in pinned(root)}
    assert len(needs) > 50
    assert {name: need for name, need in needs.items() if oldest not in SpecifierSet(need)} == {}
