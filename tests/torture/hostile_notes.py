"""Notes that hold one payload each, in every context of Markdown and every field of a card's head.

What kb refuses is left out of a note, so that the rest of it reaches the pages: `admitted` asks `check` for the lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

import kb
from kb.base import Base, reread
from kb.check import check

CONTEXTS = yaml.safe_load((Path(__file__).parent / "payloads" / "contexts.yml").read_text(encoding="utf-8"))
BLOCKS = ("blocks", "models", "quote", "fields", "keys")
NAME = "name in the heading"
ALL = frozenset({NAME, *(context for kind in BLOCKS for context in CONTEXTS[kind])})
_LINE_END = re.compile(r"\r\n|\r|\n")
ROUNDS = 13  # of leaving out what is refused; what is refused then is left out as a whole


@dataclass(frozen=True)
class HostileNote:
    """A note with one payload; `without` names the contexts that are left out."""

    number: int
    payload: str
    without: frozenset[str] = frozenset()

    @property
    def citekey(self) -> str:
        """The key of its card."""
        return f"Payload2020n{self.number}"

    @property
    def path(self) -> str:
        """Where the note is."""
        return f"notes/{self.citekey}.md"

    @property
    def text(self) -> str:
        """The note, written out."""
        return "".join(text for _, text in self._parts())

    def contexts_at(self, line: int) -> Iterator[str]:
        """The context that a line of the note belongs to: none or one."""
        at = 1
        for context, text in self._parts():
            after = at + len(_LINE_END.findall(text))
            if at <= line < after:
                yield context
            at = after

    def _parts(self) -> Iterator[tuple[str, str]]:
        """The parts of the note in their order, each with its context; "" for what is no payload's."""
        yield "", "---\n"
        yield from self._front_matter()
        yield "", "---\n\n"
        yield self._heading()
        yield "", "\n> architecture\n"
        yield from self._filled("quote", "\n")
        yield "", "> Author A., et al. A Network, CVPR 2020\n"
        yield from self._blocks()
        yield "", "\n#### Reference models\n\n"
        yield from self._filled("models", "\n")

    def _heading(self) -> tuple[str, str]:
        name = "Words" if NAME in self.without else self._line()
        return NAME, f"### {name}: {self.citekey}\n"

    def _front_matter(self) -> Iterator[tuple[str, str]]:
        for name, value in CONTEXTS["fields"].items():
            if name not in self.without:
                yield name, _yaml({name: _put(value, self._line())})
        for _ in CONTEXTS["keys"] if "PAYLOAD" not in self.without else ():
            yield "PAYLOAD", _yaml({self._line(): "words"})

    def _blocks(self) -> Iterator[tuple[str, str]]:
        """The blocks, dealt out to the three sections that every card has."""
        blocks = list(self._filled("blocks", "\n\n"))
        ends = [context.endswith("section") for context, _ in blocks].index(True) if self._has_sections() else None
        inside, sections = blocks[:ends], blocks[ends:] if ends is not None else []
        for number, heading in enumerate(("Problem", "Method", "Experiments")):
            yield "", f"\n#### {heading}\n\nWords.\n\n"
            yield from inside[number::3]
        yield from sections

    def _has_sections(self) -> bool:
        return any(context.endswith("section") and context not in self.without for context in CONTEXTS["blocks"])

    def _filled(self, kind: str, end: str) -> Iterator[tuple[str, str]]:
        for context, template in CONTEXTS[kind].items():
            if context not in self.without:
                # The payload goes in last: it may hold any of the words that stand for something.
                filled = template.replace("N]", f"{self.number}]").replace("LINES", "\0")
                yield context, filled.replace("PAYLOAD", self._line()).replace("\0", self.payload) + end

    def _line(self) -> str:
        return _LINE_END.sub(" ", self.payload)


def _put(value: object, payload: str) -> object:
    """A value in which every PAYLOAD is the payload."""
    if isinstance(value, dict):
        return {key: _put(each, payload) for key, each in value.items()}
    return [_put(each, payload) for each in value] if isinstance(value, list) else payload


def _yaml(data: object) -> str:
    return str(yaml.safe_dump(data, allow_unicode=True, width=1 << 20))


@dataclass(frozen=True)
class Admitted:
    """The notes that kb takes, and how many were refused: payloads by context, and whole notes."""

    notes: tuple[HostileNote, ...]
    refused: Counter[str]
    refused_whole: int

    @property
    def placed(self) -> int:
        """How many times a payload stands in a context."""
        return sum(len(ALL - note.without) for note in self.notes)


def admitted(folder: Path, payloads: Sequence[str], first: int = 0) -> Admitted:
    """Write a note for each payload into a knowledge base, and leave out what is refused until nothing is."""
    notes = {note.path: note for note in (HostileNote(first + n, payload) for n, payload in enumerate(payloads))}
    for note in notes.values():
        write(folder, note)
    base = kb.load(folder)
    for chance in reversed(range(ROUNDS)):
        refused = refused_lines(base)
        for path, lines in refused.items():
            found = {each for line in lines for each in notes[path].contexts_at(line) if each}
            if found and chance:
                notes[path] = replace(notes[path], without=notes[path].without | found)
                write(folder, notes[path])
            else:
                del notes[path]
                (folder / path).unlink()
        if not refused:
            break
        base = reread(base, refused) if refused.keys() <= notes.keys() else kb.load(folder)
    kept = tuple(notes.values())
    return Admitted(kept, Counter(each for note in kept for each in note.without), len(payloads) - len(kept))


def write(folder: Path, note: HostileNote) -> None:
    """Write a note."""
    (folder / note.path).write_text(note.text, encoding="utf-8", errors="replace", newline="")


def refused_lines(base: Base) -> dict[str, list[int]]:
    """The lines of errors, by the path of the note."""
    found: dict[str, list[int]] = {}
    for problem in check(base):
        if problem.severity == "error":
            found.setdefault(problem.place.path, []).append(problem.place.line)
    return found
