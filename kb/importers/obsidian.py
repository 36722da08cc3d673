"""What is Obsidian's own in a note, put into what cards have: comments, block ids, links in properties.

Callouts, highlights, tags and Dataview's code stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from kb.markdown import parser
from kb.plain_yaml import PlainList

_BLOCK_ID = re.compile(r"(?P<before>^|\s)\^(?P<id>[A-Za-z0-9-]+)[ \t]*$")
_COMMENT = re.compile(r"%%(?P<text>.*?)%%", re.DOTALL)
_WIKI = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]+)\]\]")
_LINK = re.compile(r"\[\[[^\[\]\n|]*[^\W\d_][^\[\]\n]*\]\](?!\()")
_CODE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LITERAL = ("fence", "code_block", "math_block", "html_block")


def looks_like_vault(names: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether a folder is a vault: Obsidian's own folder is in it, or its notes link to each other as vaults do."""
    return any(name.startswith(".obsidian/") for name in names) or any(
        _LINK.search(_CODE.sub("", text)) for text in texts if "[[" in text
    )


def plain_lines(lines: Sequence[str], start: int) -> tuple[list[str], dict[str, int]]:
    """The lines with comments made Markdown's, and each block id with the line on which it stands."""
    text = "".join(lines)
    if "%%" not in text and "^" not in text:
        return list(lines), {}
    literal = _literal_lines(lines, start)
    out = _without_comments(lines, literal, start)
    ids: dict[str, int] = {}
    for number in range(start, len(out)):
        found = None if number in literal else _BLOCK_ID.search(out[number].rstrip("\n"))
        if found and out[number][: found.start()].count("$") % 2 == 0:
            ids[found["id"].casefold()] = number
            out[number] = f"{out[number][: found.start()]}{found['before']}<!-- ^{found['id']} -->\n"
    return out, ids


def _literal_lines(lines: Sequence[str], start: int) -> set[int]:
    """The lines of code, formulas and HTML, in which nothing means anything."""
    tokens: list[Token] = []
    parser().block.parse("\n" * start + "".join(lines[start:]), parser(), {}, tokens)
    inline_math = (token for token in tokens if token.type == "inline" and "$$" in token.content and token.map)
    spans = [token.map for token in tokens if token.type in _LITERAL and token.map]
    return {
        number
        for first, end in (*spans, *(each.map for each in inline_math if each.map))
        for number in range(first, end)
    }


def _without_comments(lines: Sequence[str], literal: set[int], start: int) -> list[str]:
    """`%%…%%` as `<!-- … -->`, also over several lines; what Markdown cannot hide in a comment stays as it is."""
    out = list(lines)
    text = "".join(
        line if number not in literal and number >= start else _blank(line) for number, line in enumerate(lines)
    )
    whole = "".join(lines)
    pieces, last = [], 0
    for found in _COMMENT.finditer(text):
        if "--" not in found["text"] and "`" not in whole[whole.rfind("\n", 0, found.start()) + 1 : found.start()]:
            inside = whole[found.start() + 2 : found.end() - 2]
            pieces += [whole[last : found.start()], f"<!--{inside}-->"]
            last = found.end()
    if pieces:
        out = "".join([*pieces, whole[last:]]).splitlines(keepends=True)
    return out if len(out) == len(lines) else list(lines)


def _blank(line: str) -> str:
    return " " * (len(line) - 1) + "\n"


def unlinked(value: object) -> object:
    """A property without the brackets of its links: `"[[Kaiming He]]"` is a name."""
    if isinstance(value, str):
        return _WIKI.sub(r"\1", value)
    if isinstance(value, PlainList | list):
        return [unlinked(item) for item in value]
    return value
