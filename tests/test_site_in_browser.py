"""The site as readers meet it, in Chromium: on a desk and on a phone, in light and dark, with nothing from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import PATIENCE, SETTLED, Site, building, samples, watched
from conftest import copy_repository
from playwright.sync_api import Page, expect
from test_pages import CASES, base_from

DIALOG = "dialog.kb-search"
RESULT = f"{DIALOG} [role=option]"


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Path], Site]]:
    """What builds a knowledge base and serves its site."""
    with building() as serve:
        yield serve


@pytest.fixture(scope="module")
def whole_site(serve, tmp_path_factory) -> Site:
    return serve(copy_repository(tmp_path_factory.mktemp("site")))


@pytest.fixture
def site(whole_site) -> Iterator[Site]:
    """The project's own site. A test fails where a page of it had a console error or asked for something foreign."""
    with watched(whole_site):
        yield whole_site


def type_query(page: Page, query: str) -> None:
    """Open the search by its key, and type."""
    page.keyboard.press("/")
    expect(page.locator(f"{DIALOG} input")).to_be_focused(timeout=PATIENCE)
    page.keyboard.insert_text(query)


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
    expect(page.locator(RESULT).first).to_have_attribute("href", re.compile(rf"/cards/{card}\.html"), timeout=PATIENCE)


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("K301", "codes/K301.html"),
        ("mobilenet_v2(width=1.4)", "cards/Sandler2018CVPR.html#model-mobilenet_v2-width-1-4"),
        ("shufflenet(groups=8)", "cards/Zhang2018CVPR.html#model-shufflenet-groups-8"),
        ("1704.04861", "cards/Howard2017arxiv.html"),
        ("度可分", "cards/Howard2017arxiv.html#method"),
        ("mobilnetv3", "cards/Howard2019arxiv.html"),
    ],
)
def test_search_leads_to_pages_models_and_sections(site, query, address):
    page = site.open()
    type_query(page, query)
    expect(page.locator(RESULT).first).to_have_attribute("href", site.url + address, timeout=PATIENCE)


def test_a_result_shows_title_year_venue_and_the_passage(site):
    page = site.open()
    type_query(page, "度可分")
    first = page.locator(RESULT).first
    expect(first).to_contain_text("MobileNets: Efficient Convolutional", timeout=PATIENCE)
    expect(first).to_contain_text("2017 · arXiv · 架构")
    expect(first.locator("mark").first).to_have_text("度可分")
    expect(page.get_by_role("status").first).to_have_text(re.compile(r"找到 \d+ 条"))


def test_a_result_is_followed_by_the_keyboard_and_formulas_stay_whole(site):
    page = site.open()
    type_query(page, "乘子")
    results = page.locator(RESULT)
    expect(results.first).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    page.keyboard.press("ArrowDown")
    expect(results.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator(f"{DIALOG} input")).to_have_attribute("aria-activedescendant", "kb-search-1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/Howard2017arxiv.html**")
    expect(page.locator(DIALOG)).not_to_be_visible()
    formulas_are_set(page, "Howard2017arxiv")
    assert "\\(" not in page.content().split("__config")[0]


def test_the_search_opens_from_any_page_but_not_while_one_types(site):
    page = site.open("cards/Howard2017arxiv.html")
    for key in ("/", "s", "f", "Control+k"):
        page.keyboard.press(key)
        expect(page.locator(f"{DIALOG} input")).to_be_focused(timeout=PATIENCE)
        page.keyboard.press("Escape")
        expect(page.locator(DIALOG)).not_to_be_visible()
    page.click(".kb-search-open")
    page.keyboard.type("sf/")
    expect(page.locator(f"{DIALOG} input")).to_have_value("sf/")


def test_the_search_goes_on_after_moving_to_another_folder(site):
    page = site.open("cards/Howard2017arxiv.html")
    page.click(".md-tabs a[href$='models.html']")
    page.wait_for_url("**/models.html")
    type_query(page, "SqueezeNet")
    page.locator(RESULT).first.click(timeout=PATIENCE)
    page.wait_for_url("**/cards/Iandola2016arxiv.html**")
    type_query(page, "ViT")
    page.click("[data-kb-search-page]")
    page.wait_for_url("**/search.html?q=ViT")
    expect(page.locator(".kb-finder__results a").first).to_contain_text("ViT", timeout=PATIENCE)


