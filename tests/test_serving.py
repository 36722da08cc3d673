"""kb serve, as a process with a browser before it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import browser
import pytest
from browsing import POLICY, WATCH
from playwright.sync_api import Page, Route, expect, sync_playwright

NOTE = "notes/Simonyan2015ICLR.md"
PATIENCE = 60_000  # milliseconds, on a machine with much else to do


@dataclass
class Served:
    """A knowledge base with kb serve running on it."""

    root: Path
    url: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text
        (self.root / path).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def served(starter) -> Iterator[Served]:
    command = [sys.executable, "-m", "kb", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=starter, env=environment, **pipes) as process:
        url = re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert url, process.stderr.read()
        served = Served(starter, url[0], process)
        threading.Thread(target=lambda: served.said.extend(process.stderr), daemon=True).start()
        yield served
        process.terminate()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something that a process does in its own time; a site that is just being replaced has no file."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if holds():
                return
        time.sleep(0.1)
    raise AssertionError("it did not come about")


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser_process = playwright.chromium.launch(executable_path=browser.find(), args=["--no-sandbox"])
        yield browser_process
        browser_process.close()


@pytest.fixture
def page(chromium, served) -> Iterator[Page]:
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(f"{served.url}cards/Simonyan2015ICLR.html")
    yield page
    page.close()


def test_a_change_of_a_note_is_shown_and_the_published_site_untouched(served, page):
    expect(page.locator("body")).to_contain_text("Earlier work used large filters")
    served.edit(NOTE, "Earlier work used large filters", "Small filters had no friends")
    expect(page.locator("body")).to_contain_text("Small filters had no friends")
    assert not (served.root / "site").exists()


def test_a_changed_name_is_shown_wherever_the_card_is_named(served, page):
    served.edit(NOTE, "### VGG", "### Oxford's network")
    expect(page.locator("h1").first).to_contain_text("Oxford's network")
    page.goto(f"{served.url}cards/index.html")
    expect(page.locator("body")).to_contain_text("Oxford's network")


def test_all_of_it_works_under_the_tightest_policy(served, chromium):
    """The script that loads a page again is the site's own, too, and needs nothing that a policy forbids."""
    page = chromium.new_page()
    page.add_init_script(WATCH)
    page.route("**/*.html", under_the_policy)
    page.goto(f"{served.url}cards/Simonyan2015ICLR.html")
    served.edit(NOTE, "Earlier work used large filters", "Small filters had no friends")
    expect(page.locator("body")).to_contain_text("Small filters had no friends", timeout=PATIENCE)
    served.edit(NOTE, "> Architecture", "> Architectur")
    expect(page.get_by_role("alert")).to_contain_text("K203", timeout=PATIENCE)
    assert page.evaluate("window.held") == []
    page.close()


def under_the_policy(route: Route) -> None:
    response = route.fetch()
    route.fulfill(response=response, headers={**response.headers, "content-security-policy": POLICY})


def test_the_author_sees_what_is_not_for_the_public_marked_as_such(served, page):
    text = (served.root / NOTE).read_text(encoding="utf-8")
    (served.root / NOTE).write_text(f"{text}\n#### My thoughts\n\nDeeper is not always better.\n", encoding="utf-8")
    expect(page.locator("body")).to_contain_text("Deeper is not always better.")
    expect(page.locator(".kb-private")).to_contain_text("not on the public site")
    assert not (served.root / "site").exists()


def test_a_remark_on_a_card_is_shown_on_its_page_alone(served, page):
    remarks = page.locator("#kb-serve-remarks")
    served.edit(NOTE, "Earlier work used large filters", r"Earlier work used $\alpha filters")
    expect(remarks).to_contain_text("K301")
    page.goto(served.url)
    expect(page.locator("h1").first).to_be_visible()
    expect(remarks).to_have_count(0)


def test_a_mistake_is_shown_on_the_page_and_in_the_terminal_and_goes_when_mended(served, page):
    served.edit(NOTE, "> Architecture", "> Architectur")
    expect(page.get_by_role("alert")).to_contain_text(f"{NOTE}:3:3: K203")
    expect(page.locator("h1").first).to_be_visible()
    assert any("K203" in line for line in served.said)
    served.edit(NOTE, "> Architectur", "> Architecture")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert served.process.poll() is None


