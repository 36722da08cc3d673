"""Footnotes `[^label]`. Definitions may also come from outside the text: `env["definitions"]`.

A card's section may use a footnote that the note defines elsewhere; `definitions` are the block tokens of those.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

ANY = "any_footnote"  # in an `env`: take every `[^label]` for a footnote, defined or not
_REFERENCE = re.compile(r"\[\^([^\[\]\s]{1,200})\]")


def install(md: MarkdownIt) -> None:
    """Add these rules to a parser."""
    md.use(footnote_plugin, inline=False)
    md.inline.ruler.at("footnote_ref", reference)
    md.core.ruler.after("block", "outer_definitions", outer_definitions)


def reference(state: StateInline, silent: bool) -> bool:
    """A mark in the text that leads to a footnote."""
    if state.src[state.pos] != "[":
        return False
    found = _REFERENCE.match(state.src, state.pos, state.posMax)
    if not found or not (_is_defined(state, found[1]) or state.env.get(ANY)):
        return False
    if not silent:
        state.push("footnote_ref", "", 0).meta = _count(state, found[1])
    state.pos = found.end()
    return True


def _is_defined(state: StateInline, label: str) -> bool:
    return f":{label}" in state.env.get("footnotes", {}).get("refs", {})


def _count(state: StateInline, label: str) -> dict[str, object]:
    """Number the footnote by its first mark, and its marks by their order: the form that the plugin's tail expects."""
    notes = state.env.setdefault("footnotes", {})
    refs, listed = notes.setdefault("refs", {}), notes.setdefault("list", {})
    number = refs.get(f":{label}", -1)
    if number < 0:
        number = refs[f":{label}"] = len(listed)
        listed[number] = {"label": label, "count": 0}
    listed[number]["count"] += 1
    return {"id": number, "subId": listed[number]["count"] - 1, "label": label}


def outer_definitions(state: StateCore) -> None:
    """Take in the definitions from outside, but for those that the text makes itself."""
    own = {token.meta["label"] for token in state.tokens if token.type == "footnote_reference_open"}
    passing = False
    for token in state.env.get("definitions", ()):
        if token.type == "footnote_reference_open":
            passing = token.meta["label"] not in own
        if passing:
            state.tokens.append(_without_place(token))


def _without_place(token: Token) -> Token:
    """A token of the text's own: its lines are not lines of the text."""
    children = [] if token.type == "inline" else token.children
    return token.copy(map=None, children=children, attrs={**token.attrs}, meta={**token.meta})
