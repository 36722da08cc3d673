"""The mapping: which headings of other people's notes are which section of a card, and where its fields stand.

`kb import FOLDER --propose mapping.yml` writes one after reading the notes; `--mapping mapping.yml` reads it. Without
one, headings are read as the proposal would.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import yaml

from kb.heads import field_names
from kb.plain_yaml import PlainMapping, load_plain, place_of
from kb.problems import nearest, problem
from kb.records import Place, Problem
from kb.schema import Schema, normal_heading

KEEP, LEAVE_OUT = "keep", "leave out"
FIRST_HEADING, FILE_NAME, ABOVE = "(first heading)", "(file name)", "(introduction)"
SPECIAL: Mapping[str, tuple[str, ...]] = {  # the places of a field that are no names, and whether a proposal has them
    "title": (FIRST_HEADING, FILE_NAME),
    "name": (FIRST_HEADING, FILE_NAME),
    "citekey": (FILE_NAME, FIRST_HEADING),
    "year": (FILE_NAME,),
    "arxiv": (ABOVE, FILE_NAME),
    "doi": (ABOVE,),
}
_PROPOSED = ("title", "citekey", "authors", "venue", "year", "arxiv", "doi", "url", "code", "tags", "kind")
_LONGEST_HEADING = 60  # characters of a heading that is guessed; longer ones are sentences
_SHOWN = 60  # headings that a proposal lists; the others are in few notes
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class NoteMapping:
    """What each heading stands for, and under which names each field is found, the best first."""

    schema: Schema
    headings: Mapping[str, str] = field(default_factory=dict)  # normal form: section id, KEEP or LEAVE_OUT
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guess: bool = True  # whether headings that are not listed are guessed

    def meaning(self, heading: str) -> str:
        """What a heading stands for: a section's id, LEAVE_OUT, or "" for a section of its own."""
        listed = self.headings.get(normal_heading(heading))
        if listed is not None:
            return "" if listed == KEEP else listed
        return guess(heading, self.schema) if self.guess else self.schema.section_id(heading)

    def section(self, heading: str) -> str:
        """The id of the section that a heading opens; "" for one that is kept or left out."""
        meaning = self.meaning(heading)
        return "" if meaning == LEAVE_OUT else meaning

    def field_of(self, name: str) -> str:
        """The field that a name in front matter or on a line of its own stands for; "" for none."""
        wanted = name.strip().casefold()
        known = self._names.get(wanted, "")
        return known or (guess_field(wanted) if self.guess else "")

    def special(self, field_id: str, place: str) -> bool:
        """Whether a field may stand at one of the places that are no names."""
        listed = self.fields.get(field_id)
        return place in (SPECIAL.get(field_id, ()) if listed is None else listed)

    @cached_property
    def _names(self) -> dict[str, str]:
        given = {name.casefold(): field_id for field_id, names in self.fields.items() for name in names}
        return {**_OWN_NAMES, **field_names(), **given}


_OWN_NAMES = {
    **dict.fromkeys(
        ("citekey", "citation key", "citation-key", "citationkey", "cite key", "cite-key", "bibkey"), "citekey"
    ),
    **dict.fromkeys(("published", "publication", "publicationtitle", "proceedings", "booktitle"), "venue"),
    **dict.fromkeys(("paper title", "full title", "论文名", "论文名称", "英文标题"), "title"),
    **dict.fromkeys(("authors(s)", "author(s)", "论文作者"), "authors"),
    **dict.fromkeys(("arxiv number", "arxiv_id", "arxivid", "eprint"), "arxiv"),
    **dict.fromkeys(("发表会议", "发表期刊", "会议名称", "期刊名称"), "venue"),
    **dict.fromkeys(("发表时间", "publication year", "published year"), "year"),
    **dict.fromkeys(("shorttitle", "short title", "short_title"), "name"),
}


# Words of headings and names that speak for a section or a field, beside the template's own.
_CLUES = {
    "problem": r"why|gap|need|痛点|缺陷|为什么|针对",
    "method": r"what (?:they|we|it) d(?:id|oes?)|how|propos\w+|design|pipeline|framework|做法|怎么做|创新|框架|改进",
    "experiments": r"numbers?|ablations?|benchmarks?|tables?|scores?|accuracy|comparisons?|消融|对比|指标|数据",
}
_FIELD_CLUES = {
    "venue": r"publish\w*|venue|conference|journal|会议|期刊|发表",
    "title": r"title|题目|标题",
    "authors": r"authors?|作者",
    "year": r"year|年份",
    "code": r"code|github|代码",
}


