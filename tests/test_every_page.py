"""What holds for every kind of page: nobody is shut out, nothing runs or loads that is not the site's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from browsing import (
    AUDIT,
    AXE,
    PATIENCE,
    POLICY,
    SETTLED,
    WIDTHS,
    Site,
    audited,
    building,
    change_palette,
    samples,
    served,
    watched,
)
from bs4 import BeautifulSoup
from conftest import copy_repository
from playwright.sync_api import Page, expect

OF_COLOURS = ["color-contrast", "link-in-text-block"]  # rules of axe
RAW = re.compile(r"\\[(\[]|\\[a-z]+frac|\\math[a-z]+|\$\$")


@pytest.fixture(scope="module")
def whole_site(tmp_path_factory) -> Iterator[Site]:
    """The project's own site, under the policy that a careful host would send."""
    with building({"Content-Security-Policy": POLICY}) as serve:
        yield serve(copy_repository(tmp_path_factory.mktemp("site")))


@pytest.fixture
def site(whole_site) -> Iterator[Site]:
    """The site. A test fails where one of its pages had a console error or asked for something foreign."""
    with watched(whole_site):
        yield whole_site


def settled(page: Page) -> None:
    """Formulas are set, nothing was held back, and no formula is left raw."""
    page.wait_for_function(SETTLED, timeout=PATIENCE)
    assert page.evaluate("window.held") == []
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert not RAW.search(without_code(page)), page.url


def without_code(page: Page) -> str:
    """The text of an article as it is read; code may quote TeX."""
    return page.evaluate(
        """() => {
          const article = document.querySelector('article').cloneNode(true)
          for (const each of article.querySelectorAll('pre, code, mjx-container, details')) each.remove()
          return article.textContent
        }"""
    )


def test_axe_finds_nothing_on_any_kind_of_page(site):
    """In both palettes, on a desk and on a phone; and formulas are set, nothing foreign is asked for, nothing held."""
    page = site.open("404.html", reduced_motion="reduce")  # or colours would be looked at while they fade
    page.add_init_script(path=AXE)
    found: dict[str, list[str]] = {}
    for path in samples(site.folder):
        page.goto(site.url + path)
        settled(page)
        for scheme, rules in (("light", None), ("dark", OF_COLOURS)):  # in which alone the palettes differ
            for width in WIDTHS:
                for problem in audited(page, width, rules):
                    found.setdefault(problem, []).append(f"{path} {scheme} {width}")
            change_palette(page)
    assert found == {}, json.dumps(found, indent=1, ensure_ascii=False)


# ------------------------------------------------------------------------------------------------------ the policy


@pytest.mark.parametrize("name", ["ci.md", "ci.zh.md"])
def test_the_policy_that_is_tried_here_is_the_one_that_hosts_are_told_of(root, name):
    assert f"Content-Security-Policy: {POLICY}\n" in (root / "docs" / name).read_text(encoding="utf-8")


def test_no_page_has_a_script_or_a_handler_of_its_own(site):
    """A policy of `script-src 'self'` would stop it: the page would be dead where a host sends one."""
    for path in sorted(site.folder.rglob("*.html")):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        inside = [each for each in soup("script") if not each.get("src") and "json" not in each.get("type", "")]
        handlers = [name for each in soup(True) for name in each.attrs if name.startswith("on")]
        addresses = list(soup(href=re.compile(r"^\s*javascript:", re.IGNORECASE)))
        assert (inside, handlers, addresses) == ([], [], []), path


def test_a_script_that_slipped_into_a_page_does_not_run_also_without_the_header(site):
    """Pages say so themselves, for hosts that send no headers."""
    with served(site.folder) as url:
        page = site.browser.new_page()
        text = (site.folder / "index.html").read_text(encoding="utf-8")
        slipped = text.replace("</article>", "<script>window.ran = true</script></article>")
        assert slipped != text
        page.route(f"{url}index.html", lambda route: route.fulfill(body=slipped, content_type="text/html"))
        page.goto(f"{url}index.html")
        expect(page.locator("article script")).to_have_count(1)
        assert page.evaluate("window.ran") is None


