"""What the tests share: the repository's root, a command to run, and knowledge bases to run it in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

# A busy machine is no failure. Where a change is judged, the same examples are tried each time.
hypothesis.settings.register_profile("kb", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("long", deadline=None, derandomize=False, max_examples=3000)
hypothesis.settings.load_profile("kb")

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("mkdocs.yml", "notes", "reference_models", "templates")

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long forms of tests/torture: make torture")
    parser.addoption("--seed", type=int, default=1, help="what the random inputs of tests/torture are made from")


def pytest_configure(config: pytest.Config) -> None:
    # What a shell starts in the background ignores an interrupt, and so would all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--long"):
        hypothesis.settings.load_profile("long")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long forms of tests were asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository, a knowledge base itself."""
    return ROOT


def run_kb(
    *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run kb as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kb", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONUTF8": "1", **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def kb() -> Run:
    """Run kb: `kb("build", "--locked", cwd=folder)`."""
    return run_kb


@pytest.fixture(scope="session")
def starter_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small knowledge base as `kb init` makes it; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("starter") / "base"
    done = run_kb("init", folder, "--lang", "en")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def starter(starter_template: Path, tmp_path: Path) -> Path:
    """A small knowledge base of one's own."""
    return Path(shutil.copytree(starter_template, tmp_path / "base"))


def copy_repository(target: Path) -> Path:
    """The repository's knowledge base, without what was built from it."""
    target.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return target
