"""YAML as plain data: mappings, lists, texts, numbers, true, false and null, with the place of each key.

Tags, anchors and aliases are reported, not followed; a key that stands twice is reported. A number is a
number only if it prints back as it was written, so `arxiv: 1801.04380` keeps its zero and dates stay texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import yaml

from kb.problems import problem
from kb.records import DEFAULT_LIMITS, Place, Problem

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER = re.compile(r"[-+]?(\d+|\d*\.\d+|\d+\.\d*)([eE][-+]?\d+)?")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<yaml>(?![ \t]*\n)(?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_CORE_TAGS = frozenset({"!", None})


class _Mark(Protocol):
    """A position in a YAML text, counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class PlainMapping(dict[str, object]):
    """A mapping that knows where each of its keys and values stands."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, Place] = {}
        self.value_places: dict[str, Place] = {}


class PlainList(list[object]):
    """A list that knows where each of its items stands."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[Place] = []


def load_plain(
    text: str, path: str, first_line: int = 1, depth: int = DEFAULT_LIMITS.depth
) -> tuple[object, list[Problem]]:
    """The data in a YAML text, and what is wrong with it; the text's first line is line `first_line` of the file.

    Mappings and lists may lie in each other `depth` deep: what lies deeper is reported, and nothing of the text read.
    """
    reader = _Reader(path, first_line, [], depth)
    try:
        data = reader.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        return None, [*reader.problems, reader.unreadable(error)]
    except yaml.reader.ReaderError as error:
        return None, [*reader.problems, reader.bad_character(text, error)]
    except _TooDeepError as error:
        return None, [*reader.problems, reader.too_deep(error)]
    return data, reader.problems


def place_of(data: object, key: str | int, default: Place) -> Place:
    """Where a value stands: of a mapping by key, of a list by index; else the default."""
    if isinstance(data, PlainMapping) and isinstance(key, str):
        return data.value_places.get(key, default)
    if isinstance(data, PlainList) and isinstance(key, int) and key < len(data.places):
        return data.places[key]
    return default


def as_plain(value: object) -> object:
    """The value with nothing but dict, list, text, number, true, false and null in it, as writers of YAML want it."""
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


class _TooDeepError(Exception):
    """A mapping or list lies deeper than allowed."""

    def __init__(self, event: yaml.Event) -> None:
        super().__init__()
        self.event = event


@dataclass(frozen=True, slots=True)
class _Reader:
    """Builds data from YAML events; `problems` collects what it meets on the way."""

    path: str
    first_line: int
    problems: list[Problem]
    depth: int

    def document(self, events: Iterator[yaml.Event]) -> object:
        data: object = None
        seen = False
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if seen:
                    self._report("K103", event, "the YAML holds more than one document", "keep only the first")
                    break
                data, seen = self._node(event, events, 0), True
        return data

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], above: int) -> object:
        if isinstance(event, yaml.AliasEvent):
            self._report("K104", event, f"`*{event.anchor}` is an alias", "write the value out where it is used")
            return None
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        self._check_plain(event)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else _scalar(event.value)
        if above == self.depth:
            raise _TooDeepError(event)
        read = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
        return read(events, above + 1)

    def _mapping(self, events: Iterator[yaml.Event], level: int) -> PlainMapping:
        result = PlainMapping()
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            name = self._key(event, events, level)
            value_event = next(events)
            value = self._node(value_event, events, level)
            if name is None:
                continue
            if name in result:
                first = result.places[name].line
                self._report("K105", event, f"the key `{name}` stands twice", f"the first is on line {first}")
                continue
            result[name] = value
            result.places[name] = self._place(event)
            result.value_places[name] = self._place(value_event)
        return result

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], level: int) -> str | None:
        if isinstance(event, yaml.ScalarEvent):
            self._check_plain(event)
            return str(event.value)
        self._node(event, events, level)
        self._report("K104", event, "a key must be a text")
        return None

    def _sequence(self, events: Iterator[yaml.Event], level: int) -> PlainList:
        result = PlainList()
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            result.append(self._node(event, events, level))
            result.places.append(self._place(event))
        return result

    def _check_plain(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._report("K104", event, f"`&{event.anchor}` is an anchor", "leave it out")
        if event.tag not in _CORE_TAGS:
            self._report("K104", event, f"`{event.tag}` is a tag", "leave it out: only plain data is read")

    def _place(self, event: yaml.Event) -> Place:
        return self._at(event.start_mark)

    def _at(self, mark: _Mark | None) -> Place:
        return Place(self.path, self.first_line + mark.line, mark.column + 1) if mark else Place(self.path)

    def _report(self, code: str, event: yaml.Event, message: str, hint: str = "") -> None:
        self.problems.append(problem(code, self._place(event), message, hint))

    def too_deep(self, error: _TooDeepError) -> Problem:
        message = f"the YAML is nested deeper than the limit of {self.depth}"
        return problem(
            "K108", self._place(error.event), message, "raise `extra.kb.limits.depth` in mkdocs.yml, or flatten it"
        )

    def unreadable(self, error: yaml.MarkedYAMLError) -> Problem:
        open_quote = "quoted scalar" in (error.context or "")  # what ends nowhere is to be mended where it begins
        place = self._at((open_quote and error.context_mark) or error.problem_mark or error.context_mark)
        return problem("K103", place, error.problem or "the YAML cannot be read", _hint(error))

    def bad_character(self, text: str, error: yaml.reader.ReaderError) -> Problem:
        before = text[: error.position]
        column = error.position - (before.rfind("\n") + 1) + 1
        place = Place(self.path, self.first_line + before.count("\n"), column)
        return problem("K103", place, f"the character U+{ord(text[error.position]):04X} cannot stand in YAML")


def _scalar(text: str) -> object:
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _NUMBER.fullmatch(text):
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            if str(read(text)) == text:
                return read(text)
        except ValueError:
            continue
    return text


def _hint(error: yaml.MarkedYAMLError) -> str:
    if error.problem and "mapping values are not allowed" in error.problem:
        return "put a value that holds `: ` in quotes"
    if error.problem and "cannot start any token" in error.problem:
        return "put a value that begins with this character in quotes"
    return ""


def front_matter(text: str) -> tuple[str | None, int]:
    """The YAML between `---` lines that open a file, and how many lines it takes with them; None, 0 if there is none.

    The lines of `text` end in `\\n`. A `---` with a blank line below it is a rule between paragraphs, not front matter.
    """
    found = _FRONT_MATTER.match(text)
    return (found["yaml"], found[0].count("\n")) if found else (None, 0)
