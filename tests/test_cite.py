"""What the site tells programs: reference managers, search engines, feed readers, language models, data users."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
from conftest import run_kb
from test_pages import base_from, staged

import kb
from kb.exports import TABLES, described

CITE = Path(__file__).parent / "cases" / "cite"
ADDRESS = "https://example.org/notes/"
ATOM = "{http://www.w3.org/2005/Atom}"


class Head(HTMLParser):
    """The metadata of a page: `meta` by name in order, `link` by rel, and the data blocks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.meta: list[tuple[str, str]] = []
        self.links: list[dict[str, str]] = []
        self.data: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False
        self._in_data = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        if tag == "script":
            self._in_data = found.get("type") == "application/ld+json"
            self._in_script = not self._in_data
        if tag == "meta":
            self.meta.append((found.get("name") or found.get("property", ""), found.get("content", "")))
        elif tag == "link":
            self.links.append(found)

    def handle_data(self, data):
        if self._in_data or self._in_script:
            (self.data if self._in_data else self.scripts).append(data)

    def handle_endtag(self, tag):
        if tag == "script":
            self._in_data = self._in_script = False

    def all(self, name: str) -> list[str]:
        return [content for each, content in self.meta if each == name]

    def link(self, rel: str, kind: str = "") -> list[str]:
        return [
            each["href"] for each in self.links if rel in each.get("rel", "").split() and each.get("type", "") == kind
        ]


def build(folder: Path, address: str) -> Path:
    done = run_kb("build", cwd=folder, env={"SITE_URL": address})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return base_from(CITE, tmp_path_factory.mktemp("cite") / "base")


@pytest.fixture(scope="module")
def site(folder) -> Path:
    return build(folder, ADDRESS)


@pytest.fixture(scope="module")
def placeless(tmp_path_factory) -> Path:
    """The same site, built where nobody knows its address."""
    return build(base_from(CITE, tmp_path_factory.mktemp("placeless") / "base"), "")


