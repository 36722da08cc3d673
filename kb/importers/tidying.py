"""Notes whose headings and metadata are lines in bold, put into the form that cards are read in.

`**面临问题：**` becomes a heading where it stands for one, `**会议**: CVPR 2025` below a card's heading a line of its
blockquote. Where a card has real headings for its sections, lines in bold are what they look like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import is_normalized, normalize

from kb.heads import known_pair, read_heading
from kb.markdown import Blocks
from kb.plain_yaml import front_matter
from kb.schema import Schema

_BOLD = re.compile(r" {0,3}(\*\*|__)(?P<text>(?:(?!\1).)+)\1(?P<colon>\s*[:：]?)\s*(?P<rest>.*)")
_UNTIDY = re.compile(r"\*\*|__|[:：]|^(?:=+|-+)[ \t]*$", re.MULTILINE)
_DROP = "\0"

SectionOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Tidied:
    """A text of one line per item, the line of the source that each came from, and what was changed."""

    lines: tuple[str, ...]  # each ends in a line feed
    origins: tuple[int, ...]  # from 1
    headings: tuple[int, ...] = ()  # lines of the source that became headings
    composed: tuple[int, ...] = ()  # headings whose letters and marks stood apart
    metadata: tuple[int, ...] = ()  # lines of the source that became part of a blockquote

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def remarks(self) -> Iterator[str]:
        if self.headings:
            yield f"{_lines(self.headings)} became {'a heading' if len(self.headings) == 1 else 'headings'}"
        if self.composed:
            yield f"{_lines(self.composed)}: letters and their marks are joined"
        if self.metadata:
            yield f"{_lines(self.metadata)} of metadata went into the blockquote"


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:6])) + (", …" if len(numbers) > 6 else "")
    return f"line{'' if len(numbers) == 1 else 's'} {shown}"


@dataclass(frozen=True, slots=True)
class _Block:
    type: str
    start: int
    end: int
    level: int = 0
    text: str = ""


def tidy(text: str, schema: Schema, section_of: SectionOf, *, setext: bool = False) -> Tidied:
    """The text (lines end in `\\n`) with lines in bold made headings, and metadata made part of the blockquote.

    With `setext`, headings underlined with `=` or `-` are put into the other form, too.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+\Z", text)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if not _UNTIDY.search(text) and is_normalized("NFC", text):
        return Tidied(tuple(lines), tuple(range(1, len(lines) + 1)))
    taken = front_matter("".join(lines))[1]
    blocks = list(_blocks("\n" * taken + "".join(lines[taken:])))
    headings = dict(_underlined(blocks, lines, section_of)) if setext else {}
    composed = dict(_composed(blocks, lines))
    headings |= composed
    headings |= _bold_headings(blocks, lines, schema, section_of)
    metadata = dict(_metadata(blocks, lines, headings, schema))
    return _applied(lines, headings, composed, metadata)


def _blocks(text: str) -> Iterator[_Block]:
    for token, inside in Blocks(text).top_level():
        start, end = token.map or (0, 0)
        level = len(token.markup) if token.type == "heading_open" and token.markup.startswith("#") else 0
        kind = "heading" if level else "lheading" if token.type == "heading_open" else token.type.removesuffix("_open")
        yield _Block(kind, start, end, level, inside if level else "")


def _underlined(
    blocks: Sequence[_Block], lines: Sequence[str], section_of: SectionOf
) -> Iterator[tuple[int, tuple[str, str]]]:
    """By line: headings that are underlined. `---` below a line makes one only beside others, or for a section."""
    style = any(block.type == "lheading" and lines[block.end - 1].startswith("=") for block in blocks)
    for block in blocks:
        if block.type == "lheading" and block.end - block.start == 2:
            words, mark = lines[block.start].strip(), lines[block.end - 1].strip()[0]
            if style or section_of(words):
                yield block.start, (f"{'#' if mark == '=' else '##'} {words}", _DROP)


def _composed(blocks: Sequence[_Block], lines: Sequence[str]) -> Iterator[tuple[int, tuple[str, str]]]:
    """By line: headings in which letters and their marks stand apart, as some systems write them, joined."""
    for block in blocks:
        if block.type == "heading" and not is_normalized("NFC", lines[block.start]):
            yield block.start, (normalize("NFC", lines[block.start]).rstrip("\n"), "")


def _bold_headings(
    blocks: Sequence[_Block], lines: Sequence[str], schema: Schema, section_of: SectionOf
) -> Iterator[tuple[int, tuple[str, str]]]:
    """By line: the heading that takes the place of a line in bold, and what stands after it on that line."""
    level, governed = 0, False  # of the last heading, and whether real headings open the sections under it
    sections: set[str] = set()
    for index, block in enumerate(blocks):
        if block.type == "heading":
            known = section_of(block.text)
            if not known:
                level, governed = block.level, _has_sections(index, blocks, section_of)
                sections = set()
            continue
        found = _bold(block, lines)
        if not found:
            continue
        words = found["text"].strip().rstrip(":：").strip()
        if _opens_card(found, index, blocks, lines, schema, section_of):
            level, governed, sections = _card_level(blocks, schema), False, set()
            yield block.start, (f"{'#' * level} {found['text'].strip()}", "")
        elif not governed and (known := section_of(words)) and known not in sections and _alone(found):
            sections.add(known)
            heading = f"{'#' * min(level + 1 if level else 2, 6)} {found['text'].strip()}{found['colon'].strip()}"
            yield block.start, (heading, found["rest"].strip())


