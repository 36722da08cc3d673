"""How long an author waits: from saving a note to seeing it in the browser, while kb serve runs on many cards.

    python benchmarks/serving.py [--cards 1000] [--edits 9]

A knowledge base is made from a seed, served, and opened in Chromium; a card is edited again and again. What is printed
is the median wait, and its share of the time that the whole site took to build in the same run.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import corpus
from playwright.sync_api import Page, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
PAUSE = 1000  # milliseconds between two edits


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--edits", type=int, default=9)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "base")
        corpus.write(root, options.cards, seed=1)
        built, waits = measured(root, options.edits, options.chromium)
    median = statistics.median(waits)
    print(f"{options.cards} cards: built in {built:.1f} s; an edited card is seen after {median:.2f} s (median of")
    print(f"{len(waits)}; {min(waits):.2f} to {max(waits):.2f} s), which is {median / built:.1%} of the build")
    return 0


def measured(root: Path, edits: int, chromium: str) -> tuple[float, list[float]]:
    """Seconds until the first site stands, and until each edit is seen."""
    command = [sys.executable, "-m", "kb", "-C", str(root), "serve", "--port", "0"]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        found = re.match(r"http://\S+/", server.stdout.readline())
        assert found
        built = time.monotonic() - started
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS).new_page()
            note = sorted((root / "notes").glob("*.md"))[0]
            page.goto(f"{found[0]}cards/{note.stem}.html")
            waits = list(seen(page, note, edits))
        server.terminate()
    return built, waits


def seen(page: Page, note: Path, edits: int) -> Iterator[float]:
    """The seconds from each edit to its being on the page."""
    text = note.read_text(encoding="utf-8").rstrip()
    for number in range(edits):
        page.wait_for_timeout(PAUSE)
        started = time.monotonic()
        note.write_text(f"{text}\n\nEdit number {number}.\n", encoding="utf-8")
        page.get_by_text(f"Edit number {number}.").first.wait_for()
        yield time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
