"""Links and pictures of a note, led to where they will be: to the cards that notes became, to the pictures copied.

A link to a note that became no card is left as its text, a picture that is not there as code; both are named.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from kb.importers.records import Copy
from kb.markdown import is_absolute, links
from kb.markdown_rules.links import IMAGE
from kb.problems import problem
from kb.records import Link, Place, Problem
from kb.schema import normal_heading

_WIKI = re.compile(r"!?\[\[(?P<target>[^\[\]\n|]+?)\s*(?:\\?\|(?P<text>[^\[\]\n]*))?\]\]")
_ADDRESS = re.compile(r"\]\(\s*(?P<address><[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)")
_IMAGE_START = re.compile(
    r"!\[(?P<alt>(?:[^\[\]]|\[[^\[\]]*\])*)\]\(\s*(?:<[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)[^()\n]*\)"
)
_DEFINITION = re.compile(r" {0,3}\[[^\[\]^][^\[\]]*\]:\s*(?P<address><[^<>\n]*>|\S+)")
_SIZE = re.compile(r"(?P<width>\d{1,5})(?:\s*[xX×]\s*(?P<height>\d{1,5}))?")
_UNSAFE = re.compile(r"[\s()<>%#?]")
_DRIVE = re.compile(r"[A-Za-z]:[/\\]|file:", re.IGNORECASE)


PlaceOf = Callable[[int, int], Place]


@dataclass(frozen=True, slots=True)
class Target:
    """A card that a note became: the new form of its headings, and the heading above each block id."""

    citekey: str
    headings: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """Where links lead. Notes are found by path, file name or alias, other files by path or name, as Obsidian does."""

    notes: Mapping[str, Target] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)  # by path within the folder
    names: Mapping[str, str] = field(default_factory=dict)  # path within the folder, by folded file name

    def note(self, name: str, inside: str) -> Target | None:
        """The card that a note's name or path stands for, as written in the note at `inside`."""
        wanted = folded(name)
        beside = folded(posixpath.normpath(posixpath.join(posixpath.dirname(inside), name)))
        return self.notes.get(beside) or self.notes.get(wanted) or self.notes.get(wanted.rpartition("/")[2])

    def file(self, name: str, inside: str) -> str:
        """The path within the folder of a file, as written in the note at `inside`; "" for one that is not there."""
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(inside), name.replace("\\", "/")))
        for path in (beside, name.lstrip("/")):
            if path in self.files:
                return path
        return self.names.get(posixpath.basename(name).casefold(), "")


def folded(name: str) -> str:
    """The name of a note as links find it: without case and the ending `.md`."""
    name = " ".join(name.replace("\\", "/").split()).casefold()
    return name.removesuffix(".md").removeprefix("./")


@dataclass(slots=True)
class Linked:
    """A note's lines with their links led anew, and what came up on the way."""

    lines: list[str]
    copies: list[Copy] = field(default_factory=list)
    led: int = 0  # links that lead to cards
    texts: list[tuple[Place, str]] = field(default_factory=list)  # links that became text
    problems: list[Problem] = field(default_factory=list)

    def remarks(self) -> Iterator[str]:
        """What was changed, in words."""
        if self.led:
            one = self.led == 1
            yield "a link to a note leads to its card" if one else f"{self.led} links to notes lead to their cards"
        for place, text in self.texts:
            yield f"{place.line}:{place.column} {text} is text now: it leads to no card"


def relink(lines: Sequence[str], start: int, place_of: PlaceOf, inside: str, places: Places) -> Linked:
    """Lead the links of the lines from `start` on; `place_of` gives the place in the source of a line and column."""
    result = Linked(list(lines))
    text = "".join(lines[start:])
    if "[" not in text and "<" not in text:
        return result
    edits: list[tuple[int, int, int, str]] = []
    for link in links(text, start):
        line, column = link.line, link.column - 1
        if line < len(lines):
            work = _Edit(link, lines[line], column, place_of(line, column), inside, places, result)
            edits += [(line, first, last, new) for first, last, new in work.edits()]
    edits += _definitions(lines, start, place_of, inside, places, result)
    for line, first, last, new in sorted(set(edits), reverse=True):
        result.lines[line] = result.lines[line][:first] + new + result.lines[line][last:]
    return result


def _definitions(
    lines: Sequence[str],
    start: int,
    place_of: PlaceOf,
    inside: str,
    places: Places,
    result: Linked,
) -> Iterator[tuple[int, int, int, str]]:
    """The addresses of link definitions: pictures that moved, notes that became cards."""
    for number in range(start, len(lines)):
        found = _DEFINITION.match(lines[number])
        if not found:
            continue
        address = unquote(found["address"].strip("<>"))
        if is_absolute(address):
            continue
        path = places.file(address, inside)
        if path and IMAGE.search(path):
            result.copies.append(Copy(places.files[path], path, place_of(number, 0)))
            yield number, *found.span("address"), _address(path)
        elif target := places.note(address.partition("#")[0], inside):
            yield number, *found.span("address"), f"{target.citekey}.md"


