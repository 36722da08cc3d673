"""The same site, to the byte, wherever and by whomever it is built.

`environments.yml` lists what differs. The short form builds a few cards with pictures in some of them; `--long` builds
the project's own notes in all.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import copy_repository

ENVIRONMENTS = yaml.safe_load((Path(__file__).parent / "environments.yml").read_text(encoding="utf-8"))
ADDRESS = "https://example.org/notes/"
FEW = ("Sandler2018CVPR", "Simonyan2015ICLR")
PICTURES = Path(__file__).parent.parent / "cases" / "pages" / "languages" / "notes"
LONG_AGO = 981_173_106  # seconds since 1970


@pytest.fixture(scope="module")
def source(tmp_path_factory, long) -> Path:
    """The knowledge base that is built: the project's own, or a few of its cards; with pictures."""
    folder = copy_repository(tmp_path_factory.mktemp("source") / "base")
    for note in (folder / "notes").glob("*.md"):
        if not long and note.name.partition(".")[0] not in FEW:
            note.unlink()
    shutil.copytree(PICTURES / "net.assets", folder / "notes" / "图 片")
    note = folder / "notes" / "Simonyan2015ICLR.md"
    text = note.read_text(encoding="utf-8")
    picture = next((folder / "notes" / "图 片").glob("*.png")).name
    note.write_text(f"{text}\n#### 图\n\n![一张图](<图 片/{picture}>)\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory) -> dict[str, str]:
    """The files of the site as it is built here, by path, with digests of their bytes."""
    return built(source, tmp_path_factory.mktemp("expected"), {})


def test_the_site_is_of_all_kinds_of_files(expected):
    endings = {Path(path).suffix for path in expected}
    assert {".html", ".json", ".xml", ".gz", ".png", ".sqlite", ".bib", ".csv", ".txt", ".yml"} <= endings


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "environment" in metafunc.fixturenames:
        long = metafunc.config.getoption("--long")
        metafunc.parametrize("environment", [name for name, each in ENVIRONMENTS.items() if long or each.get("short")])


def test_the_environments_are_many():
    print(f"\n{len(ENVIRONMENTS)} environments")
    assert len(ENVIRONMENTS) >= 16


def test_the_bytes_are_the_same(environment, source, expected, tmp_path):
    found = built(source, tmp_path, ENVIRONMENTS[environment])
    different = sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))
    assert different == []


def built(source: Path, place: Path, environment: dict) -> dict[str, str]:
    """Lay the knowledge base somewhere, build it in an environment, and take the site's bytes."""
    missing = [word for word in environment.get("behind", [])[:1] if not shutil.which(word)]
    assert not missing, f"{missing} is missing. Debian: apt-get install faketime util-linux"
    folder = folder_for(environment.get("at", "base"), place)
    try:
        lay(source, folder, environment.get("laid", "forwards"))
        run(folder, place, environment)
        paths = sorted(path for path in (folder / "site").rglob("*") if path.is_file())
        return {
            path.relative_to(folder / "site").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
        }
    finally:
        shutil.rmtree(folder.resolve())


def folder_for(name: str, place: Path) -> Path:
    """Where the knowledge base is laid."""
    if name == "link":
        (place / "real").mkdir()
        (place / "link").symlink_to(place / "real")
        return place / "link"
    folder = place / name if not name.startswith("/") else Path(name) / f"kb-{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def lay(source: Path, folder: Path, order: str) -> None:
    """Copy the knowledge base, its files in this order: file systems list them in the order in which they were made."""
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    if order == "backwards":
        files.reverse()
    elif order == "mixed":
        random.Random(6).shuffle(files)
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, folder / path)
        if order == "long ago":
            os.utime(folder / path, (LONG_AGO, LONG_AGO))


def run(folder: Path, place: Path, environment: dict) -> None:
    """Build, as somebody in this environment would."""
    variables = {**os.environ, "SITE_URL": ADDRESS, "PYTHONHASHSEED": "0", **environment.get("set", {})}
    variables = {name: value for name, value in variables.items() if name not in environment.get("unset", ())}
    start = {"above": folder.parent, "notes": folder / "notes"}.get(environment.get("in", ""), place)
    command = [*environment.get("behind", []), sys.executable, "-m", "kb", "-C", str(folder), "build", "--locked"]
    umask = environment.get("umask", -1)
    give(place, environment)
    done = subprocess.run(command, cwd=start, env=variables, capture_output=True, umask=umask, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")


def give(folder: Path, environment: dict) -> None:
    """Make everything in a folder the user's own who is to work there, where the machine lets one be."""
    user = environment.get("to", "")
    if user and (os.geteuid() != 0 or subprocess.run([*environment["behind"], "true"], check=False).returncode):
        pytest.skip("nobody here may work as another user")
    for path in (folder, *folder.rglob("*")) if user else ():
        shutil.chown(path, user)
