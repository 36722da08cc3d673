"""Silencing one line: `<!-- kb: ignore K301 -->` at its end, or on a line of its own above it.

Several codes stand side by side, and reasons behind a colon: `<!-- kb: ignore K303 K501: to be written -->`. A silence
that meets no problem is one itself, so that none outlives what it was written for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kb.encoding import split_lines, without_marks
from kb.kept import KeptNote
from kb.markdown import code_lines
from kb.plain_records import from_plain
from kb.problems import CODES, problem
from kb.records import Note, Place, Problem

_COMMENT = re.compile(r"<!--\s*kb:\s*ignore\b(?P<codes>[^:：<>]*?)(?:[:：](?:(?!<!--).)*?)?-->")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_SEPARATOR = re.compile(r"[\s,，、;；]+")
_MARKS = " \t>*+-\n"  # of quotes and lists: before them a comment still stands alone


@dataclass(frozen=True, slots=True)
class Silence:
    """One code that is silenced on one line, and where the comment stands."""

    code: str
    line: int
    place: Place


def silenced(problems: Iterable[Problem], notes: Iterable[Note]) -> list[Problem]:
    """The problems but those that a comment silences, and what is wrong with such comments."""
    found, told, used = [each for note in notes for each in silences(note)], [], set()
    by_place = {(each.place.path, each.line, each.code): each for each in found if _is_silenceable(each.code)}
    for each in problems:
        silence = by_place.get((each.place.path, each.place.line, each.code))
        if silence:
            used.add(silence)
        else:
            told.append(each)
    return [*told, *(_complaint(each) for each in found if each not in used)]


def silences(note: Note) -> Iterator[Silence]:
    """The silences of a note; a comment without a code is one with the code ""."""
    if isinstance(note, KeptNote):
        yield from (Silence(*from_plain(each)) for each in note.facts["silences"])
        return
    text = "".join(part.text for part in note.slices)
    if not _COMMENT.search(text):
        return
    lines = split_lines(without_marks(text))
    code = code_lines(_without_front_matter(text))
    meant = _meant(lines)
    for number, line in enumerate(lines, 1):
        if number not in code:
            yield from _in_line(line, meant[number - 1], Place(note.path, number))


def _in_line(text: str, meant: int, place: Place) -> Iterator[Silence]:
    line = _CODE_SPAN.sub(lambda span: " " * len(span[0]), text)
    for comment in _COMMENT.finditer(line):
        for code in _SEPARATOR.split(comment["codes"].strip(" ,")):  # one "" where none is named
            yield Silence(code.upper(), meant, replace(place, column=comment.start() + 1))


def _meant(lines: Sequence[str]) -> list[int]:
    """For each line the one that a comment on it speaks of: the next with a text, where it stands alone."""
    meant = list(range(1, len(lines) + 1))
    for number in range(len(lines) - 1, 0, -1):
        if not _COMMENT.sub("", lines[number - 1]).strip(_MARKS):
            meant[number - 1] = meant[number]
    return meant


def _without_front_matter(text: str) -> str:
    """The text, in which a front matter's rules open and close nothing."""
    return re.sub(r"\A\ufeff?---\r?\n(?:.*\r?\n)*?---", lambda matter: "\n" * matter[0].count("\n"), text)


def _is_silenceable(code: str) -> bool:
    return code in CODES and CODES[code].can_be_silenced


def _complaint(silence: Silence) -> Problem:
    """What to say of a silence that silenced nothing."""
    code, place = silence.code, silence.place
    if _is_silenceable(code):
        message = f"line {silence.line} has no {code} to silence"
        return problem("K307", place, message, "remove the code, or put the comment on the line that is reported")
    if code in CODES:
        message = f"{code} cannot be silenced: {CODES[code].meaning}"
        return problem("K308", place, message, "mend what it reports")
    message = f"there is no code `{code}`" if code else "the comment names no code"
    return problem("K308", place, message, "name a code that was reported, as in `<!-- kb: ignore K301 -->`")
