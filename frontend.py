#!/usr/bin/env python3
"""Fetch the front-end files that package.json pins into kb/frontend/, unless they are there already.

Run by the wheel's build (hatch_build.py) and by `make`; needs npm and nothing outside the standard library.
With --tests, what the tests in a browser need is fetched as well, into tests/frontend/: it is in no wheel.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# What package.json lists under each name goes into the folder.
TARGETS = {"frontend": ROOT / "kb" / "frontend", "tests": ROOT / "tests" / "frontend"}
STAMP = ".complete"
MANIFESTS = ("package.json", "package-lock.json")


def main() -> int:
    """Fetch what is missing; 4 where that cannot be done."""
    names = list(TARGETS) if "--tests" in sys.argv[1:] else ["frontend"]
    try:
        ensure([name for name in names if not is_there(TARGETS[name])])
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The front-end files could not be fetched: {error}", file=sys.stderr)
        return 4
    return 0


def is_there(target: Path) -> bool:
    """Whether a folder holds what the manifests ask for."""
    stamp = target / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted()


def ensure(missing: list[str]) -> None:
    """Fill the folders of these names."""
    if not missing:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            "npm is missing. Install Node.js with npm (Debian: apt-get install npm; https://nodejs.org)"
        )
    with tempfile.TemporaryDirectory() as folder:
        install(npm, Path(folder), [] if "tests" in missing else ["--omit=dev"])
        for name in missing:
            copy(Path(folder) / "node_modules", name)


def wanted() -> str:
    """What the manifests ask for, as a digest."""
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in MANIFESTS)).hexdigest()


def install(npm: str, folder: Path, options: list[str]) -> None:
    """Install the pinned packages into `folder`, running none of their scripts."""
    for name in MANIFESTS:
        shutil.copy(ROOT / name, folder)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([npm, "ci", *quiet, *options], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def copy(modules: Path, name: str) -> None:
    """Copy the files and folders that package.json lists under `name`; the stamp comes last."""
    target = TARGETS[name]
    shutil.rmtree(target, ignore_errors=True)
    for source, path in json.loads((ROOT / "package.json").read_text(encoding="utf-8"))[name].items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if (modules / source).is_dir():
            shutil.copytree(modules / source, place)
        else:
            shutil.copy(modules / source, place)
    (target / STAMP).write_text(wanted(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