def guess_field(name: str) -> str:
    """The field that a name looks like."""
    return next((field_id for field_id, clue in _FIELD_CLUES.items() if re.search(_whole(clue), name)), "")


def _whole(clue: str) -> str:
    """A clue as whole words: `\\b` stands between letters of Chinese and others only."""
    return rf"(?<![a-z])(?:{clue})(?![a-z])"


def guess(heading: str, schema: Schema) -> str:
    """The section that a heading looks like: one of its accepted headings stands in it as a word, the longest wins."""
    known = schema.section_id(heading)
    if known:
        return known
    wanted = normal_heading(heading)
    words = f" {' '.join(_WORDS.findall(wanted))} "
    best = ("", 0)
    for section in schema.sections:
        for accepted in section.headings:
            form = normal_heading(accepted)
            if len(form) > best[1] and _stands_in(form, wanted, words):
                best = (section.id, len(form))
    by_clue = (section.id for section in schema.sections if re.search(_whole(_CLUES.get(section.id, "(?!)")), wanted))
    return (best[0] or next(by_clue, "")) if len(wanted) <= _LONGEST_HEADING else ""


def _stands_in(form: str, wanted: str, words: str) -> bool:
    """Whether an accepted heading stands in another: Chinese words anywhere, others as whole words."""
    if re.search(r"[\u3400-\u9fff]", form):
        return len(form) > 1 and form in wanted
    return len(form) > 3 and (f" {form} " in words or f" {form}s " in words)


# ------------------------------------------------------------------------------------------------------- reading


def read_mapping(text: str, path: str, schema: Schema) -> tuple[NoteMapping, list[Problem]]:
    """The mapping in a YAML text, and every mistake in it."""
    data, problems = load_plain(text.removeprefix("\ufeff"), path)
    problems = [replace(each, code="K605") for each in problems]
    if not isinstance(data, PlainMapping):
        if not problems:
            hint = "kb import FOLDER --propose FILE writes one"
            problems.append(problem("K605", Place(path), "the mapping holds no `headings:`", hint))
        return NoteMapping(schema), problems
    for name in data:
        if name not in ("headings", "fields"):
            hint = nearest(name, ("headings", "fields"))
            problems.append(problem("K605", data.places[name], f"`{name}` means nothing here", hint))
    headings = dict(_headings(data, path, schema, problems))
    return NoteMapping(schema, headings, dict(_fields(data, path, problems)), guess=False), problems


