"""The schema of cards, read from the card template: templates/card.md of the knowledge base, else kb's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

from kb.markdown import Heading, headings, plain_text
from kb.plain_yaml import PlainMapping, front_matter, load_plain, place_of
from kb.problems import nearest, problem
from kb.records import Place, Problem
from kb.resources import templates_dir

Entry = TypeVar("Entry")

FILE = "templates/card.md"
KEY_PLACEHOLDER = "{author}{year}{venue}"
NAME_PLACEHOLDER = "NAME"

_LANGUAGES = ("zh", "en")
_SCHEMA_KEYS = ("citekey", "kinds", "sections")
_KIND_KEYS = (*_LANGUAGES, "also")
_SECTION_KEYS = (*_LANGUAGES, "also", "kinds", "optional", "publish")
_NUMBERING = re.compile(r"^\(?(?:\d{1,2}(?:\.\d{1,2})*|[一二三四五六七八九十]{1,3})(?:[.、)]|\s|$)\s*")
_JOINED = re.compile(r"\s*(?:[&/、,+]|\band\b|[与和及])\s*")
_KIND_ENDING = re.compile(r"\s*(?:性?类?(?:型|的)?(?:文章|论文|文献|工作)|性?类|\s(?:papers?|articles?))$")
_BESIDE_CJK = re.compile(r"(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])")


@dataclass(frozen=True, slots=True)
class KindSchema:
    """A kind of paper: its label by language, and what else a card may write for it."""

    id: str
    labels: Mapping[str, str]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaSection:
    """A section of a card: its label by language, and every heading that is accepted for it, the labels first."""

    id: str
    labels: Mapping[str, str]
    headings: tuple[str, ...]
    kinds: tuple[str, ...] | None = None  # the kinds of paper that are expected to have it; None for all
    optional: bool = False
    publish: bool = True  # whether the site shows it; `kb serve` always does

    def expected(self, kind: str) -> bool:
        """Whether a card of this kind ought to have the section; one whose kind is not known ought to."""
        return not self.optional and (self.kinds is None or not kind or kind in self.kinds)


@dataclass(frozen=True)
class Schema:
    """What the template says about cards. `template` is the card to fill in, `front_matter` goes above a new one."""

    sections: tuple[SchemaSection, ...] = ()
    kinds: Mapping[str, KindSchema] = field(default_factory=dict)
    citekey_pattern: str = r".+"
    template: str = ""
    front_matter: Mapping[str, object] = field(default_factory=dict)
    path: str = FILE

    def section_id(self, heading: str) -> str:
        """The id of the section that a heading opens; "" for a heading that the schema does not know."""
        wanted = normal_heading(heading)
        if wanted in self._headings:
            return self._headings[wanted]
        parts = sorted({self._headings.get(part, "") for part in _JOINED.split(wanted)})
        private = (part for part in parts if part in self.private)  # “Experiments and my thoughts” is not for all
        return parts[0] if len(parts) == 1 else next(private, "")

    def kind_id(self, text: str) -> str:
        """The id of the kind that a text names: all of it, or the first of several (`架构/综述`); "" for none."""
        for part in (text, *re.split(r"[/、,，|]", text)[:1]):
            wanted = normal_heading(part)
            for candidate in (wanted, _KIND_ENDING.sub("", wanted)):
                if candidate in self._kinds:
                    return self._kinds[candidate]
        return ""

    def match_citekey(self, key: str) -> re.Match[str] | None:
        """The match of the template's pattern with a whole citekey; its group `year`, if any, is the key's year."""
        letters = (letter for letter in key if not unicodedata.category(letter).startswith("M"))
        return self._citekey.fullmatch("".join(letters))

    def section(self, section_id: str) -> SchemaSection | None:
        """The section with this id."""
        return next((section for section in self.sections if section.id == section_id), None)

    @cached_property
    def private(self) -> frozenset[str]:
        """The ids of the sections that stay off the site."""
        return frozenset(section.id for section in self.sections if not section.publish)

    @cached_property
    def _citekey(self) -> re.Pattern[str]:
        return re.compile(self.citekey_pattern)

    @cached_property
    def _headings(self) -> dict[str, str]:
        return {normal_heading(text): section.id for section in reversed(self.sections) for text in section.headings}

    @cached_property
    def _kinds(self) -> dict[str, str]:
        return {
            normal_heading(text): kind.id
            for kind in reversed(tuple(self.kinds.values()))
            for text in (kind.id, *kind.labels.values(), *kind.aliases)
        }


@lru_cache(maxsize=4096)
def normal_heading(text: str) -> str:
    """A heading without what makes no difference to its meaning: case, width, numbering, marks at its ends."""
    text = unicodedata.normalize("NFKC", plain_text(text)).casefold()
    text = _NUMBERING.sub("", text.strip(), count=1) or text
    text = re.sub(r"^[\W_]+|[\W_]+$", "", text)
    return re.sub(r"\s+", " ", _BESIDE_CJK.sub("", text))


def load_schema(root: Path) -> tuple[Schema, list[Problem]]:
    """The schema of the root's template, or kb's own where it has none or one that cannot be used at all."""
    try:
        text = (root / FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return default_schema(), []
    except UnicodeDecodeError:
        return default_schema(), [problem("K602", Place(FILE), "the template is not UTF-8", "save it as UTF-8")]
    except OSError as error:
        return default_schema(), [problem("K602", Place(FILE), f"the template cannot be read: {error.strerror}")]
    schema, problems = parse_schema(text, FILE)
    return (schema if schema.sections else default_schema()), problems


def default_schema() -> Schema:
    """The schema of the template that comes with kb."""
    return parse_schema((templates_dir() / "card.md").read_text(encoding="utf-8"), FILE)[0]


def parse_schema(text: str, path: str) -> tuple[Schema, list[Problem]]:
    """The schema in a template's text, and every mistake in it."""
    source, lines = front_matter(text)
    data, found = load_plain(source or "", path, first_line=2)
    problems = [replace(each, code="K602") for each in found]
    body = "".join(text.splitlines(keepends=True)[lines:])
    if not isinstance(data, PlainMapping) or "schema" not in data:
        if not problems:
            problems.append(problem("K602", Place(path), "there is no `schema:` in the front matter", _SEE_DEFAULT))
        return Schema(template=body.lstrip("\n"), path=path), problems
    reader = _Reader(path, problems)
    schema = reader.schema(reader.mapping(data, "schema", Place(path)))
    rest = {key: value for key, value in data.items() if key != "schema"}
    schema = replace(schema, template=body.lstrip("\n"), front_matter=rest, path=path)
    return schema, problems + list(_template_problems(schema, body, lines))


