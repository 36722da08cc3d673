"""The compare page as readers use it, in Chromium: what they sort, filter and choose, and that its address keeps it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import PATIENCE, Site, building, watched
from conftest import copy_repository
from playwright.sync_api import Page, expect
from test_comparing import timm_base

import kb
from kb.lock import read_lock
from kb.records import NUMBERS

ROWS = "[data-kb=table] tbody tr[data-call]"
READY = "#kb-compare[data-ready]"
CHOSEN = "[data-kb=chosen] thead th code"
POINT = ".kb-point"
LOCK, _ = read_lock(Path(kb.__file__).resolve().parent.parent)


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
    """The project's own site; a console error or a request to another host fails the test."""
    with watched(whole_site):
        yield whole_site


def opened(site: Site, query: str = "", **context: object) -> Page:
    page = site.open(f"models.html{query}", **context)
    page.wait_for_selector(READY, timeout=PATIENCE)
    return page


def calls(page: Page) -> list[str]:
    """The calls in the table, as they stand."""
    return page.locator(ROWS).evaluate_all("rows => rows.map(row => row.dataset.call)")


def column(page: Page, number: int) -> list[int]:
    """A column's exact figures."""
    titles = page.locator(f"{ROWS} td:nth-child({number})").evaluate_all("cells => cells.map(cell => cell.title)")
    return [int(re.sub(r"\D", "", title)) for title in titles]


def view(page: Page) -> list[object]:
    """All that a view shows: the rows, the plot, what is chosen, and what stands in the fields."""
    return [
        calls(page),
        page.locator("[data-kb=canvas]").inner_html(),
        page.locator("[data-kb=chosen]").inner_text(),
        page.locator("[data-kb=count]").inner_text(),
        page.evaluate(
            "[...document.querySelectorAll('#kb-compare form')].map(f => [...new FormData(f)].flat().join())"
        ),
    ]


def panels_of(citekey: str) -> set[str]:
    base = kb.load(Path(kb.__file__).resolve().parent.parent)
    card = base.card(citekey)
    named = [*(model.call for model in card.models), *(row.call for row in card.results)]
    return {call for call in map(base.normal_call, filter(None, named)) if base.lock.get(call)}


# ---------------------------------------------------------------------------------------------------- the table


