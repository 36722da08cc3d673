"""The shape of the program: imports point one way, torch stays where it is needed, one module writes files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "kb"

# The way of the data, from records to the command line. A module imports only from those before it in this list.
ORDER = """
records problems encoding file_names machine writing resources texts documentation
plain_yaml quick_yaml settings inputs built
authors citation anchors image_sizes
markdown_rules markdown tex highlighting sanitising line_renderer body_renderer bodies insert
literals factories calls expressions claims
schema editors bibliography figures heads tables captions datasets prose slicing notes names sentences mentions
workers plain_records kept serialise zoos model_indexes
fingerprints package_lock lock witnesses
stages drawing runnables
counting measuring_child children runners cluster_worker clusters measuring running
search
judging explaining base publishing file_checks lints bibliographic_checks translations lineage silences check
keeping naming
revisions selection importers importing import_report starting new_cards drafting meaning mendings fixing renaming
remeasuring asking auditing reporting telling audit_reports
changes exports pages staging change_reports theme frames headings site_builder assembling building freshness serving
cli __main__ __init__
""".split()  # noqa: SIM905 - the lines group

RUNS_MODELS = {"counting", "measuring_child"}
WRITES = {"writing"}


def unit(path: Path) -> str:
    """The module or package of ours that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def sources() -> list[Path]:
    files = sorted(PACKAGE.rglob("*.py"))
    return [path for path in files if path.relative_to(PACKAGE).parts[0] not in ("starter", "frontend", "templates")]


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_order_names_every_module_once():
    assert sorted(ORDER) == sorted({unit(path) for path in sources()})


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(path):
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("kb.")} - {unit(path)}
    before = ORDER[: ORDER.index(unit(path))]
    assert ours <= set(before), f"{sorted(ours - set(before))} come later than {unit(path)}"


def test_only_what_runs_models_imports_torch():
    found = {unit(path) for path in sources() if any(name.split(".")[0] == "torch" for name in imports(path))}
    assert found == RUNS_MODELS


def test_no_module_but_the_site_builder_needs_mkdocs():
    found = {unit(path) for path in sources() if any(name.split(".")[0] == "mkdocs" for name in imports(path))}
    assert found == {"site_builder"}


def test_only_what_measures_on_clusters_needs_dask():
    found = {
        unit(path) for path in sources() if {"dask", "distributed"} & {name.split(".")[0] for name in imports(path)}
    }
    assert found == {"clusters", "cluster_worker"}


def writing_calls(path: Path) -> Iterator[int]:
    """The lines of a file on which a file is written."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            modes = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if name in ("write_text", "write_bytes") or (name == "open" and {"w", "wb", "a", "x", "xb"} & set(modes)):
                yield node.lineno


def test_one_module_writes_files():
    assert {unit(path) for path in sources() if any(writing_calls(path))} == WRITES


def test_functions_are_short():
    """Half of all functions have about eight lines at most, nine in ten fewer than twenty-five."""
    lengths = sorted(
        node.end_lineno - node.lineno + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) // 2] <= 9
    assert lengths[len(lengths) * 9 // 10] < 25
