"""The one configured Markdown parser, and what is read off its tokens.

CommonMark and GFM, and what DESIGN.md adds to them; each addition is a file of `kb.markdown_rules`. Lines and columns
in `token.meta` count from 0 within the parsed text; those that the functions here return count from 1 within the file.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from textwrap import dedent
from typing import Any, Literal
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from kb.markdown_rules import callouts, delimiters, footnotes, html, letters, math, plainly, positions, tables
from kb.markdown_rules import links as link_rules
from kb.markdown_rules.reading import as_text
from kb.problems import problem
from kb.records import Equation, Link, Place, Problem

LONGEST_FORMULA = 40  # characters that a formula may have to be read without being set
MAX_NESTING = 40  # lists count twice; the time that a hostile line takes grows with it
_PARTS = 16  # how many parts of notes are kept, parsed: a note's own, until all its readers have seen them
_FORMULAS = frozenset({"math_inline", "math_display", "math_block"})
_LOOKED_FOR = _FORMULAS | {"code_inline", "wiki_link", "link_open", "image", "html_inline", "html_tag"}
_NEWLINES = re.compile(r"\r\n?")
_STRAY_HINT = "write $x$, with a space on both sides or on neither; write \\$ for the sign itself"
_REACH = re.compile(r"[$\n]")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]{2}")
_TEX = re.compile(r"\\[A-Za-z]{2,}|[\^_]\{|[A-Za-z0-9)]\^[A-Za-z0-9]")

Environment = dict[str, Any]  # what the parser notes on its way
Spans = dict[str, tuple[int, int]]  # by label


@dataclass(frozen=True, slots=True)
class Heading:
    """An ATX heading: it and all that stands under it are the lines from `line` to before `end_line`, from 0."""

    level: int
    text: str
    line: int
    end_line: int


@cache
def parser() -> MarkdownIt:
    """The parser of all notes. It is shared: configure a copy from `make_parser`, never this one."""
    return make_parser()


def make_parser() -> MarkdownIt:
    """A new parser with all our rules."""
    md = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING, "tasklists": True})
    for rules in (html, tables, delimiters, math, link_rules, callouts, footnotes, positions, plainly, letters):
        rules.install(md)
    return md


def parse_anew(text: str, definitions: str = "") -> list[Token]:
    """The tokens of a text, which may use links and footnotes that are defined outside it, in `definitions`."""
    uses_any = definitions and "[" in text
    return parser().parse(text, _environment(definitions) if uses_any else {})


def parse(text: str, definitions: str = "") -> tuple[Token, ...]:
    """The same for those who only read the tokens: all readers of one text share one pass, and must change nothing."""
    return _parsed(text, definitions)


@lru_cache(maxsize=_PARTS)
def _parsed(text: str, definitions: str) -> tuple[Token, ...]:
    blocks = None if definitions else _foreseen.pop(text, None)
    return tuple(parse_anew(text, definitions) if blocks is None else _from_blocks(text, *blocks))


_foreseen: dict[str, tuple[list[Token], Environment]] = {}  # what was met of texts that are about to be parsed


def foresee(text: str, blocks: tuple[list[Token], Environment]) -> None:
    """Let `parse` go on from the block tokens of a text, and from its definitions, which were met in its note."""
    while len(_foreseen) >= _PARTS:
        del _foreseen[next(iter(_foreseen))]
    _foreseen[text] = blocks


def _from_blocks(text: str, blocks: list[Token], env: Environment) -> list[Token]:
    """What the parser makes of a text whose blocks are known: all of its rules but those that find them."""
    md = parser()
    state = StateCore(text, md, env, blocks)
    names = md.core.ruler.get_active_rules()
    for name, rule in zip(names, md.core.ruler.getRules(""), strict=True):
        if name not in ("normalize", "block"):
            rule(state)
    return state.tokens


class Blocks:
    """The block tokens of a note, from which those of its parts are taken."""

    def __init__(self, text: str) -> None:
        tokens, env = _blocks(text)
        starts = [number for number, token in enumerate(tokens) if not token.level and token.map]
        self._runs = [tokens[start:end] for start, end in pairwise([*starts, len(tokens)])]
        self._lines = [run[0].map[0] if run[0].map else 0 for run in self._runs]
        self._references = env.get("references", {})
        notes = sum(token.type == "footnote_reference_open" for token in tokens)
        once = "duplicate_refs" not in env and notes == len(env.get("footnotes", {}).get("refs", ()))
        self._whole = once and "\0" not in text and "\r" not in text
        self.spans = _spans(tokens, env)
        self.definitions = _sources(text, self.spans)

    def top_level(self) -> Iterator[tuple[Token, str]]:
        """The tokens that open top-level blocks, each with the source inside it; their maps count lines from 0."""
        for run in self._runs:
            yield run[0], run[1].content if len(run) > 1 else ""

    def part(self, start: int, end: int) -> tuple[list[Token], Environment] | None:
        """The tokens of the blocks on these lines, as if these were the whole text; None where that cannot be told.

        Lines that begin after a block and hold whole blocks mean the same alone, but for definitions made elsewhere.
        With the tokens comes what the parser would have noted of the definitions.
        """
        found = self._runs[bisect_left(self._lines, start) : bisect_left(self._lines, end)]
        if not self._whole or any(run[0].map[1] > end for run in found if run[0].map):
            return None
        tokens = [token for run in found for token in run]
        for token in tokens:
            if token.map:
                token.map = [token.map[0] - start, token.map[1] - start]
        return tokens, self._noted(tokens, start, end)

    def _noted(self, tokens: Sequence[Token], start: int, end: int) -> Environment:
        references = {label: each for label, each in self._references.items() if start <= each["map"][0] < end}
        labels = [token.meta["label"] for token in tokens if token.type == "footnote_reference_open"]
        notes = {"refs": {f":{label}": -1 for label in labels}, "list": {}}
        return ({"references": references} if references else {}) | ({"footnotes": notes} if labels else {})


def _environment(source: str) -> Environment:
    """What the parser should know before it begins: the definitions from outside."""
    tokens, references = _outer_definitions(source)
    labels = [token.meta["label"] for token in tokens if token.type == "footnote_reference_open"]
    refs = {f":{label}": -1 for label in labels}
    return {"references": {**references}, "definitions": tokens, "footnotes": {"refs": refs, "list": {}}}


@lru_cache(maxsize=4)
def _outer_definitions(source: str) -> tuple[Sequence[Token], Mapping[str, Any]]:
    """The tokens of definitions, and where links lead: all sections of a card have the same."""
    tokens, env = _blocks(source)
    return tokens, env.get("references", {})


def headings(text: str) -> list[Heading]:
    """The ATX headings of a text, but for those within lists and quotes."""
    tokens, _ = _blocks(text)
    found = [(token, inline) for token, inline in pairwise(tokens) if _is_heading(token)]
    starts = [(int(token.tag[1]), token.map[0] if token.map else 0, inline.content) for token, inline in found]
    last = text.count("\n") + 1
    return [
        Heading(level, content, line, next((at for other, at, _ in starts[n:] if other <= level), last))
        for n, (level, line, content) in enumerate(starts, start=1)
    ]


def _is_heading(token: Token) -> bool:
    return token.type == "heading_open" and token.level == 0 and token.markup.startswith("#")


def definitions(text: str) -> dict[str, str]:
    """The source of each link and footnote definition, by its label (a footnote's begins with `^`)."""
    return _sources(text, definition_spans(text))


def _sources(text: str, spans: Spans) -> dict[str, str]:
    lines = _NEWLINES.sub("\n", text).split("\n") if spans else []
    return {label: dedent("\n".join(lines[first:end])).rstrip() for label, (first, end) in spans.items()}


def definition_spans(text: str) -> Spans:
    """The lines of each definition: the first, and the one after its last, from 0."""
    return _spans(*_blocks(text))


def _spans(tokens: Sequence[Token], env: Environment) -> Spans:
    spans = {label: tuple(reference["map"]) for label, reference in env.get("references", {}).items()}
    for token in tokens:
        if token.type == "footnote_reference_open" and token.map:
            spans.setdefault("^" + token.meta["label"], (token.map[0], token.map[1]))
    return spans


def code_lines(text: str) -> set[int]:
    """The lines of a text, from 1, that stand in blocks of code."""
    tokens, _ = _blocks(text)
    maps = (token.map for token in tokens if token.type in ("fence", "code_block") and token.map)
    return {line + 1 for start, end in maps for line in range(start, end)}


def _blocks(text: str) -> tuple[list[Token], Environment]:
    """The block tokens of a text, in which lines are not parsed, and the definitions met on the way."""
    md = parser()
    tokens: list[Token] = []
    env: Environment = {}
    md.block.parse(_NEWLINES.sub("\n", text).replace("\0", "\ufffd"), md, env, tokens)
    return tokens, env


def equations(text: str, first_line: int) -> tuple[Equation, ...]:
    """The formulas of a text, in the order of their lines."""
    found = [
        Equation(token.content, token.type != "math_inline", first_line + line)
        for token, line, _ in _found(text)
        if token.type in _FORMULAS
    ]
    return tuple(sorted(found, key=lambda equation: equation.line))


def links(text: str, first_line: int, definitions: str = "") -> tuple[Link, ...]:
    """The links and images of a text, also those written in HTML."""
    return tuple(
        Link(kind, target, label, first_line + line, column + 1)
        for token, line, column in _found(text, definitions)
        for kind, target, label in _targets(token)
    )


def code_spans(text: str, first_line: int) -> list[tuple[str, int, int]]:
    """The code spans of a text: content, line, column."""
    return [
        (token.content, first_line + line, column + 1)
        for token, line, column in _found(text)
        if token.type == "code_inline"
    ]


def plain_texts(text: str, first_line: int) -> list[tuple[str, int]]:
    """What is neither markup, code nor formula in a text, run by run, with the line of each."""
    return [
        (token.content, first_line + token.meta.get("line", block.map[0] if block.map else 0))
        for block in parse(text)
        for token in block.children or ()
        if token.type == "text"
    ]


def plain_text(source: str) -> str:
    """What readers see of a line of Markdown: no markup, no footnote marks."""
    if letters.is_text(source) and "\0" not in source:
        return " ".join(source.split())
    tokens = parser().parseInline(source, {footnotes.ANY: True})
    return " ".join(as_text(token for block in tokens for token in block.children or []).split())


def body_text(tokens: Iterable[Token], code: Callable[[str], str] = str) -> str:
    """What readers see of a body, a line for each of its lines and rows; `code` may say code spans in other words."""
    lines = (" ".join(line.split()) for line in _lines_of(tokens, code))
    return "\n".join(filter(None, lines))


def _lines_of(tokens: Iterable[Token], code: Callable[[str], str]) -> Iterator[str]:
    cells: list[str] | None = None
    for token in tokens:
        if token.type == "tr_open":
            cells = []
        elif token.type == "tr_close" and cells is not None:
            yield " | ".join(cells)
            cells = None
        elif token.type in ("fence", "code_block"):
            yield from token.content.split("\n")
        elif token.children:
            said = "".join(_said(child, code) for child in token.children)
            (yield said) if cells is None else cells.append(said)


def _said(token: Token, code: Callable[[str], str]) -> str:
    if token.type == "code_inline":
        return code(token.content)
    if token.type == "html_text":
        return token.content
    said = as_text([token])
    return said if len(said) <= LONGEST_FORMULA or not token.type.startswith("math") else "…"


def math_problems(text: str, path: str, first_line: int) -> list[Problem]:
    """Dollar signs that should be part of a formula and are not."""
    found: list[Problem] = []
    for block in parse(text):
        reported_to = -1
        for token in block.meta.get("strays", ()):
            offset = token.meta["offset"]
            place = Place(path, first_line + token.meta["line"], token.meta["column"] + 1)
            if token.markup == "$$":
                found.append(problem("K302", place, "this display formula is not closed", "end it with `$$`"))
            elif token.markup == "$" and offset > reported_to and _is_by_tex(block.content, offset):
                found.append(problem("K301", place, "this dollar sign has no partner", _STRAY_HINT))
                reported_to = _end_of_reach(block.content, offset)
    return found


def _is_by_tex(content: str, offset: int) -> bool:
    """Whether TeX stands next to the dollar sign: after it, or before it, on its line and up to the next one."""
    begin = max(content.rfind("$", 0, offset), content.rfind("\n", 0, offset)) + 1
    return bool(_TEX.search(content, begin, offset) or _TEX.search(content, offset, _end_of_reach(content, offset)))


def _end_of_reach(content: str, offset: int) -> int:
    """Where the text after a dollar sign ends that could have been its formula."""
    found = _REACH.search(content, offset + 1)
    return found.start() if found else len(content)


@lru_cache(maxsize=_PARTS)
def _found(text: str, definitions: str = "") -> tuple[tuple[Token, int, int], ...]:
    """The formulas, code spans, links, images and tags of a text, with line and column."""
    found: list[tuple[Token, int, int]] = []
    for block in parse(text, definitions):
        line = block.map[0] if block.map else 0
        if block.type == "math_block":
            found.append((block, line, 0))
        for token in block.children or ():
            if token.type in _LOOKED_FOR:
                found.append((token, token.meta.get("line", line), token.meta.get("column", 0)))
    return tuple(found)


def _targets(token: Token) -> Iterator[tuple[Literal["wiki", "link", "image"], str, str]]:
    """What a token links to: kind, target, text."""
    if token.type == "wiki_link":
        yield "wiki", token.meta["target"], token.content
    elif token.type == "link_open":
        yield "link", readable(str(token.attrs["href"])), token.meta.get("text", "")
    elif token.type == "image":
        yield "image", readable(str(token.attrs["src"])), as_text([token])
    elif token.type in ("html_inline", "html_tag"):
        yield from _html_targets(token)


def readable(address: str) -> str:
    """A link's target as people write it: a relative one is the path of a file, so without `%20`."""
    return address.strip() if is_absolute(address) else unquote(address).strip()


def is_absolute(address: str) -> bool:
    """Whether an address has a scheme (`https:`) or a host (`//host/`), and so leads out of the knowledge base."""
    return bool(_ABSOLUTE.match(address.strip()))


def _html_targets(token: Token) -> Iterator[tuple[Literal["link", "image"], str, str]]:
    for tag in [token.meta["tag"]] if token.type == "html_tag" else html.pieces(token.content):
        if isinstance(tag, html.Tag) and tag.attributes.get("src") and tag.name == "img":
            yield "image", readable(tag.attributes["src"]), tag.attributes.get("alt", "")
        elif isinstance(tag, html.Tag) and tag.attributes.get("href") and tag.name == "a":
            yield "link", readable(tag.attributes["href"]), ""
