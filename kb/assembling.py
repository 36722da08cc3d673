"""The site, put together from the staged tree: pages by MkDocs's theme, all else as it is; unchanged files are kept.

`build/assembled-<site>.json` holds what a site was made of. A page whose Markdown is as it was gets its new bodies
without MkDocs: where they stand in it is written down. The next site grows in `build/.site-<site>`, where the one
before it is left, so that only what changed needs to be written there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kb import inputs, writing
from kb.records import Problem
from kb.site_builder import Theme, mkdocs_says, problem_of, run_mkdocs
from kb.staging import Files
from kb.workers import shared_out

LEAST = 30  # pages worth a process of their own
_PLACEHOLDER = re.compile(rb"<!-- kb-body: ([^\s<>]+) -->")

Bodies = Sequence[tuple[str, int, int]]  # the names of a page's bodies, and where they begin and end in it


@dataclass(slots=True)
class Record:
    """What a site was made of: digests of staged files, where bodies stand in its pages."""

    fixed: str = ""  # a digest of all that is the same for every page
    tree: str = ""  # what tells the site from one that was changed since
    titles: str = ""
    files: dict[str, str] = field(default_factory=dict)
    pages: dict[str, Bodies] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)  # where the next site's folder still is as the one before


class Stopped(Exception):
    """MkDocs could not make the site; holds why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def assemble(root: Path, folder: Path, site: Path, files: Files, fixed: str, site_url: str | None) -> list[Problem]:
    """Publish the site that the tree staged in a folder makes; the problems that kept it from being right."""
    file, new = folder / f"assembled-{site.name}.json", folder / f".site-{site.name}"
    before = _read(file)
    stands = before.fixed == fixed and before.tree == inputs.fingerprint_of_folder(site)
    if stands and before.files == files:
        return []
    file.unlink(missing_ok=True)  # from here on it would not be true
    assembler = Assembler(root, folder, new, dict(files), fixed, site_url)
    try:
        after = assembler.go_on(before, site) if stands else assembler.begin()
    except Stopped as stop:
        return stop.problems
    except Exception as error:  # noqa: BLE001 - a template of the user's may raise anything
        return [problem_of(error, root)]
    writing.publish(new, site, keep=stands)
    if not stands and after.files:
        writing.follow(new, site, ())
        after.behind = []
    after.tree = inputs.fingerprint_of_folder(site)
    _write(file, after)
    return []


