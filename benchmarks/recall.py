"""What the search finds, what a first query costs, and how the index is made and brought up to date, beside others.

    python benchmarks/recall.py [--cards 4 1000 5000] [--engines kb material pagefind minisearch] [--peers FOLDER]

Cards are made from a seed (corpus.py), and so are the queries, all of them drawn from the cards: Chinese of one to six
characters at any place, English words, their beginnings, words with a hyphen left out, authors, citekeys, arXiv
numbers, and words with one letter too many, too few, wrong, or out of its place. What a query should find is told by a
plain search of the cards' texts. Engines run in Chromium over loopback; bytes are those that the server sent, not
compressed; a first query begins on a fresh page with nothing loaded, and ends when ten results have come.

Peers: Material's own search (its worker, lunr, and jieba as its plugin uses it), Pagefind with a record for each card,
as it is and with Chinese cut into characters, MiniSearch with Chinese cut into characters and pairs. They are not among
the tests' packages:

    pip install --target FOLDER jieba==0.42.1 'pagefind[extended]==1.5.2'
    npm install --prefix FOLDER minisearch@7.2.0
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import corpus
from playwright.sync_api import Browser, Page, sync_playwright

from kb.markdown import body_text, parse_anew
from kb.search import Document, Entry, Part, entry, index, update
from kb.search.words import plain

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
ENGINE = Path(__file__).resolve().parent.parent / "templates/theme/assets/search-engine.js"
HAN = re.compile(r"[\u3400-\u9fff]+")
WORD = re.compile(r"[A-Za-z][A-Za-z-]*[A-Za-z]")
KINDS = ("one character", "Chinese", "word", "beginning", "hyphen", "author", "citekey", "arXiv", "misspelt")


# ----------------------------------------------------------------------------------------------------- documents


def documents(count: int, seed: int = 1) -> Iterator[Document]:
    """The cards of a corpus, as the search finds them."""
    for made in corpus.cards(count, seed):
        yield document(made)


def document(made: corpus.Made) -> Document:
    """One card; its text is what the pages show of it."""
    citation, tags, arxiv = (line.removeprefix("> ") for line in made.head[1:])
    author, _, rest = citation.partition(", et al. ")
    title, _, venue = rest.rpartition(", ")
    venue, year = venue.rsplit(" ", 1)
    sections = re.split(r"^#### (.*)$", "\n".join(made.body), flags=re.MULTILINE)[1:]
    tagged = tuple(tags.partition(": ")[2].split(", "))
    parts = zip(sections[::2], sections[1::2], strict=True)
    return Document(
        path=f"cards/{made.key}.html",
        name=made.name,
        lang="zh" if made.chinese else "en",
        title=title,
        year=year,
        venue=venue,
        kind=made.head[0].removeprefix("> "),
        keys=(made.key, arxiv.partition(": ")[2]),
        authors=(author,),
        tags=tagged,
        facets=(("year", year), ("venue", venue), *(("tag", tag) for tag in tagged), ("status", "finished")),
        parts=tuple(Part(f"s{n}", heading, body_text(parse_anew(text))) for n, (heading, text) in enumerate(parts)),
    )


def text_of(found: Document) -> str:
    """All that a plain search looks through."""
    head = (found.name, found.title, found.year, found.venue, found.kind, *found.keys, *found.authors, *found.tags)
    return "\n".join([*head, *(f"{part.heading}\n{part.text}" for part in found.parts)])


# ------------------------------------------------------------------------------------------------------- queries


@dataclass(frozen=True)
class Query:
    """A query, and what a plain search for `wanted` finds: anywhere, or where words begin."""

    kind: str
    text: str
    wanted: re.Pattern[str]


def queries(found: list[Document], each: int, seed: int = 1) -> Iterator[Query]:
    """So many queries of each kind, the same ones for a seed."""
    words = {word.lower() for one in found[:2000] for word in WORD.findall(plain(text_of(one)))}
    for kind in KINDS:
        rng = random.Random(f"{seed}/{kind}")
        made: dict[str, Query] = {}
        for _ in range(each * 20):
            query = drawn(kind, rng, rng.choice(found), words)
            if query and len(made) < each:
                made.setdefault(query.text, query)
        yield from made.values()


def drawn(kind: str, rng: random.Random, one: Document, words: set[str]) -> Query | None:
    """A query of a kind from a card; None where the card has none such."""
    if kind in ("one character", "Chinese"):
        runs = HAN.findall(text_of(one))
        run = rng.choice(runs) if runs else ""
        size = 1 if kind == "one character" else rng.randint(2, 6)
        start = rng.randrange(max(1, len(run) - size + 1))
        text = run[start : start + size]
        return Query(kind, text, re.compile(re.escape(text))) if len(text) == size else None
    if kind in ("author", "citekey", "arXiv"):
        text = {"author": one.authors[0].split()[0], "citekey": one.keys[0], "arXiv": one.keys[1]}[kind]
        return Query(kind, text, word_like(text))
    found = WORD.findall(plain("\n".join(part.text for part in one.parts)))
    word = rng.choice(found).lower() if found else ""
    return drawn_word(kind, rng, word, words) if len(word) > 3 else None


def drawn_word(kind: str, rng: random.Random, word: str, words: set[str]) -> Query | None:
    """A word, or what a reader may type for it."""
    if kind == "word":
        return Query(kind, word, word_like(word))
    if kind == "beginning":
        text = word[: rng.randint(3, len(word) - 1)].rstrip("-")
        return Query(kind, text, word_like(text))
    if kind == "hyphen":
        return Query(kind, word.replace("-", ""), word_like(word)) if "-" in word else None
    text = misspelt(rng, word)
    is_some = any(other.replace("-", "").startswith(text) for other in words)
    return None if is_some or "-" in word else Query(kind, text, word_like(word + r"(?![^\W_])", escape=False))


def word_like(text: str, *, escape: bool = True) -> re.Pattern[str]:
    """A word or its beginning where words begin, with hyphens or without."""
    body = "".join(f"{re.escape(mark)}-?" for mark in plain(text).lower() if mark != "-").removesuffix("-?")
    return re.compile(rf"(?<![^\W_]){body if escape else text}")


def misspelt(rng: random.Random, word: str) -> str:
    """A word with one letter too many, too few, wrong, or out of its place."""
    at, letter = rng.randrange(len(word)), rng.choice("abcdefghijklmnopqrstuvwxyz")
    swapped = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
    return rng.choice(
        [word[:at] + letter + word[at:], word[:at] + word[at + 1 :], word[:at] + letter + word[at + 1 :], swapped]
    )


# ------------------------------------------------------------------------------------------------------- engines


def ours(found: list[Document], folder: Path) -> float:
    """Our files; the texts are at hand when a page has been rendered, and so are not counted."""
    start = time.perf_counter()
    entries = {one.path: entry(one) for one in found}
    write(folder, dict(index(entries, {})))
    seconds = time.perf_counter() - start
    (folder / ENGINE.name).write_bytes(ENGINE.read_bytes())
    return seconds


def write(folder: Path, files: Mapping[str, str | None]) -> None:
    """Write the files that there are, remove the others."""
    for path, text in files.items():
        if text is None:
            (folder / path).unlink(missing_ok=True)
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


def our_update(found: list[Document], folder: Path) -> dict[str, str]:
    """A card with a sentence more, and one that is new: the files that this touches, and the time."""
    entries = {one.path: entry(one) for one in found}
    told = {}
    edited = document(next(corpus.cards(1, seed=2)))
    changed = Document(
        **{**as_fields(found[len(found) // 2]), "parts": (*found[len(found) // 2].parts, edited.parts[0])}
    )
    new = Document(**{**as_fields(edited), "path": "cards/new.html"})
    for what, one in (("edited", changed), ("new", new)):
        after: dict[str, Entry] = {**entries, one.path: entry(one)}
        start = time.perf_counter()
        files = update(lambda path: (folder / path).read_text("utf-8"), entries, after, [one.path], {})
        told[f"one {what}"] = f"{time.perf_counter() - start:.2f} s, {len(files)} files"
    return told


def as_fields(one: Document) -> dict[str, object]:
    """The fields of a document by name."""
    return {name: getattr(one, name) for name in Document.__dataclass_fields__}


OURS = """
<script src="search-engine.js"></script><script>
const engine = kbSearch.open(new URL("search/", location))
window.find = async (query, all) => {
  const { scores, loose } = await engine.answer(query)
  if (loose) return []
  const numbers = [...scores].sort((a, b) => b[1] - a[1]).map(([number]) => number)
  return Promise.all((all ? numbers : numbers.slice(0, 10)).map(async number => (await engine.record(number)).path))
}
</script>"""


def material(found: list[Document], folder: Path) -> float:
    """Material's index, with Chinese cut by jieba as its plugin does it; its worker reads all of it."""
    import jieba
    import material as theme

    jieba.initialize()
    start = time.perf_counter()
    docs = [
        {
            "location": one.path + suffix,
            "title": segmented(title, jieba.cut),
            "text": segmented(text, jieba.cut),
            "tags": list(one.tags),
        }
        for one in found
        for suffix, title, text in [
            ("", one.name, f"{one.title} {' '.join((*one.keys, *one.authors))} {one.venue}"),
            *((f"#{p.anchor}", p.heading, p.text) for p in one.parts),
        ]
    ]
    config = {
        "lang": ["zh", "en"],
        "separator": "[\\s\\u200b\\u3000\\-、。，．？！；]+",
        "pipeline": ["stemmer"],
        "fields": {"title": {"boost": 1000.0}, "text": {"boost": 1.0}, "tags": {"boost": 1000000.0}},
    }
    (folder / "search_index.json").write_text(json.dumps({"config": config, "docs": docs}, ensure_ascii=False), "utf-8")
    seconds = time.perf_counter() - start
    scripts = Path(theme.__file__).parent / "templates/assets/javascripts"
    for path in (*scripts.glob("workers/*.js"), *scripts.glob("lunr/**/*.js")):
        target = folder / path.relative_to(scripts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        if path.parent.name == "workers":
            target.rename(target.with_name("search.js"))
    return seconds


def segmented(text: str, cut: Callable[[str], Iterator[str]]) -> str:
    """Chinese cut into words by marks that are not seen."""
    return HAN.sub(lambda run: "\u200b" + "\u200b".join(cut(run[0])) + "\u200b", text).strip("\u200b")


MATERIAL = """
<script>
const worker = new Worker("workers/search.js")
const ready = (async () => {
  const index = await (await fetch("search_index.json")).json()
  worker.postMessage({ type: 0, data: { ...index, options: { suggest: false } } })
  await new Promise(resolve => worker.addEventListener("message", ({ data }) => data.type === 1 && resolve()))
})()
window.find = async (query, all) => {
  await ready
  worker.postMessage({ type: 2, data: query })
  const answer = await new Promise(resolve =>
    worker.addEventListener("message", ({ data }) => data.type === 3 && resolve(data.data), { once: true }))
  return answer.items.filter(item => item.some(each => Object.values(each.terms).every(Boolean)) || item.length)
    .map(item => item[0].location.split("#")[0])
}
</script>"""


def pagefind(found: list[Document], folder: Path, *, spaced: bool) -> float:
    """Pagefind's index of records, Chinese cut into characters or not."""
    from pagefind.index import IndexConfig, PagefindIndex

    async def run() -> None:
        async with PagefindIndex(config=IndexConfig(output_path=str(folder / "pagefind"))) as writer:
            for one in found:
                text = text_of(one)
                content = HAN.sub(lambda run: " ".join(["", *run[0], ""]), text) if spaced else text
                await writer.add_custom_record(
                    url=f"/{one.path}", content=content, language="zh", meta={"title": one.name}
                )

    start = time.perf_counter()
    thread = threading.Thread(target=lambda: asyncio.run(run()))  # Playwright has a loop of its own in this one
    thread.start()
    thread.join()
    return time.perf_counter() - start


PAGEFIND = """
<script type="module">
const pagefind = await import("./pagefind/pagefind.js")
const path = async result => (await result.data()).url.replace(/^.*cards/, "cards")
const known = new Map()
window.find = async (query, all) => {
  const { results } = await pagefind.search(CUT(query))
  if (!all) return Promise.all(results.slice(0, 10).map(path))
  if (!known.size) for (const each of (await pagefind.search(null)).results) known.set(each.id, await path(each))
  return results.map(each => known.get(each.id))
}
window.ready = true
</script>"""


def minisearch(found: list[Document], folder: Path, browser: Browser, peers: Path) -> float:
    """MiniSearch's index, made in the browser from the texts; a site would make it in Node."""
    texts = [{"id": one.path, "name": one.name, "text": text_of(one)} for one in found]
    (folder / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), "utf-8")
    (folder / "minisearch.js").write_bytes((peers / "node_modules/minisearch/dist/umd/index.js").read_bytes())
    (folder / "page.html").write_text(MINISEARCH, "utf-8")
    with served(folder) as (url, _):
        page = browser.new_page()
        page.goto(url)
        seconds, text = page.evaluate("make()")
        page.close()
    (folder / "index.json").write_text(text, "utf-8")
    return float(seconds)