_SEE_DEFAULT = "`kb init` in an empty folder writes a template with one"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of `schema:`; what cannot be used is reported and left out."""

    path: str
    problems: list[Problem]

    def schema(self, data: PlainMapping) -> Schema:
        self._known(data, _SCHEMA_KEYS, Place(self.path))
        kinds = self._each(data, "kinds", self._kind)
        sections = tuple(self._each(data, "sections", self._section).values())
        self._check_headings(data, sections)
        self._check_kinds(data, sections, kinds)
        pattern = self._pattern(data)
        return Schema(sections, kinds, pattern) if pattern else Schema(sections, kinds)

    def mapping(self, data: object, key: str, default: Place) -> PlainMapping:
        value = data.get(key) if isinstance(data, PlainMapping) else None
        if isinstance(value, PlainMapping):
            return value
        missing = isinstance(data, PlainMapping) and key not in data
        message = f"there is no `{key}:`" if missing else f"`{key}` must be a mapping of names to values"
        self._report(place_of(data, key, default), message)
        return PlainMapping()

    def _each(self, data: PlainMapping, key: str, read: Callable[[str, object, Place], Entry]) -> dict[str, Entry]:
        entries = self.mapping(data, key, Place(self.path))
        return {name: read(name, value, entries.value_places[name]) for name, value in entries.items()}

    def _kind(self, name: str, value: object, place: Place) -> KindSchema:
        data = self._labelled(name, value, place, _KIND_KEYS)
        return KindSchema(name, _labels(name, data), self._texts(data, "also", place))

    def _section(self, name: str, value: object, place: Place) -> SchemaSection:
        data = self._labelled(name, value, place, _SECTION_KEYS)
        labels = _labels(name, data)
        accepted = tuple(dict.fromkeys([*labels.values(), *self._texts(data, "also", place)]))
        kinds = self._texts(data, "kinds", place) if "kinds" in data else None
        optional, publish = self._switch(data, "optional", False, place), self._switch(data, "publish", True, place)
        return SchemaSection(name, labels, accepted, kinds, optional, publish)

    def _switch(self, data: PlainMapping, key: str, default: bool, place: Place) -> bool:
        """Yes or no; what is neither stays unpublished, and is not optional."""
        value = data.get(key, default)
        if not isinstance(value, bool):
            self._report(place_of(data, key, place), f"`{key}` must be true or false")
        return value is True

    def _labelled(self, name: str, value: object, place: Place, known: Iterable[str]) -> PlainMapping:
        """The mapping under a name; a text alone is the label in every language."""
        if isinstance(value, str):
            short = PlainMapping()
            short.update({"also": [value]} | dict.fromkeys(_LANGUAGES, value))
            return short
        if not isinstance(value, PlainMapping):
            self._report(place, f"`{name}` must hold its labels", "write `{zh: …, en: …}`")
            return PlainMapping()
        self._known(value, known, place)
        for language in _LANGUAGES:
            if language in value and not isinstance(value[language], str):
                self._report(place_of(value, language, place), f"the label `{language}` of `{name}` must be a text")
        return value

    def _texts(self, data: PlainMapping, key: str, place: Place) -> tuple[str, ...]:
        value = data.get(key)
        items = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        if value is not None and (not items or not all(isinstance(item, str) for item in items)):
            self._report(place_of(data, key, place), f"`{key}` must be a list of texts")
        return tuple(item for item in items if isinstance(item, str))

    def _pattern(self, data: PlainMapping) -> str:
        pattern, place = data.get("citekey", ""), place_of(data, "citekey", Place(self.path))
        if not isinstance(pattern, str):
            self._report(place, "`citekey` must be a regular expression")
            return ""
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            self._report(place, f"`citekey` is not a regular expression: {error}")
            return ""
        return pattern

    def _check_headings(self, data: PlainMapping, sections: Iterable[SchemaSection]) -> None:
        owners: dict[str, str] = {}
        for section in sections:
            for heading in section.headings:
                owner = owners.setdefault(normal_heading(heading), section.id)
                if owner != section.id:
                    place = self._heading_place(data, section.id, heading)
                    self._report(place, f"the heading `{heading}` stands for `{owner}` already", "keep one of the two")

    def _heading_place(self, data: PlainMapping, section_id: str, heading: str) -> Place:
        entries = data["sections"]
        place = place_of(entries, section_id, Place(self.path))
        entry = entries[section_id] if isinstance(entries, PlainMapping) else None
        also = entry.get("also") if isinstance(entry, PlainMapping) else None
        if isinstance(also, list) and heading in also:
            return place_of(also, also.index(heading), place)
        language = next((each for each in _LANGUAGES if isinstance(entry, dict) and entry.get(each) == heading), "")
        return place_of(entry, language, place)

    def _check_kinds(
        self, data: PlainMapping, sections: Iterable[SchemaSection], kinds: Mapping[str, KindSchema]
    ) -> None:
        for section in sections:
            for index, kind in enumerate(section.kinds or ()):
                if kind not in kinds:
                    entry = self.mapping(data["sections"], section.id, Place(self.path))
                    place = place_of(entry, "kinds", Place(self.path))
                    place = place_of(entry.get("kinds"), index, place)
                    self._report(place, f"there is no kind `{kind}`", nearest(kind, kinds))

    def _known(self, data: PlainMapping, known: Iterable[str], default: Place) -> None:
        for key in data:
            if key not in known:
                self._report(data.places.get(key, default), f"`{key}` means nothing here", nearest(key, known))

    def _report(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(problem("K602", place, message, hint))


def _labels(name: str, data: Mapping[str, object]) -> dict[str, str]:
    """A label for every language: one that is not given is another's, or the id."""
    given = {language: data[language] for language in _LANGUAGES if isinstance(data.get(language), str)}
    fallback = next(iter(given.values()), name)
    return {language: str(given.get(language, fallback)) for language in _LANGUAGES}


