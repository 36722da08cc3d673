"""Where the browser of the tests is; run as a program, installs one where none is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ADVICE = """No Chromium was found, and none could be installed. One of these brings it:
  Debian    sudo apt-get install chromium
  Fedora    sudo dnf install chromium
  macOS     brew install --cask chromium
  anywhere  .venv/bin/playwright install --with-deps chromium
or name one: KB_CHROMIUM=/path/to/chromium make test"""


def find() -> str | None:
    """The path of a Chromium: the one that KB_CHROMIUM names, one on the PATH, or playwright's own."""
    if named := os.environ.get("KB_CHROMIUM"):
        return named
    on_path = (shutil.which(name) for name in NAMES)
    return next((path for path in on_path if path), None) or playwrights_own()


def playwrights_own() -> str | None:
    """The Chromium that playwright has downloaded, if it has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> None:
    """Try the system's packages, then playwright's download."""
    if shutil.which("apt-get"):
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        run([*as_root, "apt-get", "update"])
        run([*as_root, "apt-get", "install", "--yes", "--no-install-recommends", "chromium"])
    if find() is None:
        run([sys.executable, "-m", "playwright", "install", "chromium"])


def run(command: list[str]) -> None:
    """Run a command quietly; whether it helped is seen by looking for the browser."""
    print("Installing a browser for the tests:", *command)
    try:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    if find() is None:
        install()
    if find() is None:
        sys.exit(ADVICE)