def test_search_finds_nothing_where_there_is_nothing(site):
    page = site.open()
    type_query(page, "zzzznothing")
    expect(page.locator(f"{DIALOG} [role=status]")).to_contain_text("没有找到", timeout=PATIENCE)


FOUND = ".kb-finder__results li .kb-result__name"


def test_facets_narrow_a_search_whose_address_can_be_sent(site):
    page = site.open("search.html")
    found = page.locator(FOUND)
    expect(found).to_have_count(len(list((site.folder / "cards").glob("*.html"))) - 1, timeout=PATIENCE)
    page.fill(".kb-finder input[type=search]", "卷积")
    page.get_by_label(re.compile("^arXiv")).check()
    page.get_by_label(re.compile("^mobilenet_v3")).check()
    expect(found).to_have_text(["MobileNetV3"], timeout=PATIENCE)
    page.wait_for_url("**/search.html?q=*&venue=arXiv&family=mobilenet_v3")
    sent = site.open(page.url.removeprefix(site.url))
    expect(sent.locator(FOUND)).to_have_text(["MobileNetV3"], timeout=PATIENCE)
    expect(sent.locator(".kb-finder input[type=search]")).to_have_value("卷积")
    expect(sent.get_by_label(re.compile("^mobilenet_v3"))).to_be_checked()
    sent.click("[data-kb-clear]")
    expect(sent.locator(FOUND).nth(1)).to_be_visible(timeout=PATIENCE)
    assert "family" not in sent.url


def test_results_of_the_page_are_walked_by_keys(site):
    page = site.open("search.html?q=MobileNetV2")
    expect(page.locator(FOUND).first).to_have_text("MobileNetV2", timeout=PATIENCE)
    page.focus(".kb-finder input[type=search]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cards/Sandler2018CVPR.html**")


# Parts of texts at places that a seed gives, each of which must find the card that it is from.
RECALL = """async () => {
  const engine = kbSearch.open(new URL("search/", location))
  const numbers = [...(await engine.facets()).get("status").values()].flatMap(each => [...each])
  let seed = 7
  const random = below => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below
  const missed = []
  let asked = 0
  for (const number of numbers) {
    const record = await engine.record(number)
    const runs = record.parts.flatMap(([, , text]) => text.match(/[\\u4e00-\\u9fff]{2,}|[A-Za-z][A-Za-z-]+/g) ?? [])
    for (let n = 0; n < 25; n++) {
      const run = runs[random(runs.length)], from = /[A-Za-z]/.test(run) ? 0 : random(run.length - 1)
      const query = run.slice(from, from + 2 + random(5))
      const { scores, loose } = await engine.answer(query)
      asked++
      if (loose || !scores.has(number)) missed.push([query, record.name])
    }
  }
  return [asked, missed]
}"""


def test_every_part_of_a_text_finds_its_card(site):
    asked, missed = site.open().evaluate(RECALL)
    assert asked > 200
    assert not missed


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_no_page_scrolls_sideways(site, width, scheme):
    page = site.open(viewport={"width": width, "height": 844}, color_scheme=scheme)
    cards = [path for path in site.paths() if path.count("/") == 1 and path.startswith("cards/")]
    for path in sorted({*samples(site.folder), *cards}):
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


def test_the_layers_of_a_model_come_when_they_are_opened(site):
    page = site.open("cards/Sandler2018CVPR.html")
    layers = page.locator("#model-mobilenet_v2 .kb-layers, #model-mobilenet-v2 .kb-layers").first
    layers.locator("summary").click()
    row = layers.locator("tbody tr").first
    expect(row).to_have_text(re.compile(r"^conv\.0.*10,838,016$"), timeout=PATIENCE)


def test_the_last_of_many_models_shows_its_pictures_when_it_is_opened(site):
    page = site.open("cards/Howard2019arxiv.html")
    last = page.locator("details.kb-model").last
    last.locator("summary").first.click()
    expect(last.locator("svg.kb-net")).to_be_visible()
    expect(last.locator(".kb-shares tbody tr").first).to_be_visible()
    assert site.troubles == []


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


