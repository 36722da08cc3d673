"""Mending notes: each kind of mending is tried, and kept only if the note says the same afterwards.

What cannot be mended without changing what a note says is left, and told. A second time there is nothing to mend.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff

from kb import writing
from kb.encoding import read_text, split_lines, with_marks, without_marks
from kb.meaning import Meaning, meaning, no_less, same
from kb.mendings import MENDINGS, Edit, Kind, Source
from kb.records import Problem
from kb.schema import Schema, load_schema
from kb.settings import Settings

_MOST_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Fixed:
    """A note before and after, what was mended how often, and what was left: the kind, and the line in `after`."""

    path: str
    before: str
    after: str
    mended: Counter[str] = field(default_factory=Counter)
    left: tuple[tuple[str, int], ...] = ()


def fix(text: str, path: str, schema: Schema, settings: Settings) -> Fixed:
    """The note with all mended that can be."""
    plain = without_marks(text)
    work = _Work(path, schema, settings, plain, Source(plain, path, schema))
    while work.rounds < _MOST_ROUNDS and work.round():
        pass
    return Fixed(path, text, with_marks(work.text, text), work.mended, tuple(work.left))


def fix_notes(paths: Iterable[str], settings: Settings) -> Iterator[Fixed | Problem]:
    """Each note that has something to mend, mended but not written; or why it cannot be read."""
    schema, problems = load_schema(settings.root)
    yield from problems
    for path in paths:
        text = read_text(settings.root, path)
        found = text if isinstance(text, Problem) else fix(text, path, schema, settings)
        if isinstance(found, Problem) or found.before != found.after or found.left:
            yield found


def save(mended: Iterable[Fixed], settings: Settings) -> None:
    """Write mended notes in the place of the old ones: all of them, or none where the disk fails."""
    changed = {(settings.root / each.path).resolve(): each.after for each in mended if each.after != each.before}
    writing.sweep(settings.root / settings.notes)
    writing.change_together((), changed)


def told(fixed: Fixed) -> str:
    """A note's mendings in a line, and a line for each that was left."""
    counted = [f"{name} ({number})" for name, number in fixed.mended.items() if number]
    lines = [f"{fixed.path}: {', '.join(counted)}"] if counted else []
    lines += [f"{fixed.path}:{line}: {name}: left, as it would change what is said" for name, line in fixed.left]
    return "".join(f"{line}\n" for line in lines)


@dataclass(slots=True)
class _Work:
    """A note under way."""

    path: str
    schema: Schema
    settings: Settings
    text: str
    source: Source
    rounds: int = 0
    mended: Counter[str] = field(default_factory=Counter)
    left: list[tuple[str, int]] = field(default_factory=list)
    known: dict[str, Meaning] = field(default_factory=dict)

    def round(self) -> bool:
        """Try every kind once; whether anything was mended."""
        self.rounds += 1
        self.left.clear()
        before = self.text
        for kind in MENDINGS:
            self._try(kind)
        return self.text != before

    def _try(self, kind: Kind) -> None:
        if self.source.text != self.text:
            self.source = Source(self.text, self.path, self.schema)
        edits = [edit for edit in kind.propose(self.source) if not _in_template(edit, self.source)]
        if not edits:
            return
        kept = self._safe(kind, edits, (), self._meaning(self.text))
        self.text = edited(self.text, kept)
        self.mended[kind.name] += len(kept)
        self.left += [(kind.name, edit.first + 1 + _shift(edit, kept)) for edit in edits if edit not in kept]

    def _safe(self, kind: Kind, edits: Sequence[Edit], kept: tuple[Edit, ...], said: Meaning) -> tuple[Edit, ...]:
        """The edits that can be made together with those that are kept already: all, or as many as there are."""
        judge = no_less if kind.repair else same
        if judge(said, self._meaning(edited(self.text, (*kept, *edits)))):
            return (*kept, *edits)
        if len(edits) == 1:
            return kept
        half = len(edits) // 2
        return self._safe(kind, edits[half:], self._safe(kind, edits[:half], kept, said), said)

    def _meaning(self, text: str) -> Meaning:
        """The meaning of a text; the last ones are kept, since what was mended is judged by again."""
        if text not in self.known:
            self.known = dict([*self.known.items()][-1:])
            self.known[text] = meaning(text, self.path, self.schema, self.settings)
        return self.known[text]


def _in_template(edit: Edit, source: Source) -> bool:
    return any(each.template and each.heading.line <= edit.first < each.end for each in source.ranges)


def _shift(edit: Edit, kept: Sequence[Edit]) -> int:
    """By how many lines the edits above a line move it."""
    return sum(len(each.lines) - (each.end - each.first) for each in kept if each.first < edit.first)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with edits made, which do not overlap."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda each: each.first, reverse=True):
        lines[edit.first : edit.end] = edit.lines
    return "\n".join(lines)


def diff(before: str, after: str, path: str, new_path: str = "") -> str:
    """The unified diff of two texts."""
    old, new = (split_lines(without_marks(text)) for text in (before, after))
    return "".join(_whole_lines(unified_diff(old, new, f"a/{path}", f"b/{new_path or path}")))


def _whole_lines(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def coloured_diff(text: str) -> str:
    """A diff in colour for a terminal, with nothing in it that could steer the terminal or hide itself."""
    return "".join(_coloured(line) for line in split_lines(text))


def _coloured(line: str) -> str:
    line = "".join(letter if letter.isprintable() or letter in "\t\n" else f"\\u{ord(letter):04x}" for letter in line)
    kinds = (("+++", "1"), ("---", "1"), ("@@", "36"), ("+", "32"), ("-", "31"))
    code = next((code for mark, code in kinds if line.startswith(mark)), "")
    return f"\033[{code}m{line.rstrip(chr(10))}\033[0m\n" if code else line
