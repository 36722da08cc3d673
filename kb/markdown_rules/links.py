"""Links beyond CommonMark: `[[Citekey]]`, `[[key|text]]`, `![[image.png]]`, and bare web addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it import MarkdownIt, rules_inline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from kb.markdown_rules.characters import is_cjk, is_punctuation
from kb.markdown_rules.reading import as_text

Rule = Callable[[StateInline, bool], bool]
_WIKI = re.compile(r"(!?)\[\[([^\[\]\n|]{1,300})(?:\|([^\[\]\n]{1,300}))?\]\](?!\()")
IMAGE = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|bmp|avif)$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"`|\\^{}\u2018-\u201f]{1,2000}")
_HOST = re.compile(r"(?:https?://)?(?:[^\s/?#@]{1,200}@)?[\w-]++(?:\.[\w-]++)*+(?::\d++)?+(?!:)")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_TRAILING = "?!.,:;*_~'\"[]"


def install(md: MarkdownIt) -> None:
    """Add these rules to a parser."""
    md.inline.ruler.before("link", "wiki_link", wiki_link)
    md.inline.ruler.before("link", "bare_url", bare_url)
    md.inline.ruler.at("link", _if_closed(rules_inline.link))
    md.inline.ruler.at("image", _if_closed(rules_inline.image))
    md.core.ruler.after("inline", "link_texts", link_texts)


def _if_closed(rule: Rule) -> Rule:
    """The rule, tried only where a bracket closes further on: else each `[` of a long run looks through the rest."""
    return lambda state, silent: state.src.find("]", state.pos) >= 0 and rule(state, silent)


def wiki_link(state: StateInline, silent: bool) -> bool:
    """A link to a card by its key or name. `[[1]](address)` is an ordinary link, and `a[[0, 1]]` is text."""
    if state.src[state.pos] not in "![" or state.linkLevel:
        return False
    found = _WIKI.match(state.src, state.pos, state.posMax)
    if not found or not any(map(str.isalpha, found[2])):
        return False
    is_image = bool(found[1] and IMAGE.search(found[2].strip()))
    if found[1] and not is_image:
        return False
    if not silent:
        _push(state, found[2].strip(), (found[3] or "").strip(), is_image)
    state.pos = found.end()
    return True


def _push(state: StateInline, target: str, text: str, is_image: bool) -> None:
    if not is_image:
        token = state.push("wiki_link", "", 0)
        token.content = text or target
        token.meta = {"target": target, "text": text}
        return
    token = state.push("image", "img", 0)
    token.attrs = {"src": state.md.normalizeLink(target), "alt": ""}
    if text.isdigit():  # `![[a.png|300]]`: its width
        token.attrs["width"] = text
    else:
        token.content = text


def bare_url(state: StateInline, silent: bool) -> bool:
    """A web address written out, up to a space or CJK punctuation, without the punctuation of the sentence."""
    if state.src[state.pos] not in "hw" or state.linkLevel:
        return False
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if not found or not _HOST.match(found[0]) or not _starts_word(state):
        return False
    url = _trim(found[0])
    address = state.md.normalizeLink(url if "://" in url else f"http://{url}")
    if silent or not state.md.validateLink(address):
        return False
    opening = state.push("link_open", "a", 1)
    opening.attrs, opening.info = {"href": address}, "auto"
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1).info = "auto"
    state.pos += len(url)
    return True


def _starts_word(state: StateInline) -> bool:
    before = state.src[state.pos - 1] if state.pos else " "
    return not before.isascii() or not before.isalnum()


def _trim(url: str) -> str:
    """Without what belongs to the sentence: the text from CJK punctuation on, or from an ideograph on that touches
    the address (`…/a可见`, but not `…/wiki/卷积`), and `.` or an outer `)` at the end.
    """
    url = url[: next((found.start() for found in _NOT_ASCII.finditer(url) if _leaves(url, found.start())), None)]
    url = url.rstrip(_TRAILING)
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(_TRAILING)
    return url


def _leaves(url: str, place: int) -> bool:
    """Whether the sentence goes on at this place of what looks like an address."""
    char, before = url[place], url[place - 1]
    return is_cjk(char) and (is_punctuation(char) or not (before in "/=#?&_-%+" or is_cjk(before)))


def link_texts(state: StateCore) -> None:
    """Give each link its text (`meta["text"]` of its first token)."""
    for token in state.tokens:
        if token.children and any(child.type == "link_open" for child in token.children):
            _give_texts(token.children)


def _give_texts(tokens: list[Token]) -> None:
    opened = 0
    for place, token in enumerate(tokens):  # links do not nest
        if token.type == "link_open":
            opened = place
        elif token.type == "link_close":
            tokens[opened].meta["text"] = as_text(tokens[opened + 1 : place])