def head(site: Path, page: str) -> Head:
    return Head((site / page).read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------- citing a page


def test_zotero_sees_a_conference_paper(site):
    found = head(site, "cards/Sandler2018CVPR.html")
    tags = [(name, content) for name, content in found.meta if name.startswith(("citation_", "DC.", "prism."))]
    assert tags == [
        ("citation_title", 'Nets & "Others" <here>'),
        ("citation_author", "Sandler, M."),
        ("citation_author", "van der Maaten, L."),
        ("citation_author", "Smith, John Jr."),
        ("citation_publication_date", "2018"),
        ("citation_conference_title", "CVPR"),
        ("prism.publicationName", "CVPR"),
        ("citation_doi", "10.1109/CVPR.2018.00474"),
        ("citation_arxiv_id", "1801.04381"),
        ("citation_pdf_url", "https://arxiv.org/pdf/1801.04381"),
        ("citation_public_url", "https://doi.org/10.1109/CVPR.2018.00474"),
        ("citation_language", "en"),
    ]


@pytest.mark.parametrize(
    ("page", "kind", "absent"),
    [
        ("Howard2017arxiv", ("DC.type", "preprint"), "citation_conference_title citation_journal_title"),
        ("Zhou2017JSJXB", ("citation_journal_title", "计算机学报"), "citation_conference_title DC.type"),
    ],
)
def test_each_page_has_one_type_of_item(site, page, kind, absent):
    found = head(site, f"cards/{page}.html")
    assert kind in found.meta
    assert not any(found.all(name) for name in absent.split())


def test_only_cards_are_papers(site):
    for page in ("index.html", "cards/index.html", "data/index.html"):
        found = head(site, page)
        assert not [name for name, _ in found.meta if name.startswith("citation_")]
        assert found.all("og:type") == ["website"]
        assert found.data == []


def test_a_shared_link_has_title_words_and_picture(site):
    found = head(site, "cards/Sandler2018CVPR.html")
    assert found.all("og:title") == ["Net & Co"]
    assert found.all("og:type") == ["article"]
    assert found.all("og:url") == [f"{ADDRESS}cards/Sandler2018CVPR.html"]
    assert found.all("og:image") == [f"{ADDRESS}cards/fig.png"]
    assert (site / "cards/fig.png").is_file()
    assert found.all("og:locale") == ["en_US"]
    assert found.all("description") == found.all("og:description")
    assert found.link("canonical") == found.all("og:url")


def test_a_search_engine_reads_a_note_about_a_paper(site):
    (data,) = map(json.loads, head(site, "cards/Sandler2018CVPR.html").data)
    assert data["@context"] == "https://schema.org"
    assert data["url"] == f"{ADDRESS}cards/Sandler2018CVPR.html"
    assert (data["datePublished"], data["dateModified"]) == ("2024-02-03", "2024-05-06")
    paper = data["about"]
    assert (paper["@type"], paper["headline"]) == ("ScholarlyArticle", 'Nets & "Others" <here>')
    assert [each["name"] for each in paper["author"]] == ["M. Sandler", "L. van der Maaten", "John Smith Jr."]
    assert "https://arxiv.org/abs/1801.04381" in paper["sameAs"]


def test_where_the_address_is_unknown_nothing_pretends_to_know_it(placeless):
    found = head(placeless, "cards/Sandler2018CVPR.html")
    assert [*found.all("og:url"), *found.all("og:image"), *found.link("canonical")] == []
    assert "url" not in json.loads(found.data[0])
    assert found.all("citation_title")
    assert not (placeless / "robots.txt").exists()
    assert list(ElementTree.parse(placeless / "sitemap.xml").getroot()) == []
    assert ADDRESS not in (placeless / "feed.xml").read_text("utf-8") + (placeless / "llms.txt").read_text("utf-8")


def test_what_a_note_says_stays_data(site, folder):
    found = head(site, "cards/Evil2020CVPR.html")
    (card,) = [card for card in kb.load(folder).cards if card.citekey == "Evil2020CVPR"]
    assert card.citation.title.startswith("</title></script><script>")
    assert found.all("og:title") == [card.name]
    assert found.all("citation_title") == [card.citation.title]
    assert found.all("citation_doi") == []
    (data,) = map(json.loads, found.data)
    assert (data["headline"], data["about"]["headline"]) == (card.name, card.citation.title)
    assert data["keywords"] == list(card.tags)
    assert "hacked" not in "".join(found.scripts)


# --------------------------------------------------------------------------------------- feeds and other readers


def test_atom_as_its_rfc_wants_it(site):
    text = (site / "feed.xml").read_text(encoding="utf-8")
    feed = ElementTree.fromstring(text)
    assert feed.tag == f"{ATOM}feed"
    ids = [each.text for each in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids) == 3
    for each in (feed, *feed.iter(f"{ATOM}entry")):
        assert [len(each.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", each.findtext(f"{ATOM}id"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each.findtext(f"{ATOM}updated"))
        assert len([link for link in each.findall(f"{ATOM}link") if link.get("rel") == "alternate"]) == 1
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == feed.findtext(f"{ATOM}title")
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == f"{ADDRESS}feed.xml"
    assert feed.findtext(f"{ATOM}updated") == "2024-05-06T00:00:00Z"


def test_feeds_hold_published_cards_with_a_date_the_newest_change_first(site, placeless):
    feed = json.loads((site / "feed.json").read_text(encoding="utf-8"))
    assert [each["url"] for each in feed["items"]] == [
        f"{ADDRESS}cards/Sandler2018CVPR.html",
        f"{ADDRESS}cards/Howard2017arxiv.html",
    ]
    first = feed["items"][0]
    assert (first["date_published"], first["date_modified"]) == ("2024-02-03T00:00:00Z", "2024-05-06T00:00:00Z")
    entries = ElementTree.parse(site / "feed.xml").getroot().findall(f"{ATOM}entry")
    assert [each.findtext(f"{ATOM}id") for each in entries] == [each["id"] for each in feed["items"]]
    moved = json.loads((placeless / "feed.json").read_text(encoding="utf-8"))
    assert [each["id"] for each in moved["items"]] == [each["id"] for each in feed["items"]], "a move is no news"
    assert all((placeless / each["url"]).is_file() for each in moved["items"])


def test_every_page_leads_to_the_feeds(site):
    for page in ("index.html", "cards/Howard2017arxiv.html"):
        found = head(site, page)
        for kind, name in (("application/atom+xml", "feed.xml"), ("application/feed+json", "feed.json")):
            assert [urljoin(f"{ADDRESS}{page}", each) for each in found.link("alternate", kind)] == [ADDRESS + name]


def test_sitemap_and_robots_name_each_other(site):
    pages = [each.text for each in ElementTree.parse(site / "sitemap.xml").getroot().iter() if each.tag.endswith("loc")]
    assert f"{ADDRESS}cards/Sandler2018CVPR.html" in pages
    assert f"Sitemap: {ADDRESS}sitemap.xml\n" in (site / "robots.txt").read_text(encoding="utf-8")


def test_llms_txt_lists_the_markdown_of_every_card(site):
    lines = (site / "llms.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert lines[2].startswith("> ")
    listed = [found[1] for line in lines if (found := re.match(r"- \[[^\]]+\]\((\S+)\): \S", line))]
    cards = [each for each in listed if each.endswith(".md.txt")]
    assert sorted(cards) == [
        f"{ADDRESS}cards/{key}.md.txt"
        for key in ("Evil2020CVPR", "Howard2017arxiv", "Sandler2018CVPR", "Zhou2017JSJXB")
    ]
    assert all((site / each.removeprefix(ADDRESS)).is_file() for each in cards)


def test_the_markdown_of_a_card_leads_to_its_neighbours(site):
    page = head(site, "cards/Sandler2018CVPR.html")
    assert page.link("alternate", "text/markdown") == ["Sandler2018CVPR.md.txt"]
    text = (site / "cards/Sandler2018CVPR.md.txt").read_text(encoding="utf-8")
    assert text.startswith("# Net & Co\n\n> Sandler M.,")
    assert "on [MobileNets](Howard2017arxiv.html) and on [the survey](Zhou2017JSJXB.html)" in text
    assert "see [its method](Zhou2017JSJXB.html#method); `[[Howard2017arxiv]]` is code." in text
    assert "![A figure](fig.png)" in text
    assert "[^n]: See [the first](Howard2017arxiv.html)." in text
    assert "kb: ignore" not in text


def test_markdown_shows_measured_beside_printed_and_what_came_of_claims(root):
    files = staged(root)
    text = str(files["pages/cards/Sandler2018CVPR.md.txt"])
    assert re.search(r"\| MobileNetV2 \(1\.4\) \|.* 6\.9 M\S* \(≠ 6\.11 M → 6\.06 M, −12\.2 %\) \|", text)
    first = str(files["pages/cards/Howard2017arxiv.md.txt"])
    assert "| Conv 1×1 | 乘加 | 94.86 % | `share(mobilenet_v1().macs, conv1x1) ~ 94.86%` (成立：94.857 %) |" in first
    for path, twin in files.items():
        if path.endswith(".md.txt"):
            assert "kb? " not in str(twin), path
            assert not re.search(r"(?<!`)\[\[", str(twin)), path


# ---------------------------------------------------------------------------------------------------------- data


def test_the_site_carries_what_kb_export_writes(site, folder):
    for form, name in (
        ("bibtex", "cards.bib"),
        ("csl-json", "cards.csl.json"),
        ("csv", "results.csv"),
        ("json", "cards.json"),
    ):
        done = run_kb("export", form, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout == (site / "data/v1" / name).read_text(encoding="utf-8"), name


def test_nothing_unpublished_is_in_the_data(site):
    for path in [*(site / "data").rglob("*"), *site.glob("*.txt"), *site.glob("feed.*")]:
        if path.is_file():
            assert b"Secret2020CVPR" not in path.read_bytes(), path.name


def test_the_page_of_data_leads_to_every_file(site):
    html = (site / "data/index.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="v1/([^"]+)"', html))
    assert linked == {path.name for path in (site / "data/v1").iterdir()}
    for table in TABLES:
        with (site / f"data/v1/{table}.csv").open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == list(described(table))


def test_columns_are_described_in_both_languages():
    for table in TABLES:
        chinese = described(table, "zh")
        assert list(chinese) == list(described(table))
        assert all(re.search(r"[\u3400-\u9fff]|DOI", words) for words in chinese.values()), table