def _headings(data: PlainMapping, path: str, schema: Schema, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    known = (*(section.id for section in schema.sections), KEEP, LEAVE_OUT)
    for name, value in _mapping(data, "headings", path, problems).items():
        if value in known:
            yield normal_heading(name), str(value)
        else:
            place = place_of(data["headings"], name, Place(path))
            message = f"`{value}` is no section of the template"
            problems.append(problem("K605", place, message, nearest(str(value), known)))


def _fields(data: PlainMapping, path: str, problems: list[Problem]) -> Iterator[tuple[str, tuple[str, ...]]]:
    known = sorted({*field_names().values(), "citekey"})
    for name, value in _mapping(data, "fields", path, problems).items():
        place = place_of(data["fields"], name, Place(path))
        names = [value] if isinstance(value, str) else value
        if name not in known:
            problems.append(problem("K605", place, f"`{name}` is no field of a card", nearest(name, known)))
        elif not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            problems.append(problem("K605", place, f"`{name}` must be a list of names", "write `[会议, Venue]`"))
        elif wrong := [each for each in names if each.startswith("(") and each not in SPECIAL.get(name, ())]:
            hint = nearest(wrong[0], SPECIAL.get(name, ())) or "write a name that the notes use"
            problems.append(problem("K605", place, f"`{wrong[0]}` is no place for `{name}`", hint))
        else:
            yield name, tuple(names)


def _mapping(data: PlainMapping, key: str, path: str, problems: list[Problem]) -> PlainMapping:
    value = data.get(key)
    if value is not None and not isinstance(value, PlainMapping):
        problems.append(
            problem("K605", place_of(data, key, Place(path)), f"`{key}` must be a mapping of names to values")
        )
    return value if isinstance(value, PlainMapping) else PlainMapping()


# ------------------------------------------------------------------------------------------------------ proposing


@dataclass(frozen=True, slots=True)
class Habits:
    """What a number of notes have in common: in how many of them a heading, a name of a field, or a place is used."""

    notes: int
    headings: Counter[str]  # by the form that is written most
    names: Mapping[str, Counter[str]]  # by field
    places: Mapping[str, Counter[str]]  # by field: the special places where its value was found
    unknown: Counter[str]  # names on lines of metadata that stand for no field


_TOP = """\
# How `kb import` reads these notes. Proposed after reading {count}; change it as you like, then:
#   kb import {folder} --mapping {path} --dry-run    (shows what would become what, and writes nothing)
#   kb import {folder} --mapping {path}

# What stands below each heading: one of the template's sections ({sections}),
# `keep` for a section of its own, `leave out` for what is not to be imported (the report names it).
# Several headings of one section are joined, each as a heading within it. Case, numbering and a colon at the end make
# no difference. What is not listed is kept.
"""
_BETWEEN = """
# Where each field of a card stands: names in the front matter, or on lines of their own (`**会议**: CVPR 2025`,
# `- Venue: CVPR`, `year:: 2025`) above the first section; the first that is there counts. Besides:
# {first} and {file} for the title, citekey and name; {file} for the year; {above}, the text
# above the first section, for the arXiv number and the DOI. The usual names are known without being listed.
"""


def propose(habits: Habits, schema: Schema, folder: str, path: str) -> str:
    """The mapping file for notes with these habits, with comments that say how often each heading occurs."""
    sections = ", ".join(f"`{section.id}`" for section in schema.sections)
    top = _TOP.format(count=_of_notes(habits.notes), folder=folder, path=path, sections=sections)
    between = _BETWEEN.format(first=FIRST_HEADING, file=FILE_NAME, above=ABOVE)
    lines = list(_proposed_headings(habits, schema))
    return "".join([top, "headings:", *lines, "\n", between, "fields:", *_proposed_fields(habits), "\n"])


def _of_notes(count: int) -> str:
    return f"{count:,} note{'' if count == 1 else 's'}"


def _proposed_headings(habits: Habits, schema: Schema) -> Iterator[str]:
    order = {section.id: number for number, section in enumerate(schema.sections)}
    meanings = {heading: guess(heading, schema) or KEEP for heading in habits.headings}
    often = [heading for heading, count in habits.headings.most_common() if count > 1 or meanings[heading] != KEEP]
    shown = often[:_SHOWN] or [heading for heading, _ in habits.headings.most_common(_SHOWN)]
    if not shown:
        yield " {}"
    for heading in sorted(shown, key=lambda each: (order.get(meanings[each], len(order)), -habits.headings[each])):
        count = habits.headings[heading]
        yield f"\n  {_scalar(heading)}: {meanings[heading]}  # in {count:,} of {habits.notes:,}"
    rest = len(habits.headings) - len(shown)
    if rest:
        yield f"\n  # and {rest:,} that stand in few notes: kept"


def _proposed_fields(habits: Habits) -> Iterator[str]:
    any_field = False
    for field_id in _PROPOSED:
        used, places = habits.names.get(field_id, Counter()), habits.places.get(field_id, Counter())
        names = [name for name, _ in used.most_common()] + [name for name, _ in places.most_common()]
        if names:
            any_field = True
            counts = ", ".join(f"{name} in {(used | places)[name]:,}" for name in names)
            yield f"\n  {field_id}: [{', '.join(map(_scalar, names))}]  # {counts}"
    if not any_field:
        yield " {}"
    for name, count in habits.unknown.most_common(20):
        yield f"\n  # {name}: in {count:,}, no field of a card; kept as it is"


def _scalar(text: str) -> str:
    """A text as a YAML scalar on one line."""
    dumped = yaml.safe_dump(text, allow_unicode=True, width=10**6, default_flow_style=True)
    return dumped.removesuffix("\n").removesuffix("\n...").strip()


def habits_of(
    headings: Sequence[Iterable[str]],
    names: Iterable[Iterable[tuple[str, str]]],
    places: Iterable[Iterable[tuple[str, str]]],
    unknown: Iterable[Iterable[str]],
) -> Habits:
    """The habits of notes, from what each has: headings, (field, name) pairs, (field, place) pairs, unknown names."""
    forms: dict[str, Counter[str]] = {}
    count: Counter[str] = Counter()
    for of_note in headings:
        written = {normal_heading(each): each for each in of_note}
        for form, heading in written.items():
            forms.setdefault(form, Counter())[heading] += 1
            count[form] += 1
    shown = Counter({forms[form].most_common(1)[0][0]: number for form, number in count.items()})
    return Habits(
        len(headings), shown, _by_field(names), _by_field(places), Counter(n for each in unknown for n in set(each))
    )


def _by_field(notes: Iterable[Iterable[tuple[str, str]]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for of_note in notes:
        for field_id, name in dict.fromkeys(of_note):
            found.setdefault(field_id, Counter())[name] += 1
    return found