MINISEARCH = """
<meta charset=utf-8><script src="minisearch.js"></script><script>
const tokens = /[\\u3400-\\u9fff]+|[\\p{L}\\p{N}]+(?:-[\\p{L}\\p{N}]+)*/gu
const tokenize = text => text.toLowerCase().match(tokens)?.flatMap(token =>
  /[\\u3400-\\u9fff]/.test(token) ? [...token, ...[...token].slice(1).map((mark, n) => [...token][n] + mark)]
  : token.includes("-") ? [token, token.replaceAll("-", ""), ...token.split("-")] : [token]) ?? []
const options = { fields: ["name", "text"], tokenize, searchOptions: { combineWith: "AND", boost: { name: 5 } } }
async function make() {
  const texts = await (await fetch("texts.json")).json(), start = performance.now()
  const index = new MiniSearch(options)
  index.addAll(texts)
  const text = JSON.stringify(index)
  return [(performance.now() - start) / 1000, text]
}
const isCjk = term => /[\\u3400-\\u9fff]/.test(term)
let index
window.find = async (query, all) => {
  index ??= MiniSearch.loadJSON(await (await fetch("index.json")).text(), options)
  const once = more => index.search(query, { prefix: term => !isCjk(term), ...more }).map(each => each.id)
  const found = once({})
  return found.length ? found : once({ fuzzy: term => isCjk(term) || term.length < 4 ? false : 1 })
}
</script>"""