def test_a_change_of_a_model_is_measured_and_shown(served, page):
    expect(page.locator("body")).to_contain_text("138,357,544")
    served.edit("reference_models/vgg.py", "classes: int = 1000", "classes: int = 1001")
    expect(page.locator("body")).to_contain_text("138,361,641")


def test_a_model_that_cannot_be_read_is_a_message(served, page):
    served.edit("reference_models/vgg.py", "def vgg(", "def vgg((")
    expect(page.get_by_role("alert")).to_contain_text("K406")
    served.edit("reference_models/vgg.py", "def vgg((", "def vgg(")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_change_of_a_template_is_shown_and_a_mistake_in_it_is_a_message(served, page):
    override = served.root / "templates" / "theme" / "main.html"
    override.parent.mkdir(parents=True, exist_ok=True)
    page_template = '{% extends "base.html" %}{% block announce %}An announcement{% endblock %}'
    override.write_text(page_template, encoding="utf-8")
    expect(page.locator("body")).to_contain_text("An announcement")
    override.write_text(page_template.replace("An announcement", "{{ oops"), encoding="utf-8")
    expect(page.get_by_role("alert")).to_contain_text("templates/theme/main.html:1")
    override.unlink()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text("An announcement")


def test_a_change_of_the_settings_is_shown(served, page):
    served.edit("mkdocs.yml", "site_name: ", "site_name: Renamed ")
    expect(page).to_have_title(re.compile("Renamed"))


def test_a_bibliography_of_the_settings_is_followed_like_the_notes(served, page):
    """Whoever writes papers down in Zotero's own file would look at old remarks until the next edit of a note."""
    remarks = page.locator("#kb-serve-remarks")
    (served.root / "zotero.bib").write_text("@book{Other2020, title={Another}}\n", encoding="utf-8")
    served.edit("mkdocs.yml", "    packages: []", "    packages: []\n    bibliography: zotero.bib")
    expect(remarks).to_contain_text("K212")
    entry = "@inproceedings{Simonyan2015ICLR, title={Very Deep Convolutional Networks}}\n"
    (served.root / "zotero.bib").write_text(entry, encoding="utf-8")
    expect(remarks).to_have_count(0)


def test_a_new_card_gets_a_page(served, page, kb):
    assert kb("new", "MobileNetV4", "Qin2024ECCV", cwd=served.root).returncode == 0
    page.goto(f"{served.url}cards/index.html")
    expect(page.locator("body")).to_contain_text("MobileNetV4")


def test_serving_starts_with_a_mistake_and_shows_it(starter, chromium):
    (starter / NOTE).write_text("# nothing\n", encoding="utf-8")
    command = [sys.executable, "-m", "kb", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=starter, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        url = process.stdout.readline().split()[0]
        page = chromium.new_page()
        page.goto(url)
        expect(page.get_by_role("alert")).to_contain_text("K209", timeout=PATIENCE)
        page.close()
        process.terminate()


def test_the_server_gives_the_files_of_the_site_and_no_others(served):
    def get(path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(served.url + path) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    copy = served.root / "build" / "serve"
    sitemap = (copy / "sitemap.xml").read_bytes()
    assert get("sitemap.xml") == (200, sitemap)
    for path in ("assets/", "../../mkdocs.yml", "%2e%2e/%2e%2e/mkdocs.yml", "nowhere.html", "..%2f..%2fmkdocs.yml"):
        status, body = get(path)
        assert status == 404, path
        assert b"site_name:" not in body
    status, body = get("")
    assert status == 200
    assert (
        hashlib.sha256(body.replace(script_of(body), b"")).digest()
        == hashlib.sha256((copy / "index.html").read_bytes()).digest()
    )


def script_of(body: bytes) -> bytes:
    return re.search(rb'<script src="/\.kb/serving\.js"[^>]*></script>', body)[0]
