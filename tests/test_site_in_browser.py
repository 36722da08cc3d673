"""The site as readers meet it, in Chromium: on a desk and on a phone, in light and dark, with nothing from others."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import browser
import pytest
from conftest import copy_repository, run_kb
from playwright.sync_api import Browser, Page, expect, sync_playwright
from test_pages import CASES, base_from

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
SEARCH = "input.md-search__input"
RESULT = ".md-search-result__item"
PATIENCE = 20_000  # milliseconds, on a machine with much else to do


class Handler(SimpleHTTPRequestHandler):
    """Serves a site as its host would: an unknown address is its 404 page."""

    def send_error(self, code: int, *_: object) -> None:  # type: ignore[override]
        body = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Site:
    """A site that is being served, and what went wrong in the pages that were opened."""

    url: str
    folder: Path
    browser: Browser
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str = "index.html", **context: object) -> Page:
        page = self.browser.new_context(**context).new_page()
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.goto(self.url + path)
        return page

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "404 (Not Found)" not in text:
            self.troubles.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.troubles.append(f"asked for {url}")

    def paths(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.html"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=browser.find(), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def serve(chromium) -> Iterator[Callable[[Path], Site]]:
    """Build a knowledge base and serve its site."""
    servers: list[ThreadingHTTPServer] = []

    def start(folder: Path) -> Site:
        (folder / "site").mkdir()
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder / "site")))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        done = run_kb("build", cwd=folder, env={"SITE_URL": url})
        assert done.returncode == 0, done.stdout + done.stderr
        return Site(url, folder / "site", chromium)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def whole_site(serve, tmp_path_factory) -> Site:
    return serve(copy_repository(tmp_path_factory.mktemp("site")))


@pytest.fixture
def site(whole_site) -> Iterator[Site]:
    """The project's own site. A test fails where a page of it had a console error or asked for something foreign."""
    whole_site.troubles.clear()
    yield whole_site
    assert not whole_site.troubles
    for context in whole_site.browser.contexts:
        context.close()


def type_query(page: Page, query: str) -> None:
    page.focus(SEARCH)
    page.keyboard.insert_text(query)


# Every formula has been typeset, once.
SETTLED = """() => [...document.querySelectorAll('.arithmatex')]
  .every(formula => formula.querySelectorAll('mjx-container').length === 1)"""


def settled(page: Page) -> None:
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def formulas_are_set(page: Page, citekey: str) -> None:
    """The card is on the page, its every formula typeset, once, and none left raw or in error.

    An instant navigation changes the address before the page: without the citekey, the page before would be looked at.
    """
    expect(page.locator(".kb-citekey")).to_have_text(citekey, timeout=PATIENCE)
    settled(page)
    page.wait_for_selector("mjx-container mjx-c", timeout=PATIENCE)
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert not re.search(r"\\[(\[]|\\dfrac|\\mathrm", page.inner_text("article"))
    # Its style sheet is there: a formula's characters are set in MathJax's own fonts.
    assert page.evaluate(
        "getComputedStyle(document.querySelector('mjx-container mjx-c'), '::before').fontFamily"
    ).startswith("MJX")


def test_formulas_are_set_once_also_when_moving_between_pages(site):
    page = site.open("cards/Howard2017arxiv.html")
    formulas_are_set(page, "Howard2017arxiv")
    page.evaluate("window.sameDocument = true")
    page.click(".md-tabs a[href$='cards/index.html']")
    page.click(".kb-cards a[href$='Howard2019arxiv.html']")
    page.wait_for_url("**/Howard2019arxiv.html")
    formulas_are_set(page, "Howard2019arxiv")
    page.go_back()
    expect(page.locator(".kb-browse [aria-current]")).to_have_text("全部", timeout=PATIENCE)
    page.go_back()
    page.wait_for_url("**/Howard2017arxiv.html")
    formulas_are_set(page, "Howard2017arxiv")
    assert page.evaluate("window.sameDocument"), "instant navigation was meant to be tried"


def test_mathjax_is_loaded_only_where_there_are_formulas(site):
    page = site.open("models.html")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("performance.getEntriesByType('resource').filter(e => e.name.includes('mathjax')).length") == 0


def test_wide_formulas_scroll_by_themselves(site):
    page = site.open("cards/Howard2017arxiv.html", viewport={"width": 390, "height": 844})
    formulas_are_set(page, "Howard2017arxiv")
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize(
    ("query", "card"),
    [
        ("深度可分离卷积", "Howard2017arxiv"),
        ("参数量", "Howard2017arxiv"),
        ("可分离", "Howard2017arxiv"),
        ("depthwise", "Howard2017arxiv"),
        ("h-swish", "Howard2019arxiv"),
        ("hswish", "Howard2019arxiv"),
        ("MobileNetV2", "Sandler2018CVPR"),
        ("Sandler", "Sandler2018CVPR"),
        ("sandler2018", "Sandler2018CVPR"),
        ("倒残差", "Sandler2018CVPR"),
        ("SqueezeNet", "Iandola2016arxiv"),
        ("inverted residuals", "Sandler2018CVPR"),
        ("Howard 宽度乘子", "Howard2017arxiv"),
    ],
)
def test_search_leads_to_the_right_card_first(site, query, card):
    page = site.open()
    type_query(page, query)
    first = page.locator(RESULT).first.locator("a").first
    expect(first).to_have_attribute("href", re.compile(rf"/cards/{card}\.html"), timeout=PATIENCE)