# ---------------------------------------------------------------------------------------------------- pictures


def test_a_stage_leads_to_its_line_of_source(site):
    """By mouse from the picture, by keyboard from the table below it; the closed source opens."""
    page = site.open("cards/Sandler2018CVPR.html")
    stage = page.locator(".kb-net").first.locator("a").nth(3)
    assert stage.locator("title").text_content().startswith("InvertedResidual ×3；通道 24 → 32")
    place = stage.get_attribute("xlink:href")
    stage.click()
    expect(page.locator(place)).to_contain_text("blocks.append(InvertedResidual(")
    expect(page.locator(place)).to_be_in_viewport()
    page.locator(".kb-stages summary").first.click()
    link = page.locator(".kb-stages").first.get_by_role("link", name="全连接")
    place = "#" + link.get_attribute("href").partition("#")[2]
    link.press("Enter")
    expect(page.locator(place)).to_contain_text("self.classifier = nn.Linear(")
    expect(page.locator(place)).to_be_in_viewport()


def test_a_mark_leads_to_its_figure(site):
    page = site.open("cards/Sandler2018CVPR.html")
    mark = page.locator(".kb-ratios a", has=page.locator(".kb-is-unexplained")).first
    figure = page.locator(mark.get_attribute("xlink:href"))
    mark.click()
    expect(figure).to_have_class(re.compile("kb-is-unexplained"))
    expect(figure).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_take_their_colours_from_the_palette(site, scheme):
    page = site.open("cards/Howard2017arxiv.html", color_scheme=scheme)
    drawn, wanted = page.evaluate(
        """() => {
          const line = document.querySelector("#figure-of-cost_ratio .kb-plot .kb-stroke-1")
          const probe = document.body.appendChild(document.createElement("i"))
          probe.style.color = "var(--kb-1)"
          return [getComputedStyle(line).stroke, getComputedStyle(probe).color]
        }"""
    )
    assert drawn == wanted


# ------------------------------------------------------------------------------------------------------ claims


def test_a_claim_shows_its_outcome_in_the_text_and_leads_to_the_list(site):
    page = site.open("cards/Howard2017arxiv.html")
    holds = page.locator("td .kb-claim.kb-is-agrees", has_text="94.857 %")
    expect(holds).to_have_text("✓成立 94.857 %")
    fails = page.locator("td .kb-claim.kb-is-unexplained")
    expect(fails).to_have_text("✗不成立 1.906 %")
    assert fails.get_attribute("title") == "share(mobilenet_v1().macs, conv) ~ 1.19%：不成立：1.906 %"
    fails.click()
    listed = page.locator(".kb-claims > div.kb-target")
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


# ----------------------------------------------------------------------------------------------------- lineage


def test_a_name_in_the_text_leads_to_its_card_and_that_back_to_the_sentence(site):
    page = site.open("cards/Iandola2016arxiv.html")
    page.click("a.kb-mention[href$='Krizhevsky2012NIPS.html'] >> nth=0")
    expect(page.locator(".kb-citekey")).to_have_text("Krizhevsky2012NIPS", timeout=PATIENCE)
    sentence = page.locator(".kb-mentions a[href$='Iandola2016arxiv.html#problem']")
    expect(sentence).to_contain_text("keeps the accuracy of AlexNet")
    sentence.click()
    page.wait_for_url("**/Iandola2016arxiv.html#problem")


@pytest.mark.parametrize(("width", "drawing"), [(1280, "wide"), (390, "narrow")])
def test_a_paper_in_the_drawing_leads_to_its_card(site, width, drawing):
    page = site.open("lineage.html", viewport={"width": width, "height": 844})
    paper = page.locator(f".kb-chart--{drawing} a", has=page.get_by_text("MobileNetV2", exact=True))
    assert paper.locator("text").bounding_box()["height"] >= 11, "too small to be read"
    paper.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".kb-citekey")).to_have_text("Sandler2018CVPR", timeout=PATIENCE)


# ------------------------------------------------------------------------------------------- what notes consist of


@pytest.fixture(scope="module")
def reading_site(serve, tmp_path_factory) -> Site:
    return serve(base_from(CASES / "reading", tmp_path_factory.mktemp("reading") / "base", "zh"))


