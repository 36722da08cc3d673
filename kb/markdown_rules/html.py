"""Raw HTML: a short list of harmless tags passes, with a short list of attributes; anything else is text.

So `<br>`, `<sub>`, `<details>` and sized images do what their authors meant, `List<T>` and `<github.com/a/b>` are
shown as written, and `<script>` is seen rather than run. This serves reading; safety is the sanitiser's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from typing import NamedTuple

from markdown_it import MarkdownIt, rules_block
from markdown_it.common.html_blocks import block_names
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.common.utils import isLinkClose, isLinkOpen
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from kb.markdown_rules import math

VOID_TAGS = frozenset({"br", "hr", "wbr", "img", "col"})
CODE_TAGS = frozenset({"pre", "code", "samp", "tt", "kbd"})
TAGS = frozenset().union(
    VOID_TAGS,
    CODE_TAGS,
    ("a", "abbr", "b", "bdi", "bdo", "cite", "del", "dfn", "em", "font", "i", "ins", "mark", "q", "s", "small", "span"),
    ("strong", "sub", "sup", "u", "var", "ruby", "rp", "rt", "blockquote", "center", "details", "div", "figcaption"),
    ("figure", "h1", "h2", "h3", "h4", "h5", "h6", "p", "summary", "dd", "dl", "dt", "li", "ol", "ul"),
    ("caption", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
)
BLOCK_TAGS = TAGS.intersection(block_names) | {"pre"}
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "*": frozenset({"title", "lang", "dir", "align", "style"}),
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "details": frozenset({"open"}),
    "font": frozenset({"color"}),
    "ol": frozenset({"start", "type", "reversed"}),
    "li": frozenset({"value"}),
    "td": frozenset({"colspan", "rowspan", "valign", "width"}),
    "th": frozenset({"colspan", "rowspan", "valign", "width"}),
    "col": frozenset({"span", "width"}),
}
_SIZE = r"(?:width|height|max-width|zoom)\s*:\s*\d{1,4}(?:\.\d+)?(?:px|%|em|rem|vw)?"
_COLOUR = r"(?:color|background-color)\s*:\s*(?:[a-z]+|#[0-9a-f]{3,8}|rgba?\([\d.,%\s]+\))"
_LAYOUT = r"(?:text-align|vertical-align|font-weight|font-style|text-decoration|float)\s*:\s*[a-z]+"
_IMAGE_STYLES = re.compile(rf"(?:{_SIZE}|{_LAYOUT})", re.IGNORECASE)
_STYLES = re.compile(rf"(?:{_COLOUR}|{_LAYOUT})", re.IGNORECASE)
_BOOLEAN = frozenset({"open", "reversed", "hidden", "checked", "disabled", "controls", "nowrap"})
_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
_ATTRIBUTE = re.compile(r"""([A-Za-z_:][\w:.-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'=<>`\s]+)))?""")


class Tag(NamedTuple):
    """A tag of the list, as it stands in the source."""

    name: str
    closing: bool
    attributes: Mapping[str, str]
    start: int
    end: int


def install(md: MarkdownIt) -> None:
    """Put these rules in the place of markdown-it's own."""
    md.options["html"] = True
    md.inline.ruler.at("html_inline", html_inline)
    md.block.ruler.at("html_block", html_block, {"alt": ["paragraph", "reference", "blockquote"]})
    md.core.ruler.after("inline", "html_contents", contents)


def html_inline(state: StateInline, silent: bool) -> bool:
    """A tag of the list, or a comment, within a line."""
    if state.src[state.pos] != "<":
        return False
    end = _harmless(state.src, state.pos, state.posMax)
    if end < 0:
        return False
    if not silent:
        token = state.push("html_inline", "", 0)
        token.content = state.src[state.pos : end]
        state.linkLevel += isLinkOpen(token.content) - isLinkClose(token.content)
    state.pos = end
    return True


def html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block that begins with a block's tag of the list, or with a comment that ends.

    An `<img>` or `<br>` on a line of its own is no block, so that the line below it is still Markdown.
    """
    position = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("<", position):
        return False
    if state.src.startswith("<!--", position):
        passes = state.src.find("-->", position) >= 0
    else:
        name = _NAME.match(state.src, position)
        passes = name is not None and name[1].lower() in BLOCK_TAGS
    return passes and rules_block.html_block(state, start, end, silent)


def _harmless(source: str, start: int, end: int) -> int:
    """Where the listed tag or the comment at `start` ends; -1 if there is none."""
    if source.startswith("<!--", start):
        closed = source.find("-->", start, end)
        return closed + 3 if closed >= 0 else -1
    name = _NAME.match(source, start, end)
    if not name or name[1].lower() not in TAGS:
        return -1
    found = HTML_TAG_RE.match(source, start, end)
    return found.end() if found and not _is_prose(found[0]) else -1


def _is_prose(tag: str) -> bool:
    """Whether it is no tag after all: `a<b and b>a`."""
    name = _NAME.match(tag)
    attributes = _ATTRIBUTE.finditer(tag, name.end() if name else 0)
    return any("=" not in found[0] and found[1].lower() not in _BOOLEAN for found in attributes)


def pieces(html: str) -> Iterator[Tag | str]:
    """The listed tags of a piece of HTML and the text between them, as written; comments are left out."""
    position = begin = 0
    while (position := html.find("<", position)) >= 0:
        end = _harmless(html, position, len(html))
        if end < 0:
            position += 1
            continue
        if begin < position:
            yield html[begin:position]
        if not html.startswith("<!--", position):
            yield _read(html, position, end)
        position = begin = end
    if begin < len(html):
        yield html[begin:]


def contents(state: StateCore) -> None:
    """Read what stands in blocks of HTML: tags, text and, but in code, formulas. A block's children are these."""
    for token in state.tokens:
        if token.type == "html_block":
            token.children = _tokens(token)


def _tokens(block: Token) -> list[Token]:
    first, within_code, tokens = block.map[0] if block.map else 0, 0, []
    for piece in pieces(block.content):
        if isinstance(piece, str):
            tokens += [_text(piece)] if within_code else _formulas(piece)
            continue
        within_code += (piece.name in CODE_TAGS) * (-1 if piece.closing else 1)
        line = first + block.content.count("\n", 0, piece.start)
        tokens.append(Token("html_tag", "", 0, meta={"tag": piece, "line": line, "column": 0}))
    return tokens


def _text(content: str) -> Token:
    return Token("html_text", "", 0, content=content)


def _formulas(text: str) -> list[Token]:
    """A run of text in HTML, its formulas apart."""
    tokens, written, position = [], 0, 0
    while (position := text.find("$", position)) >= 0:
        formula = math.match(text, position, len(text))
        if formula is None:
            position += len(text[position:]) - len(text[position:].lstrip("$"))
            continue
        kind = "math_display" if formula.display else "math_inline"
        if written < position:
            tokens.append(_text(text[written:position]))
        tokens.append(Token(kind, "", 0, content=unescape(formula.tex)))
        written = position = formula.end
    return [*tokens, _text(text[written:])] if written < len(text) else tokens


def _read(html: str, start: int, end: int) -> Tag:
    source = html[start:end]
    name = _NAME.match(source)
    body = source[name.end() : -1] if name else ""
    attributes = {m[1].lower(): unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(body)}
    return Tag(name[1].lower() if name else "", source.startswith("</"), attributes, start, end)


def kept_attributes(tag: Tag) -> dict[str, str]:
    """The attributes of a tag that may pass."""
    allowed = ATTRIBUTES["*"] | ATTRIBUTES.get(tag.name, frozenset())
    kept = {name: value for name, value in tag.attributes.items() if name in allowed}
    if "style" in kept:
        kept["style"] = _style(tag.name, kept["style"])
    return kept


def write(name: str, attributes: Mapping[str, str]) -> str:
    """An opening tag. An empty `style` is left out."""
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if value or key != "style")
    return f"<{name}{written}>"


def _style(tag: str, style: str) -> str:
    pattern = _IMAGE_STYLES if tag == "img" else _STYLES
    declarations = (part.strip() for part in style.split(";"))
    return "; ".join(part for part in declarations if pattern.fullmatch(part))