@dataclass(frozen=True, slots=True)
class _Edit:
    """One link, and what takes its place."""

    link: Link
    line: str
    column: int
    place: Place
    inside: str
    places: Places
    result: Linked

    def edits(self) -> Iterator[tuple[int, int, str]]:
        if self.line.startswith("[[", self.column) or self.line.startswith("![[", self.column):
            found = _WIKI.match(self.line, self.column)
            if found:
                embedded = self.column > 0 and self.line[self.column - 1] == "!" and found[0][0] == "["
                yield found.start() - embedded, found.end(), self._wiki(found, embedded)
        elif not is_absolute(self.link.target) or _DRIVE.match(self.link.target):
            yield from self._image() if self.link.kind == "image" else self._address()

    def _wiki(self, found: re.Match[str], embedded: bool) -> str:
        name, text = found["target"].strip(), (found["text"] or "").strip()
        if IMAGE.search(name) and (self.link.kind == "image"):
            return self._picture(name, text, found[0])
        path, _, heading = name.partition("#")
        target = self.places.note(path, self.inside) if path else self.places.note(self.inside, "")
        if target:
            self.result.led += bool(path)
            shown = text or name.replace("#^", " ").replace("#", " › ")
            return self._to_card(target, heading, shown, "\\|" if "\\|" in found[0] else "|", bool(path))
        file = self.places.file(path, self.inside)
        why = f"{'!' if embedded else ''}{found[0]}" + (" (a file that is no picture)" if file else "")
        self.result.texts.append((self.place, why))
        return text or name

    def _to_card(self, target: Target, heading: str, text: str, bar: str, elsewhere: bool) -> str:
        if heading.startswith("^"):
            heading = target.blocks.get(heading[1:].casefold(), "")
        else:
            heading = target.headings.get(normal_heading(heading), heading)
        key = target.citekey if elsewhere or not heading else ""
        address = f"{key}#{heading}" if heading else key
        return f"[[{address}]]" if text == address else f"[[{address}{bar}{text}]]"

    def _picture(self, name: str, text: str, written: str) -> str:
        path = self._found(name)
        if not path:
            return f"`{written}`"
        words, _, size = text.rpartition("|")
        measured = _SIZE.fullmatch(size.strip())
        if measured and (measured["height"] or words):
            return _img(path, words.rstrip("\\").strip(), measured)
        return f"![[{path}{f'|{text}' if text else ''}]]"

    def _found(self, name: str) -> str:
        """The path within the folder of a picture, noted to be copied; "" and a problem where it is not there."""
        path = "" if _DRIVE.match(name) else self.places.file(name, self.inside)
        if path:
            self.result.copies.append(Copy(self.places.files[path], path, self.place))
        else:
            message = f"there is no image `{name}` in the folder"
            hint = "its embed stands as code in the card; put the file there and import again with --overwrite"
            self.result.problems.append(problem("K304", self.place, message, hint, severity="warning"))
        return path

    def _image(self) -> Iterator[tuple[int, int, str]]:
        whole = _IMAGE_START.match(self.line, self.column)
        if whole:
            yield whole.start(), whole.end(), self._markdown_image(whole)
        elif self.line.startswith("<", self.column):
            at = self.line.find(self.link.target, self.column)
            path = self._found(self.link.target) if at >= 0 else ""
            if path:
                yield at, at + len(self.link.target), escape(path, quote=True)

    def _markdown_image(self, whole: re.Match[str]) -> str:
        path = self._found(urlsplit(self.link.target).path or self.link.target)
        if not path:
            return f"`{whole[0]}`"
        words, _, size = whole["alt"].rpartition("|")
        measured = _SIZE.fullmatch((size or whole["alt"]).strip())
        if measured and "|" in whole["alt"]:
            return _img(path, words, measured)
        address = _ADDRESS.search(whole[0])
        return whole[0] if address is None else whole[0].replace(address["address"], _address(path), 1)

    def _address(self) -> Iterator[tuple[int, int, str]]:
        """A link in Markdown's own form to a note, or to another file."""
        found = next((each for each in _ADDRESS.finditer(self.line, self.column) if self._is_ours(each)), None)
        path, _, heading = self.link.target.partition("#")
        if not found or not path:
            return
        target = self.places.note(path, self.inside)
        if target:
            self.result.led += 1
            yield *found.span("address"), f"{target.citekey}.md{f'#{quote(heading)}' if heading else ''}"
        elif path.casefold().endswith(".md"):
            written = self.line[self.column : found.end() + 1]
            self.result.texts.append((self.place, written))
            yield self.column, found.end() + (self.line[found.end() : found.end() + 1] == ")"), self.link.text

    def _is_ours(self, found: re.Match[str]) -> bool:
        return unquote(found["address"].strip("<>")).strip() == self.link.target


def _img(path: str, words: str, size: re.Match[str]) -> str:
    height = f' height="{size["height"]}"' if size["height"] else ""
    alt = f' alt="{escape(words, quote=True)}"' if words else ""
    return f'<img src="{escape(path, quote=True)}"{alt} width="{size["width"]}"{height}>'


def _address(path: str) -> str:
    """A path as the address of a link: `%20` for what would end it."""
    return _UNSAFE.sub(lambda found: quote(found[0]), path)
