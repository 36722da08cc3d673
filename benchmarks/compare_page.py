"""How long the compare page takes with many calls: to open, to filter, to sort, and what it weighs.

    python benchmarks/compare_page.py [CALLS …]        (of sizes of your own)

A site with a quarter of timm's models is built, then its data file is made longer: the same calls under other names,
so that the page has as much to hold as a knowledge base of that size. Times are the page's own, in Chromium.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import browser  # noqa: E402
from conftest import run_kb  # noqa: E402
from test_comparing import timm_base  # noqa: E402

# The script answers within the event, so an event's end is the end of its work; a frame more and it is drawn.
TIMED = """async (act) => {
  const started = performance.now()
  await eval(act)
  await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  return performance.now() - started
}"""
ACTS = {
    "filter": "{ const words = document.querySelector('[name=words]'); words.value = 'vit';"
    " words.dispatchEvent(new Event('input', {bubbles: true})) }",
    "show all": "document.querySelector('.kb-filters [type=reset]').click()",
    "sort": "document.querySelector('[data-kb-sort=macs] button').click()",
    "choose": "document.querySelector('[data-kb=table] tbody input').click()",
    "plot params": "{ const y = document.querySelector('[data-kb=axes] [name=y]'); y.value = 'params';"
    " y.dispatchEvent(new Event('change', {bubbles: true})) }",
}


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def lengthened(data: dict, count: int) -> str:
    """As many calls, the same ones under other names."""
    rows = [
        {**row, "call": f"{row['call'][:-1]}copy={n})"} for n, row in enumerate(islice(cycle(data["calls"]), count))
    ]
    return json.dumps({**data, "calls": rows}, ensure_ascii=False, separators=(",", ":"))


def measured(page: Page, url: str) -> dict[str, float]:
    """Milliseconds until the page is ready, and for each act."""
    page.goto(url)
    page.wait_for_selector("#kb-compare[data-ready]", timeout=120_000)
    opened = page.evaluate("performance.now()")
    return {"open": opened, **{name: page.evaluate(TIMED, act) for name, act in ACTS.items()}}


def main(counts: list[int]) -> None:
    """Build once, measure at every size."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = timm_base(Path(folder))
        done = run_kb("build", cwd=root)
        assert done.returncode == 0, done.stdout + done.stderr
        file = root / "site/data/models.v1.json"
        data = json.loads(file.read_text(encoding="utf-8"))
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root / "site")))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=["--no-sandbox"])
        for count in counts:
            text = lengthened(data, count)
            file.write_text(text, encoding="utf-8")
            found = measured(chromium.new_page(), f"http://127.0.0.1:{server.server_port}/models.html")
            times = ", ".join(f"{name} {value:.0f} ms" for name, value in found.items())
            size = len(gzip.compress(text.encode()))
            print(f"{count:,} calls: data {len(text.encode()) / 1e6:.1f} MB, {size / 1e3:.0f} KB compressed; {times}")
        server.shutdown()


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1_000, 10_000])
