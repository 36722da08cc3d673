"""The search: what is found, in Chromium on the files themselves, and how its files follow the cards."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import browser
import pytest
import yaml
from conftest import ROOT, run_kb
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect, sync_playwright

from kb.search import Document, Entry, Part, entry, index, shards, update

CASES = yaml.safe_load((ROOT / "tests/cases/search/queries.yml").read_text(encoding="utf-8"))
ENGINE = ROOT / "templates/theme/assets/search-engine.js"
WORDS = {"count": "{count}"}


def document(path: str, text: str, **more: object) -> Document:
    return Document(path, path, parts=(Part("part", "Heading", text),), **more)  # type: ignore[arg-type]


def indexed(documents: list[Document]) -> dict[str, str]:
    return dict(index({each.path: entry(each) for each in documents}, WORDS))


@pytest.fixture(scope="module")
def blank() -> Iterator[Page]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=browser.find(), args=["--no-sandbox"])
        yield found.new_page()
        found.close()


Search = Callable[[str], list[str]]


@pytest.fixture
def opened(blank, tmp_path) -> Callable[[dict[str, str]], Search]:
    """Write an index into a folder and open it as a file; gives a function that says which paths a query finds."""

    def open_(files: dict[str, str]) -> Search:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        engine = f"<script>{ENGINE.read_text(encoding='utf-8')}</script>"
        (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{engine}", encoding="utf-8")
        blank.goto((tmp_path / "page.html").as_uri())
        blank.evaluate("window.engine = kbSearch.open(new URL('search/', location))")
        return lambda query: blank.evaluate(ANSWER, query)

    return open_


# The paths of what a query finds, the best first; nothing that holds only a part of it.
ANSWER = """async query => {
  const { scores, loose } = await engine.answer(query)
  if (loose) return []
  const numbers = [...scores].sort((a, b) => b[1] - a[1]).map(([number]) => number)
  return (await Promise.all(numbers.map(number => engine.record(number)))).map(record => record.path)
}"""


@pytest.mark.parametrize("largest", [shards.LARGEST, 120], ids=["few files", "many files"])
def test_queries_find_what_they_should(opened, monkeypatch, largest):
    """A reader would look in vain: Chinese by any part, words by beginnings, joined or not, misspelt by a letter."""
    monkeypatch.setattr(shards, "LARGEST", largest)
    find = opened(indexed([document(f"{number}.html", case["text"]) for number, case in enumerate(CASES)]))
    wrong = [
        (query, should)
        for number, case in enumerate(CASES)
        for key, should in (("found_by", True), ("not_by", False))
        for query in case[key]
        if (f"{number}.html" in find(query)) != should
    ]
    assert not wrong


def test_names_come_before_tags_and_tags_before_text(opened):
    """The card that a word names would be lost among those that mention it."""
    documents = [
        document("text.html", "swish " * 50),
        document("tag.html", "nothing", tags=("swish",)),
        document("title.html", "nothing", title="Searching for swish activations"),
        Document("name.html", "Swish"),
    ]
    assert opened(indexed(documents))("swish") == ["name.html", "title.html", "tag.html", "text.html"]


# ------------------------------------------------------------------------------------ a site opened from a folder


@pytest.fixture(scope="module")
def two_languages(tmp_path_factory) -> Path:
    """A site in Chinese, with cards in two languages; one of them is not published."""
    folder = tmp_path_factory.mktemp("languages") / "base"
    run_kb("init", folder, "--lang", "zh")
    shutil.copytree(ROOT / "tests/cases/search/notes", folder / "notes", dirs_exist_ok=True)
    done = run_kb("build", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_a_site_opened_from_a_folder_can_be_searched(blank, two_languages):
    """Who got a site as a folder would have no search: such pages may load nothing but scripts."""
    blank.goto((two_languages / "search.html").as_uri() + "?q=Other+Nets")
    first = blank.locator(".kb-finder__results a").first
    expect(first).to_contain_text("Other Nets", timeout=20_000)
    assert first.get_attribute("href").startswith((two_languages / "cards/Li2021ICCV.html").as_uri())


def test_of_two_languages_the_reader_s_comes_first(blank, two_languages):
    """A reader of Chinese would be led to the English card, or find one paper twice."""
    blank.goto((two_languages / "search.html").as_uri() + "?q=Wang2020CVPR")
    found = blank.locator(".kb-finder__results a")
    expect(found).to_have_count(1, timeout=20_000)
    assert found.get_attribute("lang") == "zh"


def test_what_is_not_published_is_not_in_the_index(two_languages):
    """A secret card could be read from the search's files."""
    texts = [path.read_text(encoding="utf-8") for path in (two_languages / "search").rglob("*.js")]
    assert any("Wang2020CVPR" in text for text in texts)
    assert not any("Zhou2023CVPR" in text for text in texts)


# ------------------------------------------------------------------------------------- how the files follow cards

