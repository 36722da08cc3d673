"""Importing notes: one card per file, to the letter, with the definitions and images that it uses.

Nothing is written over unless asked, and nothing is left out in silence: the report names every line of a source
that went into no card.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import yaml

from kb import writing
from kb.encoding import decode, split_lines, without_marks
from kb.heads import shared_front_matter
from kb.markdown import definitions, links
from kb.notes import parse_note
from kb.plain_yaml import front_matter, load_plain
from kb.problems import in_order, problem
from kb.records import Card, Note, Place, Problem, Slice
from kb.schema import Schema, load_schema
from kb.settings import Settings, load_settings
from kb.slicing import in_definition

Outcome = Literal["written", "overwritten", "unchanged", "kept", "refused"]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one card: how it was read, and the file it was written to ("" where it was refused)."""

    card: Card
    target: str
    outcome: Outcome
    images: tuple[str, ...] = ()  # copied beside it


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Lines of a source that went into no card."""

    place: Place
    beginning: str  # the first of them that says something
    template: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and what became of it."""

    imported: tuple[Imported, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Import:
    """An import under way."""

    settings: Settings
    schema: Schema
    into: Path
    force: bool
    problems: list[Problem] = field(default_factory=list)
    imported: list[Imported] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    targets: dict[str, Card] = field(default_factory=dict)


def import_files(
    paths: Iterable[Path], root: Path, into: Path | None = None, *, force: bool = False, encoding: str = "utf-8"
) -> Report:
    """Write each card of these files into a note of its own; folders stand for the Markdown files in them."""
    settings, problems = load_settings(root)
    schema, schema_problems = load_schema(root)
    work = _Import(settings, schema, into or root / settings.notes, force, [*problems, *schema_problems])
    for path in _files(paths):
        _import_file(path, encoding, work)
    return Report(tuple(work.imported), tuple(work.left_out), tuple(in_order(work.problems)))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(each for each in path.rglob("*.md") if each.is_file()) if path.is_dir() else [path]


def _import_file(path: Path, encoding: str, work: _Import) -> None:
    shown = path.as_posix()
    try:
        text = decode(path.read_bytes(), shown, encoding)
    except OSError as error:
        text = problem("K101", Place(shown), f"the file cannot be read: {error.strerror}")
    if isinstance(text, Problem):
        work.problems.append(text)
        return
    note = parse_note(text, shown, work.schema, work.settings)
    work.problems += note.problems
    work.left_out += _left_out(note)
    above = _front_matter_for_each(text, note)
    cards = (each for each in note.slices if each.kind == "card")
    for card, source in zip(note.cards, cards, strict=True):
        _import_card(card, _new_text(card, source, above, text), path, work)


def _import_card(card: Card, text: str, path: Path, work: _Import) -> None:
    name = f"{card.citekey}.md" if card.lang == work.settings.language else f"{card.citekey}.{card.lang}.md"
    refusal = _refusal(card, name, work)
    if refusal:
        work.problems.append(refusal)
        work.imported.append(Imported(card, "", "refused"))
        return
    work.targets[name.casefold()] = card
    target = work.into / name
    outcome = _write(target, text.encode("utf-8"), work.force)
    images = () if outcome == "kept" else tuple(_copy_images(card, path.parent, work))
    work.imported.append(Imported(card, target.as_posix(), outcome, images))


def _refusal(card: Card, name: str, work: _Import) -> Problem | None:
    """Why a card cannot have a file of its own: a key that is no file name, or that another card has."""
    place = Place(card.path, card.line)
    if not is_file_name(name):
        return problem(
            "K204", place, f"`{card.citekey}` cannot name a file", "give the card a citekey such as `He2016CVPR`"
        )
    earlier = work.targets.get(name.casefold())
    if earlier:
        hint = "give one of the two another key"
        return problem("K206", place, f"{earlier.path}:{earlier.line} has been imported as `{name}`", hint)
    return None


def is_file_name(name: str) -> bool:
    """Whether a note may be called so on every file system."""
    return name.isprintable() and not name.startswith(".") and not set(name) & set('/\\:*?"<>|') and len(name) < 200


def _write(target: Path, content: bytes, force: bool) -> Outcome:
    if not target.exists():
        writing.replace_atomically(target, content)
        return "written"
    if target.read_bytes() == content:
        return "unchanged"
    if not force:
        return "kept"
    writing.replace_atomically(target, content)
    return "overwritten"


def _copy_images(card: Card, folder: Path, work: _Import) -> Iterator[str]:
    """Copy the images that lie beside or below the source note to the same place beside the new one."""
    for target, place in dict(_image_paths(card)).items():
        source, copy = folder / target, work.into / target
        if target.startswith("../") or Path(target).is_absolute():
            hint = "copy it below the folder of the note, and name it relative to the note"
            work.problems.append(problem("K305", place, f"the image `{target}` lies outside the note's folder", hint))
        elif not source.is_file():
            work.problems.append(problem("K304", place, f"there is no image `{target}`"))
        elif _write(copy, source.read_bytes(), work.force) == "kept":
            message = f"`{copy.as_posix()}` is there already and is another image"
            work.problems.append(
                problem("K304", place, message, "rename one of them; --overwrite replaces the old one")
            )
        else:
            yield target


def _image_paths(card: Card) -> Iterator[tuple[str, Place]]:
    texts = ((card.intro, card.intro_line), *((each.markdown, each.line + 1) for each in card.sections))
    for text, line in texts:
        for link in links(text, line):
            parts = urlsplit(link.target)
            if link.kind == "image" and not parts.scheme and not parts.netloc and parts.path:
                yield posixpath.normpath(parts.path.replace("\\", "/")), Place(card.path, link.line, link.column)


def _new_text(card: Card, source: Slice, above: str, text: str) -> str:
    """The text of a card's own note: front matter, the card to the letter, the definitions that it lacks."""
    end = "\r\n" if "\r\n" in text else "\n"
    own = definitions(without_marks(source.text))
    carried = [each for label, each in sorted(definitions(card.definitions).items()) if label not in own]
    card_text = source.text.removeprefix("\ufeff")
    parts = [f"{above}\n" if above else "", card_text if card_text.endswith(("\n", "\r")) else card_text + end]
    if carried:
        parts.append("\n---\n\n" + "".join(f"{each}\n" for each in carried))
    return parts[0].replace("\n", end) + parts[1] + "".join(parts[2:]).replace("\n", end)


def _front_matter_for_each(text: str, note: Note) -> str:
    """The front matter for each new note: all of it for one card, for several what is not about one paper alone."""
    plain = without_marks(text)
    source, lines = front_matter(plain)
    if source is None:
        return ""
    if len(note.cards) < 2:
        return "".join(split_lines(plain)[:lines])
    shared = shared_front_matter(load_plain(source, note.path)[0])
    return f"---\n{yaml.safe_dump(shared, allow_unicode=True, sort_keys=False)}---\n" if shared else ""


def _left_out(note: Note) -> Iterator[LeftOut]:
    """What a note holds besides its cards, but for front matter, rules, definitions and `[toc]`."""
    for each in note.slices:
        lines = split_lines(without_marks(each.text))
        if each.kind == "template":
            yield LeftOut(Place(note.path, each.line), lines[0].strip(), template=True)
        elif each.kind != "card":
            start = front_matter("".join(lines))[1] if each.line == 1 else 0
            rest = [number for number in range(start, len(lines)) if _says_something(number, lines)]
            if rest:
                yield LeftOut(Place(note.path, each.line + rest[0]), lines[rest[0]].strip())


def _says_something(number: int, lines: Sequence[str]) -> bool:
    line = lines[number].strip()
    return bool(line.strip("-*_ \t")) and line.casefold() != "[toc]" and not in_definition(number, lines)


def format_report(report: Report) -> str:
    """The report as text: each card with how it was read and where it went, then what was left out, then the sum."""
    lines = [line for each in report.imported for line in _card_lines(each)]
    lines += [f"{_where(each.place)}  {_LEFT_OUT[each.template]}: {each.beginning}" for each in report.left_out]
    outcomes = Counter(each.outcome for each in report.imported)
    total = _count(len(report.imported), "card")
    parts = [f"{count} {outcome}" for outcome, count in outcomes.items()]
    return "\n".join([*lines, f"{total}: {', '.join(parts)}" if parts else f"{total} found"]) + "\n"


_LEFT_OUT = {True: "a template, left out", False: "in no card, left out"}
_OUTCOMES: Mapping[Outcome, str] = {
    "written": "written to {}",
    "overwritten": "written over {}",
    "unchanged": "unchanged: {}",
    "kept": "kept as it was, and differs: {} (--overwrite replaces it)",
    "refused": "not written",
}


def _where(place: Place) -> str:
    return f"{place.path}:{place.line}"


def _card_lines(each: Imported) -> Iterator[str]:
    card, citation = each.card, each.card.citation
    yield f"{_where(Place(card.path, card.line))}  {card.citekey}  {_OUTCOMES[each.outcome].format(each.target)}"
    read = {
        "name": card.name,
        "kind": card.kind,
        "authors": ", ".join(citation.authors) + (" et al." if citation.et_al else ""),
        "title": citation.title,
        "venue": citation.venue,
        "year": str(citation.year or ""),
        "sections": ", ".join(section.id or f"{section.heading} (not in the template)" for section in card.sections),
    }
    yield from (f"    {name:9}{value or '-'}" for name, value in read.items())
    found = (("formula", card.equations), ("model", card.models), ("row of results", card.results))
    counted = [_count(len(items), noun) for noun, items in (*found, ("image", each.images)) if items]
    if counted:
        yield f"    {'with':9}{', '.join(counted)}"


def _count(number: int, noun: str) -> str:
    first, _, rest = noun.partition(" ")
    return f"{number} {first}{'' if number == 1 else 's'} {rest}".rstrip()