class Assembler:
    """Makes the next site in a folder of its own."""

    def __init__(
        self, root: Path, staged: Path, new: Path, files: dict[str, str], fixed: str, site_url: str | None
    ) -> None:
        self._root = root
        self._staged = staged
        self._new = new
        self._files = files
        self._fixed = fixed
        self._site_url = site_url
        self._theme: Theme | None = None

    @property
    def theme(self) -> Theme:
        """MkDocs's theme, loaded when it is needed."""
        if self._theme is None:
            self._theme = Theme(self._root, self._staged, self._site_url)
        return self._theme

    def begin(self) -> Record:
        """Make all of the site."""
        writing.remove_tree(self._new)
        if not self.theme.is_page_local:
            if problems := run_mkdocs(self._root, self._staged, self._new, self._site_url):
                raise Stopped(problems)
            return Record()
        for path, source in self.theme.static_files().items():
            writing.copy(source, self._new / path)
        return self._after({}, self._files.keys(), ())

    def go_on(self, before: Record, site: Path) -> Record:
        """Make of the site before what has changed since."""
        writing.follow(self._new, site, before.behind)
        changed = {path for path, digest in self._files.items() if before.files.get(path) != digest}
        gone = before.files.keys() - self._files.keys()
        for path in gone:
            if on_site := _on_site(path):
                writing.remove(self._new / on_site, self._new)
        return self._after(before.pages, changed, gone, before.titles)

    def _after(
        self, known: Mapping[str, Bodies], changed: Collection[str], gone: Collection[str], titles: str = ""
    ) -> Record:
        """Write what has changed, and what it is to be known for."""
        names = [path for path in self._files if _is_page(path)]
        anew = [path for path in names if path in changed]
        if anew and (now := self._titles()) != titles:  # the titles in the nav stand on every page
            anew, titles = names, now
        filled = [path for path in names if path not in set(anew) and not _are_same(known[path], changed)]
        pages = {path: known[path] for path in names if path in known}
        pages |= self._rendered(anew) | {path: self._filled_again(path, known[path]) for path in filled}
        touched = {_on_site(path) for path in (*changed, *gone, *anew, *filled)} - {""}
        for path in changed:
            if _on_site(path) and not _is_page(path):
                writing.copy(self._staged / path, self._new / _on_site(path))
        if not known or any(map(_is_page, gone)) or any(path not in known for path in anew):
            touched |= self._write_other_pages(names)
        return Record(self._fixed, "", titles, self._files, pages, sorted(touched))

    def _titles(self) -> str:
        return inputs.digest(self.theme.titles)

    def _rendered(self, paths: Sequence[str]) -> dict[str, Bodies]:
        """Render pages anew; the bodies in each."""
        made: dict[str, Bodies] = {}
        messages: list[str] = []
        if paths:
            messages += self.theme.messages
        for share, told in shared_out(self._render, paths, LEAST) if paths else ():
            made |= share
            messages += told
        if messages:
            raise Stopped([mkdocs_says(message) for message in dict.fromkeys(messages)])
        return made

    def _render(self, paths: Sequence[str]) -> tuple[dict[str, Bodies], list[str]]:
        made: dict[str, Bodies] = {}
        for path in paths:
            html = self.theme.page(path.removeprefix("pages/")).encode("utf-8", errors="xmlcharrefreplace")
            gaps = [(found[1].decode(), *found.span()) for found in _PLACEHOLDER.finditer(html)]
            made[path] = self._fill(path, html, gaps)
        return made, self.theme.messages

    def _filled_again(self, path: str, bodies: Bodies) -> Bodies:
        return self._fill(path, (self._new / _on_site(path)).read_bytes(), bodies)

    def _fill(self, path: str, html: bytes, gaps: Bodies) -> Bodies:
        """Write a page with its bodies in the place of what is in the gaps; where they stand now."""
        pieces: list[bytes] = []
        bodies: list[tuple[str, int, int]] = []
        position = length = 0
        for name, start, end in gaps:
            body = (self._staged / "bodies" / name).read_bytes() if f"bodies/{name}" in self._files else b""
            pieces += (html[position:start], body)
            length += start - position
            bodies.append((name, length, length + len(body)))
            position, length = end, length + len(body)
        writing.put(self._new / _on_site(path), b"".join([*pieces, html[position:]]))
        return bodies

    def _write_other_pages(self, paths: Sequence[str]) -> set[str]:
        made = self.theme.other_pages(path.removeprefix("pages/") for path in paths)
        for path, content in made.items():
            writing.put(self._new / path, content)
        return set(made)


def _is_page(path: str) -> bool:
    return path.startswith("pages/") and path.endswith(".md")


def _on_site(path: str) -> str:
    """Where a staged file, or what is made of it, stands on the site; "" for what is only put into pages."""
    if not path.startswith("pages/"):
        return ""
    name = path.removeprefix("pages/")
    return f"{name.removesuffix('.md')}.html" if name.endswith(".md") else name


def _are_same(bodies: Bodies, changed: Collection[str]) -> bool:
    return not any(f"bodies/{name}" in changed for name, *_ in bodies)


def _read(file: Path) -> Record:
    """The record; an empty one where it cannot be read."""
    try:
        return Record(*json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Record()


def _write(file: Path, record: Record) -> None:
    data = [record.fixed, record.tree, record.titles, record.files, record.pages, record.behind]
    writing.write_if_changed(file, json.dumps(data, ensure_ascii=False, separators=(",", ":")))
