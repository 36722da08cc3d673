"""What stands between the headings of a page, put aside as bodies: a site builder's Markdown need not read it.

Page furniture is block-level HTML, which Markdown leaves alone; but to find out that it may, Python-Markdown reads
every tag. So each run of such blocks becomes a file, and a placeholder stands for it, as for a card's own text.
"""

from __future__ import annotations

import re

from kb.insert import placeholder

# A block that begins at the margin, below a blank line.
_OPENING = re.compile(r"<(article|aside|details|div|dl|figure|footer|header|nav|ol|p|section|table|ul)(?=[\s>])")
_BLANK = re.compile(r"\n*")
_FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)


def put_aside(text: str, stem: str) -> tuple[str, dict[str, str]]:
    """A staged page with placeholders for its furniture, and the furniture by name; `stem` begins the names."""
    if _FENCE.search(text):
        return text, {}
    page: list[str] = []
    bodies: dict[str, str] = {}
    position = 0
    while (start := _start(text, position)) >= 0:
        end = _end_of_run(text, start)
        page.append(text[position:start])
        if end == start:  # not furniture: a line of Markdown, to be passed over
            end = text.find("\n", end) + 1 or len(text)
            page.append(text[start:end])
        else:
            name = f"{stem}/_{len(bodies) + 1}.html"
            bodies[name] = text[start:end].rstrip("\n")
            page.append(placeholder(name) + "\n\n")
        position = end
    return "".join(page) + text[position:], bodies


def _start(text: str, position: int) -> int:
    """Where the next line below a blank one begins with a tag; -1 where none does."""
    found = text.find("\n\n<", max(position - 2, 0))
    return found + 2 if found >= 0 else -1


def _end_of_run(text: str, start: int) -> int:
    """Where the last of the blocks ends that follow each other from here; `start` where there is none."""
    end = start
    while block := _end_of_block(text, end):
        end = _past_blanks(text, block)
    return end


def _past_blanks(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _end_of_block(text: str, start: int) -> int:
    """Where the block that begins here ends; 0 where there is none, or more stands behind it on its line."""
    opening = _OPENING.match(text, start)
    depth = 0
    for tag in re.compile(rf"<(/?){opening[1]}(?=[\s>])").finditer(text, start) if opening else ():
        depth += -1 if tag[1] else 1
        if not depth:
            end = text.find(">", tag.end()) + 1
            return end if text[end : end + 1] in ("", "\n") else 0
    return 0
