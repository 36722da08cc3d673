"""Pictures of each kind of page, in both palettes, on a desk and on a phone, to look at.

    python benchmarks/screenshots.py FOLDER [--site site] [--page cards/Howard2017arxiv.html …]

Names are like `cards-Howard2017arxiv-dark-390.png`. What runs over the side of a page is named.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import lighthouse
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import browsing  # noqa: E402

TALLEST = 5000  # pixels of a page that are shown


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    parser.add_argument("--page", action="append", help="instead of the largest page of each kind")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    pages = options.page or [pages[0] for pages in browsing.kinds(options.site).values()]
    with browsing.served(options.site) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=lighthouse.CHROMIUM, args=browsing.ARGUMENTS)
        for scheme in ("light", "dark"):
            for width in browsing.WIDTHS:
                show(browser, url, pages, options.folder, scheme, width)
        browser.close()
    return 0


def show(browser: Browser, url: str, pages: list[str], folder: Path, scheme: str, width: int) -> None:
    """The pictures of these pages in one palette, at one width."""
    page = browser.new_context(color_scheme=scheme, reduced_motion="reduce").new_page()
    for path in pages:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(url + path)
        page.wait_for_function(browsing.SETTLED, timeout=browsing.PATIENCE)
        page.wait_for_function(browsing.STILL, timeout=browsing.PATIENCE)
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            print(f"{path} is {wide} pixels wide at {width}")
        height = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": width, "height": height})
        name = f"{path.removesuffix('.html').replace('/', '-')}-{scheme}-{width}.png"
        page.screenshot(path=folder / name)
    page.context.close()


if __name__ == "__main__":
    sys.exit(main())