def test_the_table_is_sorted_by_mouse_and_keyboard(site):
    page = opened(site)
    head = page.locator("[data-kb=table] th[data-kb-sort=params]")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    ascending = column(page, 4)
    assert ascending == sorted(ascending)
    head.locator("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert column(page, 4) == sorted(column(page, 4), reverse=True)
    assert column(page, 4)[0] == max(measured.params for measured in LOCK.entries.values())


def test_calls_without_an_accuracy_stand_last_either_way(site):
    page = opened(site, "?sort=reported")
    assert calls(page)[0] == "mobilenet_v1(width=0.25)"  # 50.6 %, Table 6
    assert page.locator(ROWS).last.locator(".kb-reported").count() == 0
    page.click("[data-kb-sort=reported] button")
    expect(page.locator("[data-kb-sort=reported]")).to_have_attribute("aria-sort", "descending")
    assert set(calls(page)[:2]) == {"mnasnet_a1()", "mobilenet_v3_large()"}  # 75.2 %


def test_the_table_fits_a_desktop(site):
    page = opened(site, viewport={"width": 1280, "height": 900})
    widths = page.locator(".kb-scroll:has(> .kb-calls)").evaluate("each => [each.scrollWidth, each.clientWidth]")
    assert widths[0] <= widths[1]


def test_a_link_to_a_model_opens_its_panel(site):
    page = opened(site)
    page.click("[data-kb=table] a[href*='model-mobilenet_v2-width-1-4']")
    page.wait_for_url("**#model-mobilenet_v2-width-1-4")
    expect(page.locator("#model-mobilenet_v2-width-1-4 .kb-facts").first).to_be_visible(timeout=PATIENCE)


def test_a_reported_accuracy_leads_to_its_cell(site):
    page = opened(site, "?family=mobilenet_v1")
    reported = page.locator("tr[data-call='mobilenet_v1()'] .kb-reported", has_text="ImageNet")
    expect(reported).to_contain_text("MobileNetV1, MobileNetV2")
    reported.locator("a").click()
    page.wait_for_url("**/Howard2017arxiv.html#figure-*")
    cell = page.locator("td:has(> .kb-anchor.kb-target)")
    expect(cell).to_have_text("70.6", timeout=PATIENCE)
    assert cell.evaluate("cell => getComputedStyle(cell).outlineStyle") == "solid"


# ------------------------------------------------------------------------------------------------------ filters


def test_filters_leave_the_calls_that_fit_them_all(site):
    page = opened(site)
    page.check("input[name=family][value=mobilenet_v2]")
    page.check("input[name=family][value=mobilenet_v3]")
    page.fill("input[name=macs_from]", "100M")
    page.fill("input[name=macs_to]", "0.3G")
    expect(page.locator("[data-kb=count]")).to_contain_text("7")
    found = calls(page)
    assert found
    wanted = [
        call
        for call, measured in LOCK.entries.items()
        if re.match(r"mobilenet_v[23]|inverted_residual", call) and 10**8 <= measured.macs <= 3 * 10**8
    ]
    assert sorted(found) == sorted(wanted)
    page.fill("input[name=words]", "large 0.75")
    expect(page.locator(ROWS)).to_have_count(1)
    assert calls(page) == ["mobilenet_v3_large(width=0.75)"]
    assert page.locator(POINT).count() == 1
    page.click(".kb-filters [type=reset]")
    expect(page.locator("input[name=words]")).to_have_value("")
    assert page.url == f"{site.url}models.html"


def test_years_and_kinds_filter_and_nothing_found_is_said(site):
    page = opened(site)
    page.fill("input[name=to]", "2012")
    expect(page.locator(f"{ROWS}[data-call='vgg(configuration=\"A\")']")).to_have_count(0)
    assert {call.partition("(")[0] for call in calls(page)} == {"alexnet"}
    page.check("input[name=kind]")
    assert {call.partition("(")[0] for call in calls(page)} == {"alexnet"}
    page.fill("input[name=words]", "nothing like it")
    expect(page.locator("[data-kb=table] tbody")).to_contain_text("没有符合条件的模型")


# ------------------------------------------------------------------------------------------------- side by side


def test_chosen_calls_stand_side_by_side_with_the_first(site):
    page = opened(site, "?words=mobilenet_v")
    for call in ("mobilenet_v2()", "mobilenet_v1()"):
        page.check(f"tr[data-call='{call}'] input")
    expect(page.locator(CHOSEN)).to_have_text(["mobilenet_v2()", "mobilenet_v1()"])
    first, second = (LOCK.entries[call] for call in ("mobilenet_v2()", "mobilenet_v1()"))
    side = page.locator("[data-kb=chosen] tbody tr")
    params = side.filter(has_text="参数量").first.locator("td")
    expect(params.nth(0)).to_have_attribute("title", f"{first.params:,}")
    expect(params.nth(1)).to_have_attribute("title", f"{second.params:,}")
    expect(params.nth(1)).to_contain_text(f"×{second.params / first.params:.2f}")
    expect(side.filter(has_text="top-1，ImageNet").locator("td").nth(1)).to_contain_text("70.6 % (−1.4 个百分点)")
    share = 100 * first.by_kind["conv1x1"].macs / first.macs
    expect(side.filter(has_text="1×1").last.locator("td").nth(0)).to_contain_text(f"{share:.1f} %")
    page.click("[data-kb=chosen] button:has-text('以此为基准')")
    expect(page.locator(CHOSEN)).to_have_text(["mobilenet_v1()", "mobilenet_v2()"])
    page.click("[data-kb=chosen] button[aria-label='移除 mobilenet_v1()']")
    expect(page.locator(CHOSEN)).to_have_text(["mobilenet_v2()"])
    page.click("[data-kb=chosen] .kb-chosen__head button")
    expect(page.locator("[data-kb=chosen]")).to_be_hidden()


def test_a_panel_leads_to_its_cards_calls_side_by_side(site):
    page = site.open("cards/Sandler2018CVPR.html#model-mobilenet_v2-width-1-4")
    page.click("#model-mobilenet_v2-width-1-4 a[href*='models.html']")
    page.wait_for_selector(READY, timeout=PATIENCE)
    chosen = page.locator(CHOSEN).all_inner_texts()
    assert chosen[0] == "mobilenet_v2(width=1.4)"
    assert panels_of("Sandler2018CVPR") <= set(chosen)


def test_a_call_that_is_gone_is_named(site):
    page = opened(site, "?call=mobilenet_v9()&call=mobilenet_v2()")
    expect(page.locator("[data-kb=trouble]")).to_contain_text("mobilenet_v9()")
    expect(page.locator(CHOSEN)).to_have_text(["mobilenet_v2()"])


# ------------------------------------------------------------------------------------------------- the address


def test_the_address_restores_the_very_view(site):
    page = opened(site)
    page.check("input[name=family][value=mobilenet_v1]")
    page.check("input[name=family][value=mobilenet_v2]")
    page.fill("input[name=params_to]", "3.5M")
    page.click("[data-kb-sort=macs] button")
    page.check("tr[data-call='mobilenet_v1(width=0.5)'] input")
    page.check("tr[data-call='mobilenet_v2(width=0.5)'] input")
    page.select_option("[data-kb=axes] [name=x]", "params")
    page.uncheck("[data-kb=axes] [name=log]")
    expect(page.locator(CHOSEN)).to_have_count(2)
    again = opened(site, page.url.partition("models.html")[2])
    assert view(again) == view(page)
    assert again.url == page.url


def test_back_and_forward_go_through_the_views(site):
    page = opened(site)
    seen = [view(page)]
    page.click("[data-kb-sort=macs] button")
    seen.append(view(page))
    page.check("input[name=family][value=vgg]")
    seen.append(view(page))
    page.select_option("[data-kb=axes] [name=y]", "params")
    expect(page.locator(POINT)).to_have_count(5)
    seen.append(view(page))
    page.click(f"{ROWS} th a")
    expect(page.locator(".kb-citekey")).to_have_text("Simonyan2015ICLR", timeout=PATIENCE)
    page.go_back()
    page.wait_for_selector(READY, timeout=PATIENCE)
    expect(page.locator(POINT)).to_have_count(5)
    assert view(page) == seen[3]
    for step in (2, 1, 0):
        page.go_back()
        expect(page.locator("[data-kb=count]")).to_have_text(str(seen[step][3]))
        assert view(page) == seen[step]
    page.go_forward()
    expect(page.locator("[data-kb-sort=macs]")).to_have_attribute("aria-sort", "ascending")
    assert view(page) == seen[1]


def test_typing_is_one_step_back(site):
    page = opened(site)
    page.locator("input[name=words]").press_sequentially("vgg")
    expect(page.locator(ROWS)).to_have_count(5)
    page.go_back()
    expect(page.locator("input[name=words]")).to_have_value("")
    assert page.url == f"{site.url}models.html"


# ----------------------------------------------------------------------------------------------------- the plot


def test_points_lead_to_their_panels(site):
    page = opened(site)
    points = page.locator(POINT).evaluate_all("all => all.map(each => [each.dataset.call, each.getAttribute('href')])")
    assert len(points) > 30
    for call, href in points:
        path, _, anchor = href.partition("#")
        card = (site.folder / path).read_text(encoding="utf-8")
        panel = card.partition(f'id="{anchor}"')[2].partition("</summary>")[0]
        assert call.replace('"', "&#34;") in panel, href
    page.locator(f"{POINT}[data-call='mnasnet_a1()']").click()
    expect(page.locator("#model-mnasnet_a1 .kb-facts").first).to_be_visible(timeout=PATIENCE)


def test_points_are_reached_and_followed_by_keyboard(site):
    page = opened(site, "?family=mobilenet_v3")
    page.locator("[data-kb=axes] [name=log]").focus()
    page.keyboard.press("Tab")
    focused = "document.activeElement.dataset.call"
    cheapest = page.evaluate(focused)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    assert [cheapest, page.evaluate(focused)] == ["mobilenet_v3_small(width=0.75)", "mobilenet_v3_large()"]
    expect(page.locator("[data-kb=note]")).to_contain_text("top-1 75.2 %, ImageNet, MobileNetV3: V3-Large 1.0")
    page.keyboard.press("Enter")
    page.wait_for_url("**/Howard2019arxiv.html#model-mobilenet_v3_large")


def test_the_plot_in_words_follows_its_axes(site):
    page = opened(site, "?family=vgg&y=params")
    page.click("[data-kb=points] summary")
    cells = page.locator("[data-kb=points] tbody tr td:nth-child(3)")
    expect(cells).to_have_count(5)
    params = sorted(measured.params for call, measured in LOCK.entries.items() if call.startswith("vgg("))
    assert sorted(int(text.replace(",", "")) for text in cells.all_inner_texts()) == params


# --------------------------------------------------------------------------------------------------- downloads


def test_downloads_hold_the_measurements(site):
    page = opened(site)
    with page.expect_download() as download:
        page.click(".kb-downloads a[href$='.json']")
    data = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert data["format"] == 1
    for each in data["calls"]:
        assert [each[name] for name in NUMBERS] == [getattr(LOCK.entries[each["call"]], name) for name in NUMBERS]
    with page.expect_download() as download:
        page.click(".kb-downloads a[href$='models.v1.csv']")
    assert [line["call"] for line in read_csv(Path(download.value.path()))] == [each["call"] for each in data["calls"]]


def test_the_view_is_downloaded_as_it_is_shown(site):
    page = opened(site, "?family=resnet&sort=-macs")
    with page.expect_download() as download:
        page.click("[data-kb=view] [name=csv]")
    published = read_csv(site.folder / "data/models.v1.csv")
    saved = read_csv(Path(download.value.path()))
    assert [line["call"] for line in saved] == calls(page) == sorted(calls(page), key=macs, reverse=True)
    assert saved == [line for call in calls(page) for line in published if line["call"] == call]
    page.check("tr[data-call='resnet(layers=152)'] input")
    with page.expect_download() as download:
        page.click("[data-kb=view] [name=json]")
    (only,) = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))["calls"]
    data = json.loads((site.folder / "data/models.v1.json").read_text(encoding="utf-8"))
    assert only == next(each for each in data["calls"] if each["call"] == "resnet(layers=152)")


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