# --------------------------------------------------------------------------------------------------- the palette


@pytest.mark.parametrize("chosen", [False, True], ids=["as the system has it", "as the reader chose"])
def test_the_palette_is_there_before_material_wakes(site, chosen):
    """A dark room stays dark: the page does not wait for the scripts at its end."""
    page = site.open("index.html", color_scheme="light" if chosen else "dark")
    if chosen:
        change_palette(page)
    page.route("**/bundle.*.js", lambda route: route.abort())
    page.route("**/kb.js", lambda route: route.abort())
    page.goto(site.url + "models.html")
    assert page.get_attribute("body", "data-md-color-scheme") == "slate"
    site.troubles.clear()  # the scripts that were held back


# ------------------------------------------------------------------------------------------------- a reader's walk


def is_on(page: Page, path: str, mark: str) -> None:
    """An instant navigation changes the address first: the page is there when what it is known by is."""
    page.wait_for_url(f"**/{path}*", timeout=PATIENCE)
    expect(page.locator(mark).first).to_be_visible(timeout=PATIENCE)
    settled(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_reader_walks_through_the_site(site, width):
    """Home, search, a card, the models side by side, another card, and all the way back, without a reload."""
    page = site.open("index.html", viewport={"width": width, "height": 900})
    page.evaluate("window.sameDocument = true")
    page.keyboard.press("/")
    expect(page.locator(".kb-search__input")).to_be_focused(timeout=PATIENCE)
    page.keyboard.insert_text("倒残差")
    page.locator(".kb-search a[href*='cards/Sandler2018CVPR.html']").first.click()
    is_on(page, "cards/Sandler2018CVPR.html", ".kb-citekey:text-is('Sandler2018CVPR')")
    if width < 1000:
        page.click(".md-header label[for=__drawer]")
    page.locator(":is(.md-tabs, .md-nav--primary) a[href$='models.html']:visible").first.click()
    is_on(page, "models.html", "article table:visible")
    page.locator("article table a[href*='cards/Howard2019arxiv.html']:visible").first.click()
    is_on(page, "cards/Howard2019arxiv.html", ".kb-citekey:text-is('Howard2019arxiv')")
    page.go_back()
    is_on(page, "models.html", "article table:visible")
    page.go_back()
    is_on(page, "cards/Sandler2018CVPR.html", ".kb-citekey:text-is('Sandler2018CVPR')")
    page.go_back()
    is_on(page, "index.html", ".kb-scores")
    change_palette(page)
    assert page.evaluate("window.sameDocument"), "instant navigation was meant to be tried"


def test_bibtex_and_code_are_copied_under_the_policy(site):
    page = site.open("cards/Sandler2018CVPR.html", permissions=["clipboard-read", "clipboard-write"])
    page.locator(".kb-copy").first.click()
    expect(page.locator(".kb-copy").first).to_have_text("已复制", timeout=PATIENCE)
    page.locator(".kb-source summary").first.click()
    page.locator(".kb-copy-code:visible").click()
    expect(page.locator(".kb-copy-code:visible")).to_have_text("已复制", timeout=PATIENCE)
    assert page.evaluate("navigator.clipboard.readText()").startswith('"""MobileNetV2')
    page.goto(site.url + "codes/K301.html")
    page.locator("nav.md-code__nav button").first.click()
    expect(page.locator(".md-dialog")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("navigator.clipboard.readText()").strip()


# ------------------------------------------------------------------------------------------------------ the checks


def test_axe_would_find_something(site):
    """The check itself: a picture without words and pale text are found."""
    page = site.open("conventions.html")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(
        """() => {
          document.querySelector('article').insertAdjacentHTML('beforeend', '<p class=pale>Pale</p><img src=data:,>')
          document.querySelector('.pale').style.color = '#ccc'
        }"""
    )
    found = " ".join(page.evaluate(AUDIT))
    assert "image-alt" in found
    assert "color-contrast" in found