VOCABULARY = (
    "depth",
    "depthwise",
    "深度可分离卷积",
    "可分",
    "mobile-net",
    "MobileNetV2",
    "a",
    "ab",
    "abc",
    "abcd",
    "的",
    "conv",
)


def random_entry(rng: random.Random, path: str) -> Entry:
    words = (rng.choice(VOCABULARY) + rng.choice(["", str(rng.randint(0, 30))]) for _ in range(rng.randint(0, 30)))
    facets = (("year", str(rng.randint(2015, 2018))), ("tag", rng.choice("xyz")))
    return entry(document(path, " ".join(words), facets=facets))


def changed(rng: random.Random, entries: dict[str, Entry]) -> tuple[dict[str, Entry], set[str]]:
    """Some entries come, go or change."""
    names = {f"cards/{rng.randint(0, 14)}.html" for _ in range(rng.randint(0, 4))}
    kept = {name: found for name, found in entries.items() if name not in names or rng.random() < 0.6}
    new = {name: random_entry(rng, name) for name in names if name in kept or rng.random() < 0.6}
    return {**kept, **new}, names


@given(seed=st.integers(0, 10**9), largest=st.sampled_from([60, 300, 2000, shards.LARGEST]))
def test_an_update_gives_the_bytes_of_a_clean_index(seed, largest):
    """A reader would find what a card said yesterday, or nothing."""
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "LARGEST", largest)
        entries: dict[str, Entry] = {}
        files = dict(index(entries, WORDS))
        for _ in range(6):
            after, names = changed(rng, entries)
            for path, text in update(reader(files), entries, after, names, WORDS).items():
                files.pop(path, None)
                files |= {path: text} if text is not None else {}
            entries = after
            assert files == dict(index(entries, WORDS))


def reader(files: dict[str, str], read: set[str] | None = None) -> Callable[[str], str]:
    def text(path: str) -> str:
        if read is not None:
            read.add(path)
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return text


def test_a_changed_word_touches_few_files():
    """An author of thousands of cards would wait for all of them after each edit."""
    rng = random.Random(1)
    texts = ["".join(map(chr, rng.choices(range(0x4E00, 0x5E00), k=900))) for _ in range(200)]
    entries = {f"{number}.html": entry(document(f"{number}.html", text)) for number, text in enumerate(texts)}
    files = dict(index(entries, WORDS))
    after = {**entries, "7.html": entry(document("7.html", texts[7] + "。一个 new 词"))}
    read: set[str] = set()
    written = update(reader(files, read), entries, after, ["7.html"], WORDS)
    terms = [path for path in files if path.startswith("search/t")]
    assert len(terms) > 60
    assert len([path for path in {*read, *written} if path.startswith("search/t")]) < len(terms) / 3
    assert len([path for path in written if path.startswith("search/documents/")]) == 1


def test_the_files_hold_text_and_nothing_that_runs():
    """A card's text would be program: each file is one call with JSON in it."""
    texts = ['</script><script>alert(1)</script>", alert(2)) //', "\u2028 ${x} `", "__proto__"]
    for path, text in indexed([document(f"{number}.html", text) for number, text in enumerate(texts)]).items():
        start, _, data = text.partition(",")
        assert start.startswith('kbSearch.take("'), path
        assert data.endswith(")\n")
        json.loads(data[:-2])


def test_two_names_with_one_number_are_both_kept(opened, monkeypatch):
    """One of two cards could not be found: numbers are three bytes of a digest, and may be the same."""
    monkeypatch.setattr("kb.search.indexing._number", lambda name, tries: tries + len(name) * 0)
    find = opened(indexed([document("a.html", "alpha both"), document("b.html", "beta both")]))
    assert sorted(find("both")) == ["a.html", "b.html"]
    assert find("beta") == ["b.html"]


def test_entries_do_not_depend_on_where_they_are_made():
    """The site would differ from one machine to the next."""
    one = document("a.html", "度可分 swish", tags=("x", "y"), authors=("Müller",))
    assert entry(one) == entry(one)
    lines = entry(one).terms.split("\n")
    assert [line[1:] for line in lines] == sorted(line[1:] for line in lines)


def test_no_file_is_opened_that_is_not_asked_for(opened, blank, tmp_path: Path):
    """A first query would fetch the whole index."""
    rng = random.Random(2)
    documents = [
        document(f"{n}.html", "".join(map(chr, rng.choices(range(0x4E00, 0x5E00), k=900)))) for n in range(150)
    ]
    asked: list[str] = []
    find = opened(indexed([*documents, document("it.html", "度可分")]))
    blank.on("request", lambda request: asked.append(request.url))
    assert find("度可分") == ["it.html"]
    assert len([url for url in asked if "/search/t" in url]) == 2, "a file for each of 度可 and 可分"
    assert len(list((tmp_path / "search").glob("t*.js"))) > 40
