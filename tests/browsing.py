"""Built sites as tests and benchmarks see them: served as a host would, pages of each kind, what axe says of them."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import browser
from conftest import run_kb
from playwright.sync_api import Browser, Page, expect, sync_playwright

AXE = Path(__file__).parent / "frontend" / "axe.min.js"
PATIENCE = 20_000  # milliseconds, on a machine with much else to do
WIDTHS = (1280, 390)
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
# The tightest policy that a host can send. MathJax makes a style sheet in the page, and tables and bars have styles of
# their own, so styles may stand in the page; scripts may not.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# What the browser held back because of the policy.
WATCH = """window.held = []
addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI, sample}) =>
  window.held.push(`${violatedDirective}: ${blockedURI} ${sample}`))"""
COMPRESSED = {".html", ".css", ".js", ".json", ".svg", ".xml", ".txt", ".md", ".csv", ".yml"}

# Every formula has been typeset, once.
SETTLED = """() => [...document.querySelectorAll('.arithmatex')]
  .every(formula => formula.querySelectorAll('mjx-container').length === 1)"""
# Nothing is fading from one colour to another.
STILL = """() => new Promise(tell => requestAnimationFrame(() => requestAnimationFrame(() =>
  tell(!('mdColorSwitching' in document.body.dataset) && !document.getAnimations().length))))"""
AUDIT = """async rules => {
  const { violations } = await axe.run(document, {resultTypes: ['violations'], ...(rules && {runOnly: rules})})
  return violations.flatMap(({id, impact, nodes}) => nodes.map(({target, html, failureSummary}) =>
    `${impact} ${id}: ${target} ${html.slice(0, 120)} (${failureSummary})`))
}"""


class Handler(SimpleHTTPRequestHandler):
    """Serves a site as its host would: compressed, and with its 404 page for an unknown address."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: object, headers: Mapping[str, str], **more: object) -> None:
        self._headers = headers
        super().__init__(*arguments, **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with the file, or with the page that says there is none."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if path.is_file():
            self._answer(200, path)
        else:
            self._answer(404, Path(self.directory) / "404.html")

    def _answer(self, status: int, path: Path) -> None:
        body = path.read_bytes()
        self.send_response(status)
        if path.suffix in COMPRESSED:
            body = gzip.compress(body, 6, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        charset = "; charset=utf-8" if path.suffix in COMPRESSED else ""
        self.send_header("Content-Type", self.guess_type(path) + charset)
        self.send_header("Content-Length", str(len(body)))
        for name, value in self._headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path, headers: Mapping[str, str] = {}) -> Iterator[str]:
    """The address of a folder that is being served. It may be filled afterwards."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder), headers=headers))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@dataclass
class Site:
    """A site that is being served, and what went wrong in the pages that were opened."""

    url: str
    folder: Path
    browser: Browser
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str = "index.html", **context: object) -> Page:
        """A page, with what it says and asks for noted down."""
        page = self.browser.new_context(**context).new_page()  # type: ignore[arg-type]
        page.on("console", lambda message: self._said(message.type, message.text, message.location["url"]))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.add_init_script(WATCH)
        page.goto(self.url + path)
        return page

    def paths(self) -> list[str]:
        """The site's pages."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.html"))

    def _said(self, kind: str, text: str, url: str) -> None:
        """A page that is not there is what its reader asked for; a file that a page needs is not."""
        is_missing_page = "404 (Not Found)" in text and PurePosixPath(urlsplit(url).path).suffix in ("", ".html")
        if kind in ("error", "warning") and not is_missing_page:
            self.troubles.append(f"{kind}: {text} {url}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.troubles.append(f"asked for {url}")


@contextmanager
def building(headers: Mapping[str, str] = {}) -> Iterator[Callable[[Path], Site]]:
    """What builds knowledge bases and serves their sites, all seen in one browser, for as long as this lasts."""
    with ExitStack() as stack:
        chromium = stack.enter_context(sync_playwright()).chromium
        seen_in = chromium.launch(executable_path=browser.find(), args=ARGUMENTS)
        stack.callback(seen_in.close)

        def serve(folder: Path) -> Site:
            url = stack.enter_context(served(folder / "site", headers))
            done = run_kb("build", cwd=folder, env={"SITE_URL": url})
            assert done.returncode == 0, done.stdout + done.stderr
            return Site(url, folder / "site", seen_in)

        yield serve


@contextmanager
def watched(site: Site) -> Iterator[Site]:
    """The site, for one test, which fails where a page had a console error or asked for something foreign."""
    site.troubles.clear()
    yield site
    for context in site.browser.contexts:
        context.close()
    assert not site.troubles


def kinds(site: Path) -> dict[str, list[str]]:
    """The pages of a site by kind, the largest of a kind first: `cards/*` holds the cards, `models.html` itself."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(site.rglob("*.html")):
        if 'http-equiv="refresh"' not in path.read_text(encoding="utf-8"):
            found[kind_of(path.relative_to(site))].append(path)
    return {
        kind: [path.relative_to(site).as_posix() for path in sorted(paths, key=lambda path: -path.stat().st_size)]
        for kind, paths in sorted(found.items())
    }


def kind_of(path: Path) -> str:
    """The pattern of a page's path: indexes and pages at the top are kinds of their own."""
    if len(path.parts) == 1 or path.name == "index.html":
        return path.as_posix()
    return "/".join([path.parts[0], *["*"] * (len(path.parts) - 1)])


def samples(site: Path) -> list[str]:
    """The largest and the smallest page of each kind."""
    return [page for pages in kinds(site).values() for page in dict.fromkeys([pages[0], pages[-1]])]


def change_palette(page: Page) -> None:
    """Light to dark, or back."""
    before = page.get_attribute("body", "data-md-color-scheme")
    page.locator("label[for^=__palette]:visible").click()
    expect(page.locator("body")).not_to_have_attribute("data-md-color-scheme", before or "", timeout=PATIENCE)


def audited(page: Page, width: int, rules: list[str] | None = None) -> list[str]:
    """What axe finds at this width, by these of its rules or by all that it has switched on."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(STILL, timeout=PATIENCE)
    return page.evaluate(AUDIT, rules)