def macs(call: str) -> int:
    return LOCK.entries[call].macs


# --------------------------------------------------------------------------------- small, scriptless, very large


def test_without_a_script_there_is_all_but_the_controls(site):
    page = site.open("models.html", java_script_enabled=False)
    rows = page.locator("[data-kb=table] tbody tr")
    assert rows.count() == len(json.loads((site.folder / "data/models.v1.json").read_text("utf-8"))["calls"])
    expect(rows.filter(has_text="mobilenet_v2(width=1.4)")).to_contain_text("75.0")
    assert page.locator(POINT).count() > 30
    for hidden in ("[data-kb=filters]", "[data-kb=axes]", "[data-kb=view]", "[data-kb=bar]"):
        expect(page.locator(hidden)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(site, scheme):
    page = opened(site, "?card=Howard2019arxiv", viewport={"width": 390, "height": 844}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click(".kb-filters summary")
    page.check("input[name=family][value=vgg]")
    expect(page.locator(ROWS)).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_nothing_of_the_page_is_inline_script(site):
    page = opened(site, "?call=mobilenet_v2()")
    inline = "[...document.querySelectorAll('article *')].filter(e => e.matches('script:not([src])')"
    inline += " || e.getAttributeNames().some(name => name.startsWith('on'))).length"
    assert page.evaluate(inline) == 0


@pytest.fixture(scope="module")
def large_site(serve, tmp_path_factory) -> Site:
    return serve(timm_base(tmp_path_factory.mktemp("large")))


def test_many_calls_are_fetched_and_drawn_in_parts(large_site):
    page = opened(large_site)
    everything = json.loads((large_site.folder / "data/models.v1.json").read_text("utf-8"))["calls"]
    expect(page.locator("[data-kb=count]")).to_have_text(f"{len(everything)} of {len(everything)} calls")
    expect(page.locator(ROWS)).to_have_count(100)
    page.click("[data-kb=more] button")
    expect(page.locator(ROWS)).to_have_count(300)
    page.fill("input[name=words]", "efficientnet_b0")
    wanted = sorted(each["call"] for each in everything if "efficientnet_b0" in each["call"])
    expect(page.locator(ROWS)).to_have_count(len(wanted))
    assert sorted(calls(page)) == wanted
    assert not large_site.troubles
