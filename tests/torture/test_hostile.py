"""No card runs a script in a reader's browser: public collections of payloads, in every context, on whole pages.

Each payload has a card of its own, which holds it in every context of `payloads/contexts.yml`; the pages are walked
through in Chromium with their policy switched off, so that nothing but the escaping keeps them from running. The same
harness over plain MkDocs must fire, or it would prove nothing. A fixed sample is tried; with `--long`, all payloads, in
`PARTS` sites. `pytest -s` shows the counts.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import browser
import pytest
from browsing import ARGUMENTS, PATIENCE, POLICY, served
from bs4 import BeautifulSoup
from conftest import copy_repository, run_kb
from hostile_notes import ALL, CONTEXTS, Admitted, admitted
from injections import GRAMMAR, collected, counts, payloads
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PARTS = 24
SAMPLE = 6
PICTURE = Path(__file__).parent.parent / "cases" / "pages" / "languages" / "notes" / "net.assets" / "b.png"
SCAN = (Path(__file__).parent / "hostile_walk.js").read_text(encoding="utf-8")
# Whatever a payload calls is noted down; the page is told nothing, so that it goes on.
HOOKS = """for (const name of ['alert', 'confirm', 'prompt', 'print', 'open'])
  window[name] = (...given) => { kbFired(`${name}(${given.join()}) on ${location}`) }"""
WATCH = """addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI, sample}) =>
  kbFired(`held back: ${violatedDirective} ${blockedURI} ${sample} on ${location}`))"""
# Nothing is asked for outside this machine, whatever a page says.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# Thousands of pages share their scripts.
KEPT = {"Cache-Control": "max-age=86400"}
# MathJax is done, or there is nothing for it to do.
SETTLED = "() => !document.querySelector('.arithmatex') || window.MathJax?.startup?.promise?.then(() => true)"
QUERIES = ("alert", "<script>", "javascript:", "onerror", "<img src=x onerror=alert(1)>")
RESULT = "dialog.kb-search [role=option]"


@dataclass
class Walk:
    """What came of walking through a site: what ran, what could, what was asked for elsewhere, how many pages."""

    fired: list[str] = field(default_factory=list)
    could: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pages: int = 0

    def open(self, page: Page, url: str) -> None:
        """Look at a page as it is when all is there."""
        page.goto(url, wait_until="load", timeout=PATIENCE)
        self.look(page)
        self.pages += 1

    def look(self, page: Page) -> None:
        """Look for what could run, and make happen what can be made to."""
        page.wait_for_function(SETTLED, timeout=PATIENCE)
        self.could += [f"{page.url} {found}" for found in page.evaluate(SCAN)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=browser.find(), args=[*ARGUMENTS, OFFLINE])
        yield found
        found.close()


@contextmanager
def watched(chromium: Browser, url: str, walk: Walk, *, bypass_csp: bool) -> Iterator[Page]:
    """A page of a new context, in which all that runs or is asked for elsewhere is noted down."""
    context: BrowserContext = chromium.new_context(bypass_csp=bypass_csp)
    context.expose_binding("kbFired", lambda _, what: walk.fired.append(what))
    context.add_init_script(HOOKS if bypass_csp else WATCH)
    context.on("request", lambda request: note_request(request.url, url, walk))
    context.on("dialog", lambda dialog: (walk.fired.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    yield context.new_page()
    context.close()


def note_request(asked: str, url: str, walk: Walk) -> None:
    if not asked.startswith((url, "data:image/", "data:font/", "blob:", "about:")):
        walk.asked.append(asked)


def knowledge_base(folder: Path) -> Path:
    """The project's own models and one of its notes, with a picture, and room for the longest payloads."""
    copy_repository(folder)
    for note in (folder / "notes").glob("*.md"):
        if note.name != "Simonyan2015ICLR.md":
            note.unlink()
    for name in ("picture.png", "x"):  # many payloads are about a picture called x
        (folder / "notes" / name).write_bytes(PICTURE.read_bytes())
    settings = folder / "mkdocs.yml"
    text = settings.read_text(encoding="utf-8")
    assert "\n  kb:\n" in text
    settings.write_text(text.replace("\n  kb:\n", "\n  kb:\n    limits: {note: 4194304}\n"), encoding="utf-8")
    return folder