def _alone(found: re.Match[str]) -> bool:
    """Whether the words in bold are a label, and not the beginning of a sentence."""
    return not found["rest"] or bool(found["colon"].strip()) or found["text"].rstrip().endswith((":", "："))


def _has_sections(index: int, blocks: Sequence[_Block], section_of: SectionOf) -> bool:
    """Whether a heading has headings of sections below it, before its next sibling."""
    level = blocks[index].level
    for block in blocks[index + 1 :]:
        if block.type == "heading":
            if block.level <= level:
                return False
            if section_of(block.text):
                return True
    return False


def _bold(block: _Block, lines: Sequence[str]) -> re.Match[str] | None:
    return _BOLD.fullmatch(lines[block.start].rstrip("\n")) if block.type == "paragraph" else None


def _opens_card(
    found: re.Match[str],
    index: int,
    blocks: Sequence[_Block],
    lines: Sequence[str],
    schema: Schema,
    section_of: SectionOf,
) -> bool:
    """Whether words in bold are a card's heading: a citekey, with a blockquote, a section or metadata below them."""
    name, key = read_heading(found["text"], schema)
    if found["rest"] or not schema.match_citekey(key) or index + 1 >= len(blocks):
        return False
    after = blocks[index + 1]
    bold = _bold(after, lines)
    return (
        after.type == "blockquote"
        or (after.type == "heading" and bool(section_of(after.text)))
        or bool(bold and section_of(bold["text"].strip().rstrip(":：")))
        or bool(name and _pairs(after, lines))
    )


def _card_level(blocks: Sequence[_Block], schema: Schema) -> int:
    """The level of the card headings of a note; the third where it has none."""
    keyed = (each for each in blocks if each.level and schema.match_citekey(read_heading(each.text, schema)[1]))
    return next((each.level for each in keyed), 3)


def _pairs(block: _Block, lines: Sequence[str]) -> bool:
    """Whether a paragraph or a list is nothing but lines of metadata."""
    if block.type not in ("paragraph", "bullet_list"):
        return False
    texts = [lines[number].strip() for number in range(block.start, block.end) if lines[number].strip()]
    return all(known_pair(text)[0] for text in texts)


def _metadata(
    blocks: Sequence[_Block], lines: Sequence[str], headings: dict[int, tuple[str, str]], schema: Schema
) -> Iterator[tuple[int, str]]:
    """By line: what takes the place of a line of metadata right below a card's heading, or below its blockquote."""
    for index, block in enumerate(blocks):
        heading = block.text if block.type == "heading" else headings.get(block.start, ("", ""))[0].lstrip("# ")
        if not heading or not schema.match_citekey(read_heading(heading, schema)[1]):
            continue
        run = list(_head_blocks(blocks[index + 1 :], lines, headings))
        if any(each.type != "blockquote" for each in run):
            yield from ((number, "") for one, two in pairwise(run) for number in range(one.end, two.start))
        for each in run:
            texts = ((number, lines[number].strip()) for number in range(each.start, each.end))
            if each.type != "blockquote":
                yield from ((number, f"> {text}" if text else "") for number, text in texts)


def _head_blocks(
    blocks: Sequence[_Block], lines: Sequence[str], headings: Mapping[int, tuple[str, str]]
) -> Iterator[_Block]:
    """The blocks of metadata right below a card's heading, and the blockquote before, between or after them."""
    quoted = False
    for block in blocks:
        quote = block.type == "blockquote" and not quoted and not lines[block.start].lstrip("> ").startswith("[!")
        if not quote and (block.start in headings or not _pairs(block, lines)):
            return
        quoted = quoted or quote
        yield block


def _applied(
    lines: Sequence[str],
    headings: dict[int, tuple[str, str]],
    composed: Mapping[int, tuple[str, str]],
    metadata: dict[int, str],
) -> Tidied:
    out: list[tuple[str, int]] = []
    for number, line in enumerate(lines):
        if number in headings:
            heading, rest = headings[number]
            out.append((f"{heading}\n", number + 1))
            out += [("\n", number + 1), (f"{rest}\n", number + 1)] if rest not in ("", _DROP) else []
        elif headings.get(number - 1, ("", ""))[1] == _DROP:
            continue  # the line under an underlined heading
        elif number in metadata:
            out += [(f"{metadata[number]}\n", number + 1)] if metadata[number] else []
        else:
            out.append((line, number + 1))
    changed = tuple(number + 1 for number, line in metadata.items() if line)
    texts, origins = tuple(text for text, _ in out), tuple(number for _, number in out)
    made = tuple(number + 1 for number in headings if number not in composed)
    return Tidied(texts, origins, made, tuple(number + 1 for number in composed), changed)
