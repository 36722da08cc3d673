"""What Zensical, the successor of MkDocs and Material, makes of the very same staged pages, page by page.

    python -m pip install --target FOLDER zensical==0.0.73
    python benchmarks/zensical.py FOLDER

This repository's site is built by kb, then its mkdocs.yml and build/ are given to Zensical. The articles of both are
compared: headings with their ids, formulas, tables cell by cell, links with where they lead, images, and all text.
benchmarks/zensical.md is written anew.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin

from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import browsing  # noqa: E402
from conftest import copy_repository, run_kb  # noqa: E402

HEAD = """# The staged pages in Zensical

Written by `python benchmarks/zensical.py`: the same staged pages, bodies and theme, built by MkDocs with Material
{mkdocs} and by Zensical {zensical}. For each page, what its article holds and how much of it is the same in both.
"""


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path, help="the folder that Zensical was installed into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = copy_repository(Path(folder, "ours"))
        done = run_kb("build", cwd=ours, env={"SITE_URL": "https://example.org/"})
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        theirs = Path(folder, "theirs")
        theirs.mkdir()
        shutil.copy(ours / "mkdocs.yml", theirs)
        shutil.copytree(ours / "build", theirs / "build")
        build(theirs, options.packages)
        text = "\n".join(report(ours / "site", theirs / "site", version(options.packages)))
    (ROOT / "benchmarks" / "zensical.md").write_text(text + "\n", encoding="utf-8")
    return 0


def build(folder: Path, packages: Path) -> None:
    """Run Zensical, with kb's extension within its reach."""
    path = os.pathsep.join([str(packages.resolve()), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "SITE_URL": "https://example.org/"}
    command = [sys.executable, packages.resolve() / "bin" / "zensical", "build"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    done.check_returncode()


def version(packages: Path) -> str:
    """Which Zensical it is."""
    [found] = packages.glob("zensical-*.dist-info")
    return found.name.removeprefix("zensical-").removesuffix(".dist-info")


def headings(article: Tag, _: str) -> list[str]:
    """Headings with their level and id."""
    return [f"{each.name} #{each.get('id', '')} {words(each)}" for each in article.find_all(re.compile("^h[1-6]$"))]


def formulas(article: Tag, _: str) -> list[str]:
    """Formulas as TeX."""
    return [words(each) for each in article.select(".arithmatex")]


def tables(article: Tag, _: str) -> list[str]:
    """The cells of all tables."""
    return [words(cell) for cell in article.select("tr > th, tr > td")]


def links(article: Tag, page: str) -> list[str]:
    """Links: what they say, and where they lead."""
    found = article.select("a[href]:not(.headerlink)")
    return [f"{words(each)} → {unquote(urljoin(page, each['href']))}" for each in found]


def images(article: Tag, page: str) -> list[str]:
    """Where images come from, with their words."""
    return [f"{each.get('alt', '')} {urljoin(page, each['src'])}" for each in article.select("img[src]")]


def texts(article: Tag, _: str) -> list[str]:
    """All that is said, but for what links to headings."""
    return [" ".join(each.split()) for each in article.strings if each.strip() and each.parent.name != "template"]


PARTS: dict[str, Callable[[Tag, str], list[str]]] = {
    "headings": headings,
    "formulas": formulas,
    "tables' cells": tables,
    "links": links,
    "images": images,
    "texts": texts,
}


def words(element: Tag) -> str:
    """Its text, without the mark that links to a heading."""
    return " ".join(element.get_text().replace("¶", "").split())


def report(ours: Path, theirs: Path, zensical: str) -> Iterator[str]:
    """A row for each page, and what differs below."""
    from importlib.metadata import version as of

    yield HEAD.format(mkdocs=of("mkdocs-material"), zensical=zensical)
    yield f"| page | {' | '.join(PARTS)} | head and frame |"
    yield f"|---|{'---|' * len(PARTS)}---|"
    differences: list[str] = []
    for pages in browsing.kinds(ours).values():
        for path in pages:
            cells, found = compared(ours / path, theirs / path, f"/{path}")
            yield f"| `{path}` | {' | '.join(cells)} |"
            differences += [f"- `{path}`: {each}" for each in found]
    yield "\n## What differs\n"
    yield from differences or ["Nothing."]
    extra = sorted({each.relative_to(theirs) for each in theirs.rglob("*.html")} - set(of_site(ours)))
    yield f"\nPages that only Zensical has: {', '.join(map(str, extra)) or 'none'}."


def of_site(folder: Path) -> list[Path]:
    """The pages of a site."""
    return [each.relative_to(folder) for each in folder.rglob("*.html")]


def compared(ours: Path, theirs: Path, page: str) -> tuple[list[str], list[str]]:
    """A cell for each part of a page, and the differences in words."""
    if not theirs.is_file():
        return ["missing"] * (len(PARTS) + 1), ["is not there"]
    pair = [BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in (ours, theirs)]
    cells: list[str] = []
    found: list[str] = []
    for name, part in PARTS.items():
        mine, other = (part(soup.article, page) for soup in pair)
        cells.append(str(len(mine)) if mine == other else f"{len(mine)} ≠ {len(other)}")
        found += [f"{name}: {each}" for each in first_differences(mine, other)]
    mine, other = (frame(soup) for soup in pair)
    cells.append("same" if mine == other else "differs")
    found += [f"frame: {each}" for each in first_differences(mine, other)]
    return cells, found


def frame(soup: BeautifulSoup) -> list[str]:
    """What stands around the article and is ours: title, description, policy, scripts in the page, tabs."""
    metas = [f"{each.get('name') or each.get('http-equiv')}: {each.get('content')}" for each in soup.head("meta")]
    kept = [each for each in metas if each.startswith(("description", "Content-Security-Policy"))]
    scripts = [each for each in soup("script") if not each.get("src") and "json" not in each.get("type", "")]
    tabs = [words(each) for each in soup.select(".md-tabs__link")]
    return [f"title: {words(soup.title)}", *kept, f"scripts in the page: {len(scripts)}", f"tabs: {', '.join(tabs)}"]


def first_differences(mine: list[str], other: list[str], most: int = 3) -> list[str]:
    """The first few, in words."""
    pairs = [(a, b) for a, b in zip(mine, other, strict=False) if a != b]
    told = [f"MkDocs `{a[:160]}`, Zensical `{b[:160]}`" for a, b in pairs[:most]]
    if len(mine) != len(other):
        told.append(f"{len(mine)} in MkDocs, {len(other)} in Zensical")
    return told


if __name__ == "__main__":
    sys.exit(main())