def _template_problems(schema: Schema, body: str, lines: int) -> Iterator[Problem]:
    """Where the card in the template does not fit the schema above it."""
    found = headings(body)
    title = next((heading for heading in found if "{" in heading.text), None)
    if title is None:
        hint = f"write `### {NAME_PLACEHOLDER}: {KEY_PLACEHOLDER}`"
        yield problem("K602", Place(schema.path, lines + 1), "the template holds no card", hint)
        return
    if KEY_PLACEHOLDER not in title.text:
        place = Place(schema.path, lines + title.line + 1)
        yield problem("K602", place, "the card's heading has no place for its citekey", f"write `{KEY_PLACEHOLDER}`")
    below = [heading for heading in found if heading.line > title.line and heading.level == title.level + 1]
    yield from _unknown_headings(schema, below, lines)
    there = {schema.section_id(heading.text) for heading in below}
    for section in schema.sections:
        if not section.optional and section.id not in there:
            message = f"the card has no heading for the section `{section.id}`"
            hint = f"write `{'#' * (title.level + 1)} {section.headings[0]}`"
            yield problem("K602", Place(schema.path, lines + title.line + 1), message, hint)


def _unknown_headings(schema: Schema, found: Iterable[Heading], lines: int) -> Iterator[Problem]:
    for heading in found:
        if not schema.section_id(heading.text):
            message = f"the heading `{heading.text}` belongs to no section of the schema"
            place = Place(schema.path, lines + heading.line + 1)
            yield problem("K602", place, message, "name it under `sections`, in one section's `also`")