def reading(reading_site: Site, width: int = 390, **context: object) -> Page:
    page = reading_site.open("cards/Author2020x.html", viewport={"width": width, "height": 844}, **context)
    settled(page)
    return page


def test_long_formulas_and_wide_tables_scroll_inside_by_keyboard_too(reading_site):
    page = reading(reading_site)
    for selector in ("div.arithmatex", "span.arithmatex.kb-wide", ".kb-table"):
        expect(page.locator(selector)).to_have_attribute("tabindex", "0", timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.focus(".kb-table")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.kb-table').scrollLeft > 0")


def test_images_keep_their_place_before_they_come(reading_site):
    """Else the text jumps while one reads."""
    page = reading_site.browser.new_page(viewport={"width": 390, "height": 844})
    page.route("**/*.png", lambda route: route.abort())
    page.goto(reading_site.url + "cards/Author2020x.html")
    image = page.locator("img[alt='全景图']")
    expect(image).to_have_attribute("loading", "lazy")
    assert [image.get_attribute(name) for name in ("width", "height")] == ["1600", "500"]
    halved = page.locator("img[alt='缩小的']")
    assert [halved.get_attribute(name) for name in ("width", "height")] == ["200", "62"]
    expect(page.locator(".kb-caption")).to_have_text("图 1：全景")
    page.close()


def test_an_image_is_enlarged_and_closed_with_the_keyboard(reading_site):
    page = reading(reading_site)
    page.wait_for_function("() => document.querySelector('script[src$=\"zoom.js\"]')")
    page.wait_for_load_state("networkidle")
    page.focus("a.kb-zoom")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="全景图")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 1600)
    expect(dialog.get_by_role("button", name="关闭")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.kb-zoomed').scrollWidth >= 1600")
    page.keyboard.press("Escape")
    expect(page.locator(".kb-zoomed")).not_to_be_visible()
    expect(page.locator("a.kb-zoom").first).to_be_focused()


def test_code_is_copied_with_the_keyboard(reading_site):
    page = reading(reading_site, permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("pre .md-code__button, pre .md-clipboard").nth(1)
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => navigator.clipboard.readText().then(text => text.startsWith('def a_long_function_name('))"
    )


def test_tasks_callouts_and_footnotes_can_be_told_and_used(reading_site):
    page = reading(reading_site)
    boxes = page.get_by_role("checkbox", name="未完成", include_hidden=True)
    expect(boxes).to_have_count(2)
    expect(page.get_by_role("checkbox", name="已完成", include_hidden=True)).to_be_checked()
    expect(page.locator("details.warning")).not_to_have_attribute("open", "")
    page.click("details.warning summary")
    expect(page.locator("details.warning li").first).to_be_visible()
    page.click("a.footnote-ref >> nth=0")
    expect(page.locator(".footnote li.kb-target")).to_contain_text("脚注一")
    back = page.locator(".footnote li.kb-target .footnote-backref")
    expect(back).to_have_css("opacity", "1")  # a phone has no hover
    back.click()
    page.wait_for_url("**#problem-fnref-1")


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
    page.goto(hostile_site.url + "search.html?q=hacked&tag=%3Cimg%20src%3Dx%20onerror%3Dhacked(1)%3E")
    page.click("[data-kb-clear]", timeout=PATIENCE)
    expect(page.locator(FOUND).first).to_contain_text('<script>hacked("name")</script>', timeout=PATIENCE)
    assert page.locator(".kb-finder script, .kb-finder img").count() == 0
    assert page.evaluate("window.hits") == []


# ------------------------------------------------------------------------------------------- languages and home


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_home_shows_its_proof_on_the_first_screen(site, scheme):
    page = site.open(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    expect(page.locator(".kb-score__count").first).to_be_visible()
    expect(page.locator(".kb-newest li")).to_have_count(5)
    for name in (".kb-scores", ".kb-newest"):
        box = page.locator(name).bounding_box()
        assert box["y"] + box["height"] <= 900, name
    first = page.locator(".kb-newest li a").first
    label = first.locator(".kb-newest__name").inner_text()
    first.click()
    expect(page.locator("h1")).to_contain_text(label, timeout=PATIENCE)
    expect(page.locator("h2").first).to_have_text(re.compile("各种计法"), timeout=PATIENCE)


def test_home_fits_a_phone(site):
    page = site.open(viewport={"width": 390, "height": 844})
    expect(page.locator(".kb-newest li")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = page.locator(".kb-scores__head").bounding_box()
    assert box["y"] + box["height"] <= 844


def test_a_card_is_read_in_the_other_language_at_the_same_section(site):
    page = site.open("cards/Sandler2018CVPR.html#method")
    formulas_are_set(page, "Sandler2018CVPR")
    page.locator(".kb-languages a").click()
    expect(page.locator(".kb-languages [aria-current]")).to_have_text("English", timeout=PATIENCE)
    expect(page.locator("h2#method")).to_have_text(re.compile("^Method"), timeout=PATIENCE)
    assert page.url.endswith("/en/cards/Sandler2018CVPR.html#method")
    assert page.locator("article [lang='en'] h1").count() == 1
    is_english_around(page)
    expect(page.locator(".md-sidebar--secondary nav[lang='en']")).to_contain_text("Reference models")
    # But for what cards that there are in Chinese alone say of it, and say so.
    page.eval_on_selector_all("article .kb-sentences[lang=zh]", "all => all.forEach(each => each.remove())")
    text = page.locator("article").inner_text().replace("中文", "")
    assert not re.findall(r"[\u3400-\u9fff]+", text), "a word on the English card is not English"
    page.locator(".kb-languages a").click()
    expect(page.locator("h2#method")).to_have_text(re.compile("^解决方法"), timeout=PATIENCE)
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator(f"{DIALOG} input")).to_have_attribute("placeholder", re.compile("标题"))
    is_english_around(site.open("en/cards/Sandler2018CVPR.html"))


def is_english_around(page: Page) -> None:
    """What stands around an English card is English, too: a reader who knows no Chinese finds the way."""
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".md-tabs__link").nth(1)).to_have_text("Cards")
    for around in (".md-tabs", ".md-nav--primary > ul", DIALOG):
        assert not re.findall(r"[\u3400-\u9fff]+", page.locator(around).text_content() or "")
    expect(page.locator(f"{DIALOG} input")).to_have_attribute("placeholder", re.compile("^Title"))
    type_query(page, "MobileNetV2")
    expect(page.locator(f"{DIALOG} [role=status]")).to_contain_text("result", timeout=PATIENCE)
    page.keyboard.press("Escape")  # closes it, though there is something to be emptied first
    expect(page.locator(DIALOG)).not_to_be_visible()