def chosen(part: int, long: bool) -> tuple[str, ...]:
    """The payloads of a part: all in `PARTS` parts, or a sample of them as one, with those that once got through."""
    if long:
        return payloads()[part::PARTS]
    return *payloads()[:: len(payloads()) // SAMPLE][:SAMPLE], *GRAMMAR["caught"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "part" in metafunc.fixturenames:
        parts = range(PARTS if metafunc.config.getoption("--long") else 1)
        metafunc.parametrize("part", parts, scope="module")


@pytest.fixture(scope="module")
def part_of(part, long) -> tuple[str, ...]:
    return chosen(part, long)


@pytest.fixture(scope="module")
def built(part_of, part, tmp_path_factory) -> Iterator[tuple[str, Path, Admitted]]:
    """The site of one part's payloads, served, and what was admitted to it."""
    folder = knowledge_base(tmp_path_factory.mktemp("hostile") / "base")
    found = admitted(folder, part_of, first=part * 10_000)
    with served(folder / "site", KEPT) as url:
        done = run_kb("build", "--locked", cwd=folder, env={"SITE_URL": url})
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        yield url, folder / "site", found
    shutil.rmtree(folder)


# ------------------------------------------------------------------------------------------------------ our pages


def test_nothing_that_a_card_says_runs(built, chromium, long):
    url, site, found = built
    walk = Walk()
    with watched(chromium, url, walk, bypass_csp=True) as page:
        for path in html_files(site):
            walk.open(page, url + path)
        search(page, url, walk, QUERIES if long else QUERIES[:2])
        compare(page, url, walk)
        feeds(page, url, site, walk)
    refused = f"{sum(found.refused.values())} refused: {dict(found.refused.most_common(6))} …" if found.refused else ""
    print(f"\n{len(found.notes)} payloads in {len(ALL)} contexts: placed {found.placed} times on {walk.pages} pages")
    print(refused, f"{found.refused_whole} refused whole")
    print(*walk.fired[:5], *walk.could[:5], *walk.asked[:5], sep="\n")  # at once: the long form takes hours to its end
    assert found.placed > len(found.notes) * len(ALL) * 0.7, "most of it is to reach the pages"
    assert (walk.fired, walk.could, walk.asked) == ([], [], [])


def html_files(site: Path) -> list[str]:
    """All pages but those of single codes, which say the same on every site."""
    paths = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(path.as_posix() for path in paths if path.parts[0] != "codes" or path.name == "index.html")


def search(page: Page, url: str, walk: Walk, queries: Sequence[str]) -> None:
    """What the search finds, in its dialog and on its page; with a hostile address, too."""
    for query in queries:
        page.goto(f"{url}index.html", timeout=PATIENCE)
        page.keyboard.press("/")
        page.locator("dialog.kb-search input").fill(query, timeout=PATIENCE)
        page.wait_for_function(
            f"() => document.querySelector('{RESULT}, dialog.kb-search [role=status]:not(:empty)')", timeout=PATIENCE
        )
        walk.look(page)
        page.goto(f"{url}search.html?q={query}&tag={QUERIES[-1]}&author={QUERIES[-1]}", timeout=PATIENCE)
        page.wait_for_load_state("networkidle", timeout=PATIENCE)
        walk.look(page)


def compare(page: Page, url: str, walk: Walk) -> None:
    """Models side by side, asked for by an address that somebody made."""
    for call in ("vgg()", QUERIES[-1]):
        page.goto(f"{url}models.html?call={call}&card={QUERIES[-1]}", timeout=PATIENCE)
        page.wait_for_load_state("networkidle", timeout=PATIENCE)
        walk.look(page)


def feeds(page: Page, url: str, site: Path, walk: Walk) -> None:
    """What a feed reader would set as HTML."""
    names = {"atom": "{http://www.w3.org/2005/Atom}"}
    entries = ElementTree.parse(site / "feed.xml").getroot().iter(f"{names['atom']}content")
    items = json.loads((site / "feed.json").read_text(encoding="utf-8"))["items"]
    texts = [entry.text or "" for entry in entries] + [item.get("content_html", "") for item in items]
    page.goto(f"{url}404.html", timeout=PATIENCE)
    for text in texts:
        page.evaluate("text => { document.querySelector('article').innerHTML = text }", text)
        walk.look(page)


def test_the_policy_has_nothing_to_hold_back(built, chromium):
    """Were an inline script or a handler in a page, the browser would say that the policy stopped it."""
    _, site, found = built
    walk = Walk()
    cards = [f"cards/{note.citekey}.html" for note in found.notes[:: max(1, len(found.notes) // 3)]]
    with (
        served(site, {"Content-Security-Policy": POLICY}) as url,
        watched(chromium, url, walk, bypass_csp=False) as page,
    ):
        for path in [*cards, "index.html", "models.html", "search.html", "lineage.html"]:
            walk.open(page, url + path)
    assert (walk.fired, walk.could, walk.asked) == ([], [], [])


def test_what_programs_read_is_whole(built):
    """JSON stays JSON and XML stays XML, whatever a card says."""
    _, site, found = built
    files = [path for path in site.rglob("*") if path.suffix in (".json", ".xml", ".jsonld")]
    assert {"links.json", "feed.json", "feed.xml"} <= {path.name for path in files}
    for path in files:
        text = path.read_text(encoding="utf-8")
        json.loads(text) if path.suffix == ".json" else ElementTree.fromstring(text)
    for note in found.notes:
        soup = BeautifulSoup((site / "cards" / f"{note.citekey}.html").read_bytes(), "html.parser")
        (linked,) = soup("script", type="application/ld+json")
        assert json.loads(linked.string)["@type"] == "Article"
    assert (site / "llms.txt").is_file()


# ---------------------------------------------------------------------------------------------------- the harness


def test_the_same_harness_fires_over_plain_mkdocs(built, chromium, tmp_path):
    """Else it would find nothing, however careless the pages were. A title stands on its own page alone."""
    _, _, found = built
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(
        "site_name: Plain\ntheme: {name: mkdocs, highlightjs: false}\nnav: [index.md]\n", encoding="utf-8"
    )
    (tmp_path / "docs" / "index.md").write_text("# Plain\n", encoding="utf-8")
    for note in found.notes[:24]:
        (tmp_path / "docs" / f"{note.citekey}.md").write_text(note.text, encoding="utf-8", errors="replace")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    walk = Walk()
    with served(tmp_path / "site") as url, watched(chromium, url, walk, bypass_csp=True) as page:
        for path in html_files(tmp_path / "site"):
            try:
                walk.open(page, url + path)
            except Exception:  # noqa: BLE001 - a page that runs what it is told may go anywhere
                page.goto("about:blank")
    told = f"{len(walk.fired)} calls ran, {len(walk.could)} could, {len(walk.asked)} requests elsewhere"
    print(f"\nover plain MkDocs, of {walk.pages} pages: {told}")
    assert walk.fired
    assert walk.could
    assert walk.asked


# --------------------------------------------------------------------------------------------------- the payloads


def test_the_payloads_are_many_and_all_different():
    print(f"\n{counts()}\n{len(ALL)} contexts, of them {len(CONTEXTS['fields'])} fields of the front matter")
    assert len(payloads()) == len(set(payloads())) >= 5000
    assert len(frozenset().union(*collected().values())) > 4000, "most of them are not of our own making"