def test_a_result_is_followed_and_its_formulas_stay_whole(site):
    page = site.open()
    type_query(page, "乘子")
    page.locator(RESULT).first.locator("a").first.click()
    page.wait_for_url("**/Howard2017arxiv.html**")
    formulas_are_set(page, "Howard2017arxiv")
    assert "\\(" not in page.content().split("__config")[0]


def test_search_finds_nothing_where_there_is_nothing(site):
    page = site.open()
    type_query(page, "zzzznothing")
    expect(page.locator(".md-search-result__meta")).to_contain_text("没有找到", timeout=PATIENCE)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_no_page_scrolls_sideways(site, width, scheme):
    page = site.open(viewport={"width": width, "height": 844}, color_scheme=scheme)
    for path in site.paths():
        page.goto(site.url + path)
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_keep_their_contrast(site, scheme):
    page = site.open("conventions.html", color_scheme=scheme)
    for status in ("agrees", "agrees_counting", "reproduced", "unexplained", "not_measurable"):
        ratio = page.evaluate(CONTRAST, f".kb-verdicts .kb-is-{status}")
        assert ratio >= 4.5, (status, ratio)
    page.goto(site.url + "index.html")
    for selector in (".kb-home-what", ".kb-cards__meta", ".kb-cards__name", ".md-tabs__link"):
        ratio = page.evaluate(CONTRAST, selector)
        assert ratio >= 4.5, (selector, ratio)


CONTRAST = """selector => {
  const channels = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
  const light = colour => channels(colour).map(c => c / 255)
    .map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0)
  const element = document.querySelector(selector)
  const front = light(getComputedStyle(element).color)
  const back = light(getComputedStyle(document.body).backgroundColor)
  return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)
}"""


def test_light_and_dark_follow_the_reader_and_their_choice_lasts(site):
    page = site.open(color_scheme="dark")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.locator("label[for^=__palette]:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")
    page.goto(site.url + "models.html")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")


def test_the_link_to_arxiv_is_told_from_the_venue(site):
    links = site.open("cards/Howard2017arxiv.html").locator(".kb-head__facts a")
    assert links.all_inner_texts() == ["架构", "arXiv", "2017", "arXiv:1704.04861"]


def test_bibtex_is_copied(site):
    page = site.open("cards/Sandler2018CVPR.html", permissions=["clipboard-read", "clipboard-write"])
    button = page.locator(".kb-copy").first
    button.click()
    expect(button).to_have_text("已复制")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("@inproceedings{Sandler2018CVPR,\n")
    assert copied.rstrip().endswith("}")


def test_a_plain_citation_is_copied(site):
    page = site.open("cards/Howard2017arxiv.html", permissions=["clipboard-read", "clipboard-write"])
    button = page.locator(".kb-copy", has_text="复制引文")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".kb-copy").nth(1)).to_have_text("已复制")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Howard A., et al. MobileNets: Efficient")
    assert copied.endswith(", arXiv 2017. https://arxiv.org/abs/1704.04861")


def test_a_card_is_printed_as_a_handout(site):
    page = site.open("cards/Howard2017arxiv.html", color_scheme="dark")
    settled(page)
    page.evaluate(
        "document.querySelector('article p').insertAdjacentHTML('afterend', '<details><p>folded</p></details>')"
    )
    page.emulate_media(media="print")
    for unseen in (".md-header", ".md-tabs", ".md-sidebar", ".kb-copy", "#source", ".kb-layers", ".md-footer"):
        expect(page.locator(unseen).first).to_be_hidden()
    expect(page.locator(".kb-model__brief").nth(1)).to_be_visible()
    expect(page.locator(".kb-is-unexplained .kb-mark").first).to_have_text("≠")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.set_viewport_size({"width": 680, "height": 962})  # A4 without margins, in CSS pixels
    assert page.evaluate(CUT_OFF) == []
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.get_by_text("folded")).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_text("folded")).to_be_hidden()


# What is wider than the sheet.
CUT_OFF = """() => [...document.querySelectorAll('article table, article pre, article img')]
  .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(each => each.outerHTML.slice(0, 80))"""


def test_an_unknown_address_is_a_page_of_the_site(site):
    page = site.open("nowhere.html")
    expect(page.locator("h1")).to_have_text("没有这一页")
    page.click("article a[href$='cards/index.html']")
    page.wait_for_url("**/cards/index.html")


