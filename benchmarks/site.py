"""What a page weighs, what axe finds on it and what Lighthouse says, for each kind of page of this repository's site.

    python benchmarks/site.py [--runs 3] [--without-lighthouse]

The site is built into a folder of its own and served compressed. benchmarks/site.md is written anew.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import lighthouse
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import browsing  # noqa: E402
from conftest import copy_repository, run_kb  # noqa: E402

PARTS = ("HTML", "CSS", "JS", "data", "MathJax")
# Bytes as they came over the wire, by what they are; data is what scripts fetch: the search's index, the site's map.
WEIGHTS = """() => performance.getEntries().filter(each => each.encodedBodySize).map(each => {
  const { pathname } = new URL(each.name)
  const [[, ending]] = pathname.matchAll(/\\.(\\w+)$/g)
  const part = pathname.includes('/mathjax/') ? 'MathJax'
    : ({html: 'HTML', css: 'CSS', js: 'JS'})[ending] ?? (each.initiatorType === 'img' ? 'images' : 'data')
  return [part, each.encodedBodySize]
})"""
HEAD = """# The site in figures

Written by `python benchmarks/site.py`: each kind of page of this repository's own site, served compressed.
"""


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="of Lighthouse, for each page; the median counts")
    parser.add_argument("--without-lighthouse", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        base = copy_repository(Path(folder, "base"))
        with browsing.served(base / "site", {"Cache-Control": "max-age=600"}) as url:
            done = run_kb("build", cwd=base, env={"SITE_URL": url})
            if done.returncode:
                sys.exit(done.stdout + done.stderr)
            browser = playwright.chromium.launch(executable_path=lighthouse.CHROMIUM, args=browsing.ARGUMENTS)
            parts = [HEAD, *pages_table(browser, url, base / "site")]
            browser.close()
            if not options.without_lighthouse:
                parts += lighthouse_table(url, base / "site", options.runs)
    (ROOT / "benchmarks" / "site.md").write_text("\n".join(parts) + "\n", encoding="utf-8")
    return 0


def pages_table(browser: Browser, url: str, site: Path) -> Iterator[str]:
    """Weights and axe's findings, the largest page of each kind."""
    yield "## Weights and accessibility\n"
    yield "KB over the wire on a first visit (gzip, 1 KB = 1,000 bytes), of the largest page of each kind, and what axe"
    yield f"finds on it in both palettes at {' and '.join(map(str, browsing.WIDTHS))} pixels.\n"
    yield f"| kind | pages | largest | {' | '.join(PARTS)} | all but MathJax | axe |"
    yield f"|---|---|---|{'---|' * len(PARTS)}---|---|"
    for kind, pages in browsing.kinds(site).items():
        weights, found = visit(browser, url + pages[0])
        light = sum(weights.values()) - weights["MathJax"]
        figures = " | ".join(f"{weights[part] / 1000:.1f}" for part in PARTS)
        yield f"| `{kind}` | {len(pages)} | `{pages[0]}` | {figures} | {light / 1000:.1f} | {told(found)} |"


def visit(browser: Browser, url: str) -> tuple[Counter[str], list[str]]:
    """A first visit: what came over the wire, and what axe finds."""
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(url)
    page.wait_for_function(browsing.SETTLED, timeout=browsing.PATIENCE)
    page.wait_for_load_state("networkidle")
    weights: Counter[str] = Counter()
    for part, size in page.evaluate(WEIGHTS):
        weights[part] += size
    found = findings(page)
    page.context.close()
    return weights, found


def findings(page: Page) -> list[str]:
    """What axe finds in both palettes and at each width, once each."""
    page.evaluate(browsing.AXE.read_text(encoding="utf-8"))
    found: list[str] = []
    for _ in range(2):
        for width in browsing.WIDTHS:
            found += browsing.audited(page, width)
        browsing.change_palette(page)
    return sorted(set(found))


def told(found: Iterable[str]) -> str:
    """Findings by impact and rule: `serious color-contrast × 3`; 0 where there are none."""
    counts = Counter(" ".join(each.split(":")[0].split()[:2]) for each in found)
    return ", ".join(f"{rule} × {count}" for rule, count in sorted(counts.items())) or "0"


def lighthouse_table(url: str, site: Path, runs: int) -> Iterator[str]:
    """Scores of home, the heaviest card and a middling one, and the page that compares."""
    cards = browsing.kinds(site)["cards/*"]
    yield "\n## Lighthouse\n"
    yield f"Lighthouse {lighthouse.VERSION}, as on a phone with a slow network; the median of {runs} runs."
    yield "The last column is Lighthouse's own index of the machine's speed meanwhile (an idle desktop has 1,500 and"
    yield "more): on a slower machine blocking times are longer.\n"
    names = ("performance", "accessibility", "best practices", "SEO", "first paint", "largest", "blocked", "shift")
    yield f"| page | {' | '.join(names)} | machine |"
    yield f"|---|{'---|' * len(names)}---|"
    for path in ("index.html", cards[0], cards[len(cards) // 2], "models.html"):
        report = lighthouse.look(url + path, runs)
        figures = " | ".join([*map(str, report.scores.values()), *report.metrics.values()])
        yield f"| `{path}` | {figures} | {report.speed:.0f} |"
        print(path, *report.faults, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