Make = Callable[[list[Document], Path, Browser, Path], float]
ENGINES: dict[str, tuple[str, Make, str]] = {
    "kb": ("kb", lambda found, folder, *_: ours(found, folder), OURS),
    "material": ("Material (lunr, jieba)", lambda found, folder, *_: material(found, folder), MATERIAL),
    "pagefind": (
        "Pagefind 1.5.2",
        lambda found, folder, *_: pagefind(found, folder, spaced=False),
        PAGEFIND.replace("CUT(query)", "query"),
    ),
    "pagefind-cut": (
        "Pagefind 1.5.2, cut",
        lambda found, folder, *_: pagefind(found, folder, spaced=True),
        PAGEFIND.replace("CUT(query)", "query.replace(/[\\u3400-\\u9fff]/g, ' $& ')"),
    ),
    "minisearch": ("MiniSearch 7.2.0", minisearch, MINISEARCH),
}


# ----------------------------------------------------------------------------------------------------- measuring


class Counting(SimpleHTTPRequestHandler):
    """Serves a folder, and counts what it sends."""

    sent: list[int]
    protocol_version = "HTTP/1.1"

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file."""
        data = source.read()
        self.sent.append(len(data))
        outputfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """The address of a folder, and the sizes of what was sent from it."""
    sent: list[int] = []
    handler = type("Bound", (Counting,), {"sent": sent})
    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: handler(*args, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/page.html", sent
        server.shutdown()


FIRST = """async query => {
  while (!window.find) await new Promise(resolve => setTimeout(resolve, 1))
  const start = performance.now()
  const found = await find(query)
  return [performance.now() - start, found.length]
}"""
LIMIT = 300  # seconds for all queries of an engine


def measured(name: str, found: list[Document], asked: list[Query], browser: Browser, peers: Path) -> dict[str, Any]:
    """All figures of an engine on these cards."""
    title, make, script = ENGINES[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = make(found, folder, browser, peers)
        (folder / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{script}", "utf-8")
        result: dict[str, Any] = {"engine": title, "cards": len(found), "index made, s": round(made, 2)}
        if name == "kb":
            sizes = [path.stat().st_size for path in (folder / "search").rglob("*.js")]
            result |= {"index, KB a card": round(sum(sizes) / 1000 / len(found), 1)}
            result |= our_update(found, folder)
        with served(folder) as (url, sent):
            result |= first_queries(
                url, sent, [query for query in asked if query.kind != "misspelt"][::29][:7], browser
            )
            page = browser.new_page()
            page.goto(url)
            result |= recalls(page, found, asked)
            page.close()
    return result


def first_queries(url: str, sent: list[int], asked: list[Query], browser: Browser) -> dict[str, Any]:
    """The medians of what a first query takes, each on a fresh page."""
    times, sizes = [], []
    for query in asked:
        context = browser.new_context()
        page = context.new_page()
        sent.clear()
        page.goto(url)
        took, _ = page.evaluate(FIRST, query.text)
        times.append(took)
        sizes.append(sum(sent))
        context.close()
    return {
        "first query, ms": round(statistics.median(times)),
        "first query, KB": round(statistics.median(sizes) / 1000),
    }


def recalls(page: Page, found: list[Document], asked: list[Query]) -> dict[str, Any]:
    """The share of what a plain search finds that the engine finds, by kind of query, and the time of a next query."""
    texts = {one.path: plain(text_of(one)).lower() for one in found}
    shares: dict[str, list[float]] = {}
    times, start = [], time.monotonic()
    page.evaluate(FIRST, asked[0].text)
    for query in sorted(asked, key=lambda query: blake2b(query.text.encode()).digest()):
        if time.monotonic() - start > LIMIT:
            break
        wanted = {path for path, text in texts.items() if query.wanted.search(text)}
        if not wanted:
            continue
        got = set(page.evaluate("query => find(query, true)", query.text))
        times.append(page.evaluate(FIRST, query.text)[0])
        shares.setdefault(query.kind, []).append(len(wanted & got) / len(wanted))
    by_kind = {kind: f"{statistics.mean(shares[kind]):.1%}" for kind in KINDS if kind in shares}
    every = [share for each in shares.values() for share in each]
    return {
        "next query, ms": round(statistics.median(times), 1),
        "recall": f"{statistics.mean(every):.1%}",
        "queries": len(every),
        **by_kind,
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cards", type=int, nargs="+", default=[4, 1000, 5000])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--queries", type=int, default=30, help="of each kind")
    parser.add_argument("--peers", type=Path, default=Path(".venv/peers"))
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    sys.path.append(str(options.peers))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=ARGUMENTS)
        for count in options.cards:
            found = list(documents(count))
            asked = list(queries(found, options.queries))
            for name in options.engines:
                print(json.dumps(measured(name, found, asked, browser, options.peers), ensure_ascii=False), flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
