"""The staged pages and the site that MkDocs makes of them: what stands where, and that nothing a note says runs."""

from __future__ import annotations

import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from conftest import copy_repository

import kb
from kb.anchors import slug
from kb.cli import parser
from kb.pages import formats, pages
from kb.pages.addresses import link, unique_slugs
from kb.texts import LANGUAGES, Texts

CASES = Path(__file__).parent / "cases" / "pages"
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Reader(HTMLParser):
    """Every tag of a page with its attributes, and the texts by the tag that they stand in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def staged(folder: Path) -> dict[str, str | bytes]:
    return pages(kb.load(folder))


@pytest.fixture(scope="module")
def files(root):
    """What the project itself gives."""
    return staged(root)


def base_from(case: Path, tmp_path: Path, language: str = "en") -> Path:
    """A knowledge base of the notes of a case, under the project's own settings."""
    copy_repository(tmp_path)
    for kept in ("notes", "reference_models"):
        for path in (tmp_path / kept).rglob("*"):
            if path.is_file():
                path.unlink()
    for path in case.rglob("*"):
        if path.is_file() and path.name not in ("mkdocs.yml", "expect.yml"):
            target = tmp_path / path.relative_to(case)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    settings = (tmp_path / "mkdocs.yml").read_text(encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text(settings.replace("language: zh", f"language: {language}"), encoding="utf-8")
    return tmp_path


# ------------------------------------------------------------------------------------------- texts and formats


def test_every_language_has_every_text_and_the_same_blanks_to_fill():
    first, *others = ({key: blanks(key, language) for key in sorted(Texts(language).keys())} for language in LANGUAGES)
    for other in others:
        assert other == first


def blanks(key: str, language: str) -> set[str]:
    text = Texts(language)._texts[key]
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_text_that_a_template_or_module_names_exists():
    sources = [
        *Path(kb.__file__).parent.glob("pages/*.py"),
        *(Path(kb.__file__).parent.parent / "templates/pages").glob("*.j2"),
    ]
    named = {
        key
        for path in sources
        for key in re.findall(r"""\b(?:t|texts)\(["']([\w.]+)["'][,)]""", path.read_text("utf-8"))
    }
    assert len(named) > 50
    assert not named - Texts("en").keys()


# What is written alike in both languages: names, units, formats of data.
ALIKE = {"arXiv", "DOI", "BibTeX", "FLOPs", "MACs", "top-1", "top-5", "mAP", "mIoU", "English"}


def test_chinese_texts_are_chinese():
    for key, text in Texts("zh")._texts.items():
        words = re.sub(r"\{\w+\}", "", text)
        if re.search(r"[A-Za-z]{2}", words) and not re.search(r"[\u3400-\u9fff]", words):
            assert set(re.findall(r"[A-Za-z]{2}[\w-]*", words)) <= ALIKE, f"{key}: {text}"


def test_english_texts_are_english():
    chinese = {key for key, text in Texts("en")._texts.items() if re.search(r"[\u3400-\u9fff]", text)}
    assert not chinese


@pytest.mark.parametrize("path", sorted((Path(kb.__file__).parent.parent / "templates/pages").glob("*.j2")), ids=str)
def test_page_templates_have_no_words_of_their_own(path):
    """They would stay in one language."""
    if path.name.startswith("conventions."):
        return  # written once for each language
    ours = re.compile(
        r"<code>.*?</code>|>[\w.]+\.(?:json|txt)<|<#.*?#>|{#[^}]*}|{%.*?%}|{{.*?\s}}|<!doctype html>|&\w+;", re.DOTALL
    )
    text = ours.sub(" ", path.read_text("utf-8"))
    attributes = " ".join(re.findall(r'(?:title|aria-label|alt|placeholder)="([^"]*)"', text))
    words = set(re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", " ", text) + attributes))
    assert words <= {"MACs", "BibTeX", "CSV", "JSON", "Atom", "Feed"}


@pytest.mark.parametrize("case", yaml.safe_load((CASES / "numbers.yml").read_text("utf-8")), ids=str)
def test_numbers(case):
    (name, arguments, shown) = case
    assert getattr(formats, name)(*arguments) == shown


@pytest.mark.parametrize(
    ("page", "target", "fragment", "href"),
    [
        ("index.html", "cards/A.html", "", "cards/A.html"),
        ("cards/A.html", "index.html", "", "../index.html"),
        ("cards/A.html", "cards/A.html", "method", "#method"),
        ("en/cards/A.html", "cards/A.html", "方法", "../../cards/A.html#%E6%96%B9%E6%B3%95"),
        ("cards/A.html", "cards/O’Neil.html", "", "O%E2%80%99Neil.html"),
    ],
)
def test_links_between_pages(page, target, fragment, href):
    assert link(page, target, fragment) == href


def test_slugs_differ_where_texts_do():
    assert slug("mobilenet_v2(width=0.75)") == "mobilenet_v2-width-0-75"
    found = unique_slugs(["a(b=1)", "a(b=-1)", "???", "!!!"])
    assert len(set(found.values())) == 4


# ------------------------------------------------------------------------------------------------ staged pages


def cases() -> list[Path]:
    return sorted(path.parent for path in CASES.glob("*/expect.yml"))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_staged(case):
    files = staged(case)
    expected = yaml.safe_load((case / "expect.yml").read_text(encoding="utf-8"))
    assert not set(expected["files"]) - set(files)
    assert not set(expected.get("absent", ())) & set(files)
    for path, texts in expected.get("contains", {}).items():
        for text in texts:
            assert text in str(files[path]), path
    for path, texts in expected.get("lacks", {}).items():
        for text in texts:
            assert text not in str(files[path]), path


def test_the_same_base_gives_the_same_files(root, files):
    assert staged(root) == files


def test_pages_tell_nothing_of_the_machine(root, files):
    for path, text in files.items():
        assert str(root) not in str(text), path


def test_every_internal_link_leads_to_a_page_or_a_place_on_it(files):
    pages_there = {
        re.sub(r"\.md$", ".html", path.removeprefix("pages/")): path for path in files if path.startswith("pages/")
    }
    html = {page: whole(files, path) for page, path in pages_there.items() if path.endswith(".md")}
    for page, text in html.items():
        for target, fragment in links_of(page, text):
            assert target in pages_there, (page, target)
            if fragment and target in html:
                assert f'id="{fragment}"' in html[target] or f"{{#{fragment}" in html[target], (page, target, fragment)


def whole(files: dict[str, str | bytes], path: str) -> str:
    """A page with its bodies in their places."""
    return re.sub(r"<!-- kb-body: (\S+) -->", lambda found: str(files[f"bodies/{found[1]}"]), str(files[path]))


def links_of(page: str, html: str) -> list[tuple[str, str]]:
    """Where a page's relative links lead: the page, from the site's root, and the fragment."""
    hrefs = (attributes.get("href") or attributes.get("xlink:href") or "" for attributes in Reader(html).all("a"))
    relative = (urlsplit(href) for href in hrefs if not re.match(r"\w+:", href))
    return [
        (normpath(join(dirname(page), unquote(found.path))) if found.path else page, unquote(found.fragment))
        for found in relative
    ]


def test_figures_stand_beside_the_printed_ones(files):
    body = str(files["bodies/cards/Sandler2018CVPR/experiments.html"])
    cell = re.search(r"<td>6\.06(?:(?!</td>).)*</td>", body, re.DOTALL)
    assert cell, "the README's row of width 1.4"
    assert "kb-is-agrees_counting" in cell[0]
    assert "6.109 M → 6.061 M" in cell[0]
    assert "our model" in cell[0] or "我们的模型给出 6,108,776" in cell[0]


def test_panels_hold_the_measurement_and_its_layers(files):
    page = str(files["pages/cards/Sandler2018CVPR.md"])
    for text in ("3,504,872", "300,774,272", "601,548,544", "1×3×224×224", "width=1", "89.1 %"):
        assert text in page
    assert 'href="../layers/mobilenet_v2.zh.tsv"' in page
    names, *layers = (line.split("\t") for line in str(files["pages/layers/mobilenet_v2.zh.tsv"]).splitlines())
    assert names[0] == "层"
    assert sum(int(layer[4].replace(",", "")) for layer in layers) == 3_504_872
    assert sum(int(layer[5].replace(",", "")) for layer in layers) == 300_774_272


def test_the_source_of_a_model_is_shown_as_code(root, files):
    source = str(files["bodies/cards/Sandler2018CVPR/source-1.html"])
    assert source.startswith('<details class="kb-source"')
    assert '<div class="highlight"><pre>' in source
    code = "".join(text for _, text in Reader(source).texts)
    assert (root / "reference_models/mobilenet_v2.py").read_text("utf-8").strip() in code


def test_home_counts_every_tested_figure_once(root, files):
    base = kb.load(root)
    assert len(base.papers) < len(base.cards)  # some are there in two languages
    statuses = [verdict.status for card in base.papers for verdict in base.verdicts(card).values()]
    page = str(files["pages/index.md"])
    for status in ("agrees", "agrees_counting", "reproduced", "unexplained"):
        count = statuses.count(status)
        assert re.search(rf'kb-score kb-is-{status}".*\n<span class="kb-score__count">{count}<', page), status


@pytest.mark.parametrize("language", LANGUAGES)
def test_home_leads_to_what_was_tried_for_the_newest_unexplained_figures(language, tmp_path):
    root = copy_repository(tmp_path)
    for path, old, new in (
        ("mkdocs.yml", "language: zh", f"language: {language}"),
        ("notes/Zhang2018CVPR.md", "\n> arXiv", "\n> 更新: 2031-02-03\n> arXiv"),
        ("notes/He2016CVPR.md", "\n> 日期: 2026-11-24", "\n> 日期: 2030-11-23"),
    ):
        text = (root / path).read_text(encoding="utf-8")
        assert old in text
        (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    files = staged(root)
    page = str(files["pages/index.md"])
    listed = page.partition('id="newest"')[2].partition("</ul>")[0]
    links = [unquote(attributes["href"] or "") for attributes in Reader(listed).all("a")]
    papers = [href.split("/")[1] for href in links]
    assert papers[:2] == ["Zhang2018CVPR"] * 2  # the card that was changed last
    assert papers[2] == "He2016CVPR"  # then the one that was written last
    assert len(links) == 5
    for href in links:
        assert f"pages/{href.removesuffix('.html')}.md" in files
    assert re.findall(r'<rect class="kb-is-(\w+)" x="(\d+)"', page)[0] == ("agrees", "0")
    assert sum(map(int, re.findall(r'<rect [^>]*width="(\d+)"', page))) == 1000


def test_a_base_in_which_all_is_explained_says_so(starter):
    page = str(staged(starter)["pages/index.md"])
    assert Texts("en")("home.none_unexplained") in page


def test_a_page_template_of_the_user_takes_the_place_of_ours(tmp_path):
    base_from(CASES / "bare", tmp_path)
    (tmp_path / "templates/pages/models.md.j2").write_text("# Mine: {{ site.measured | length }}\n", encoding="utf-8")
    assert staged(tmp_path)["pages/models.md"] == "# Mine: 0\n"


# ------------------------------------------------------------------------------------------------ discrepancies


@pytest.fixture(scope="module")
def tested(root):
    """Every tested figure: its card, its row's label and its verdict."""
    base = kb.load(root)
    return [
        (card, row.label, base.verdicts(card)[printed.line, printed.column])
        for card in base.papers
        for row in card.results
        for printed in row.metrics.values()
        if base.verdicts(card)[printed.line, printed.column].measured is not None
    ]


def test_every_figure_that_is_not_plain_is_listed_under_its_paper(files, tested):
    page = str(files["pages/discrepancies.md"])
    for card in {card.citekey: card for card, _, _ in tested}.values():
        verdicts = [verdict for each, _, verdict in tested if each is card and verdict.status != "agrees"]
        section = page.partition(f"{{#{slug(card.citekey)}}}")[2].partition("\n## ")[0]
        rows = re.findall(r'<tr>\n<th scope="row"><a href="[^"]*#(figure-\d+-\d+)">', section)
        assert sorted(rows) == sorted(f"figure-{each.printed.line}-{each.printed.column}" for each in verdicts)


def test_unexplained_figures_come_first_each_with_a_page(files, tested):
    page = str(files["pages/discrepancies.md"])
    listed = page.partition("{#unexplained}")[2].partition("\n## ")[0]
    links = re.findall(r'<li><a href="([^"]+)">', listed)
    unexplained = [verdict for _, _, verdict in tested if verdict.status == "unexplained"]
    assert len(links) == len(unexplained) > 10
    assert len({unquote(href) for href in links}) == len(links)
    for href in links:
        assert f"pages/{unquote(href).removesuffix('.html')}.md" in files


def test_a_figure_is_off_by_what_its_column_counts(files):
    """140 M under the name of FLOPs stands beside multiply-adds, and is not 96 % off."""
    page = str(files["pages/discrepancies.md"])
    row = re.search(r"<tr>\n<th[^>]*>(?:(?!</th>).)*ShuffleNet 1× \(g = 3\)(?:(?!</tr>).)*</tr>", page, re.DOTALL)[0]
    assert "274.9 M → 137.5 M" in row
    assert "−1.8 %" in row


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_explanation_stands_on_a_page_of_its_own(language, tmp_path):
    root = copy_repository(tmp_path)
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    (root / "mkdocs.yml").write_text(settings.replace("language: zh", f"language: {language}"), encoding="utf-8")
    page = str(staged(root)["pages/cards/Sandler2018CVPR/mobilenetv2-1-4-params-6-9-m.md"])
    text = "".join(text for _, text in Reader(page).texts)
    for number in ("6,108,776", "6,850,000", "6,950,000", "−791,224", "6,060,840", "−12.2 %", "6.91 M", "44 %"):
        assert number in text, number
    assert Texts(language)("explain.weak", words="") in text
    typed = re.search(r"<code>(kb explain .+)</code>", page)[1].replace("&#39;", "'")
    options = parser().parse_args(shlex.split(typed)[1:])
    assert (options.call, options.figure, options.metric) == ("mobilenet_v2(width=1.4)", "6.9 M", "params")