def test_pages_are_light(site):
    import gzip

    for path in (site.folder / "cards").glob("*.html"):
        assert len(gzip.compress(path.read_bytes())) < 150_000, path.name


# ------------------------------------------------------------------------------------------------------ claims


def test_a_claim_shows_its_outcome_in_the_text_and_leads_to_the_list(site):
    page = site.open("cards/Howard2017arxiv.html")
    holds = page.locator("td .kb-claim.kb-is-agrees", has_text="94.857 %")
    expect(holds).to_have_text("✓成立 94.857 %")
    fails = page.locator("td .kb-claim.kb-is-unexplained")
    expect(fails).to_have_text("✗不成立 1.906 %")
    assert fails.get_attribute("title") == "share(mobilenet_v1().macs, conv) ~ 1.19%：不成立：1.906 %"
    fails.click()
    listed = page.locator(".kb-claims > div:target")
    expect(listed.locator("code")).to_have_text("share(mobilenet_v1().macs, conv) ~ 1.19%")
    expect(listed.locator("dd")).to_have_text("✗不成立 不成立：1.906 %")


def test_a_value_and_what_a_claim_was_compared_with_are_shown(site):
    page = site.open("cards/Howard2019arxiv.html")
    expect(page.locator("article .kb-claim.kb-value", has_text="499,520")).to_be_visible()
    compared = page.locator(".kb-claims dd", has_text="与之比较的是 216,589,760")
    expect(compared).to_have_count(2)


def test_failed_claims_stand_on_the_page_of_discrepancies_with_their_footnote(site):
    page = site.open("discrepancies.html")
    failed = page.locator(".kb-claims > div", has_text="share(mobilenet_v1().macs, conv) ~ 1.19%")
    expect(failed).to_contain_text("✗")
    expect(failed).to_contain_text("1.19 应是 1.91 颠倒了两位")
    assert "kb=" not in page.inner_text("article")


# ----------------------------------------------------------------------------------------------- hostile notes


@pytest.fixture(scope="module")
def hostile_site(serve, tmp_path_factory) -> Site:
    folder = base_from(CASES / "hostile", tmp_path_factory.mktemp("hostile") / "base")
    (folder / "notes" / "x.png").write_bytes((CASES / "languages/notes/net.assets/b.png").read_bytes())
    return serve(folder)


# What the notes' scripts would call.
HACKED = "window.hits = []; window.hacked = what => window.hits.push(what)"


def test_nothing_that_a_note_says_runs(hostile_site):
    page = hostile_site.open("404.html")
    page.add_init_script(HACKED)
    for path in hostile_site.paths():
        page.goto(hostile_site.url + path)
        settled(page)
        page.evaluate(
            "document.querySelectorAll('article [title], article span, article a, article img').forEach(e => {"
            "for (const type of ['mouseover', 'error']) e.dispatchEvent(new Event(type, {bubbles: true})) })"
        )
        assert page.evaluate("window.hits") == [], path
        assert page.evaluate(ACTIVE) == [], path


# What could run: handlers, addresses that are script, and frames, anywhere on the page. The compare page's own script
# stands in its article, by that one address.
ACTIVE = """() => [...document.querySelectorAll('*')].flatMap(element => [
  ...element.getAttributeNames().filter(name => name.startsWith('on')),
  ...['href', 'src', 'xlink:href', 'action']
    .filter(name => /^\\s*(javascript|data:text)/i.test(element.getAttribute(name) ?? '')),
  ...(element.matches('article :is(script, iframe, object, embed)')
    && element.src !== new URL('/assets/compare.js', location).href ? [element.tagName] : []),
])"""


def test_hostile_names_are_shown_as_they_were_written(hostile_site):
    page = hostile_site.open("cards/Evil2020CVPR.html")
    name = '<script>hacked("name")</script>'
    assert page.title().startswith(name)
    assert page.locator("h1").inner_text().startswith(name)
    assert "{{ 7*7 }}" in page.locator("nav.md-nav--secondary").inner_text()
    assert '{#id .class onclick=hacked("attr")}' in page.locator("h2").first.inner_text()


def test_hostile_formulas_have_no_links_and_no_styles(hostile_site):
    page = hostile_site.open("cards/Evil2020CVPR.html")
    page.wait_for_selector("mjx-container", timeout=PATIENCE)
    page.wait_for_timeout(500)
    assert page.locator(".arithmatex a[href]").count() == 0
    assert page.locator(".arithmatex [style*=fixed]").count() == 0
    assert page.locator(".arithmatex .md-overlay").count() == 0


def test_search_results_show_hostile_text_as_text(hostile_site):
    page = hostile_site.open()
    page.add_init_script(HACKED)
    page.reload()
    type_query(page, "hacked")
    expect(page.locator(RESULT).first).to_contain_text('<script>hacked("name")</script>', timeout=PATIENCE)
    assert page.locator(f"{RESULT} script, {RESULT} img").count() == 0
    assert page.evaluate("window.hits") == []