def test_search_engines_are_told_of_both_languages(site):
    for path in ("cards/Sandler2018CVPR.html", "en/cards/Sandler2018CVPR.html"):
        page = site.open(path)
        found = page.eval_on_selector_all(
            "head link[rel~=alternate][hreflang]", "all => all.map(each => [each.hreflang, each.href])"
        )
        main = f"{site.url}cards/Sandler2018CVPR.html"
        assert sorted(found) == [["en", f"{site.url}en/cards/Sandler2018CVPR.html"], ["x-default", main], ["zh", main]]


@pytest.mark.parametrize("query", ["MobileNetV2", "inverted residual", "倒残差"])
def test_a_paper_in_two_languages_is_found_once(site, query):
    page = site.open()
    type_query(page, query)
    expect(page.locator(RESULT).first).to_be_visible(timeout=PATIENCE)
    first_links = "all => all.map(each => new URL(each.href).pathname)"
    papers = [re.sub(r"^/en/", "/", path) for path in page.eval_on_selector_all(RESULT, first_links)]
    assert any("Sandler2018CVPR" in each for each in papers)
    assert len(set(papers)) == len(papers)


def test_the_dialog_counts_papers_as_the_search_page_does(site):
    """A paper in two languages, counted twice, would promise more than there is to read."""
    page = site.open("search.html?q=a")
    counted = page.locator(".kb-finder__status")
    expect(counted).to_have_text(re.compile(r"\d"), timeout=PATIENCE)
    words = counted.inner_text()
    assert int(re.findall(r"\d+", words)[0]) > 12, "all results are drawn at once: nothing would be shown by this"
    type_query(page, "a")
    expect(page.locator(f"{DIALOG} [role=status]")).to_have_text(words, timeout=PATIENCE)
