#!/usr/bin/env python3
"""Fetch the front-end files that package.json pins into kb/frontend/, unless they are there already.

Run by the wheel's build (hatch_build.py) and by `make`; needs npm and nothing outside the standard library.
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
TARGET = ROOT / "kb" / "frontend"
STAMP = TARGET / ".complete"
MANIFESTS = ("package.json", "package-lock.json")


def main() -> int:
    """Fetch what is missing; 4 where that cannot be done."""
    try:
        ensure()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The front-end files could not be fetched: {error}", file=sys.stderr)
        return 4
    return 0


def ensure() -> None:
    """Make kb/frontend/ hold what the manifests ask for."""
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            "npm is missing. Install Node.js with npm (Debian: apt-get install npm; https://nodejs.org)"
        )
    with tempfile.TemporaryDirectory() as folder:
        install(npm, Path(folder))
        copy(Path(folder) / "node_modules")


def wanted() -> str:
    """What the manifests ask for, as a digest."""
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in MANIFESTS)).hexdigest()


def install(npm: str, folder: Path) -> None:
    """Install the pinned packages into `folder`, running none of their scripts."""
    for name in MANIFESTS:
        shutil.copy(ROOT / name, folder)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([npm, "ci", *quiet], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def copy(modules: Path) -> None:
    """Copy the files and folders that package.json lists under `frontend`; the stamp comes last."""
    shutil.rmtree(TARGET, ignore_errors=True)
    for source, target in json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["frontend"].items():
        place = TARGET / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if (modules / source).is_dir():
            shutil.copytree(modules / source, place)
        else:
            shutil.copy(modules / source, place)
    STAMP.write_text(wanted(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
