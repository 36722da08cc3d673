"""Files of cards in kb's own form, one or many in a file: each card to the letter, with the definitions it uses."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from kb.encoding import split_lines, without_marks
from kb.heads import read_heading, shared_front_matter
from kb.importers.composing import dump, has_gaps
from kb.importers.linking import Places, Target, relink
from kb.importers.obsidian import plain_lines
from kb.importers.records import Copy, LeftOut, NewNote, Reading, Source
from kb.importers.tidying import Tidied, tidy
from kb.markdown import definitions, links
from kb.notes import parse_note
from kb.plain_yaml import front_matter, load_plain
from kb.problems import problem
from kb.records import Card, Note, Place, Problem, Slice
from kb.schema import Schema
from kb.settings import Settings
from kb.slicing import in_definition


@dataclass(frozen=True, slots=True)
class Cards:
    """A file of cards, read: its text may have been tidied, and its lines then stand elsewhere than in the source."""

    source: Source
    text: str
    tidied: Tidied
    note: Note

    def place(self, place: Place) -> Place:
        """Where a place in the text stands in the source."""
        origins = self.tidied.origins
        line = origins[min(place.line, len(origins)) - 1] if self.text != self.source.text and origins else place.line
        return replace(place, line=line)


def read_cards(source: Source, schema: Schema, settings: Settings) -> Cards:
    """The cards of a file."""
    tidied = tidy(without_marks(source.text), schema, schema.section_id)
    changed = bool(tidied.headings or tidied.composed or tidied.metadata)
    text = _ends(tidied.text, source.text) if changed else source.text
    return Cards(source, text, tidied, parse_note(text, source.shown, schema, settings))


def _ends(text: str, source: str) -> str:
    """A text with the line ends of its source."""
    return text.replace("\n", "\r\n") if "\r\n" in source else text


def are_cards(cards: Cards, schema: Schema) -> bool:
    """Whether a file holds cards in kb's form: a citekey of the template's, or one behind a colon below which a
    blockquote of kind or citation stands; or several cards of any key.
    """
    found = cards.note.cards
    return len(found) > 1 or any(_is_card(card, schema) for card in found)


def _is_card(card: Card, schema: Schema) -> bool:
    if schema.match_citekey(card.citekey):
        return True
    heading = card.head.partition("\n")[0].lstrip("# ").strip()
    keyed = read_heading(heading, schema)[0] not in ("", card.citekey) and len(card.citekey.split()) == 1
    return keyed and any(line.lstrip().startswith(">") for line in card.head.splitlines()[1:])


def target(cards: Cards) -> Target | None:
    """Where links to the file lead: to its first card."""
    return Target(cards.note.cards[0].citekey) if cards.note.cards else None


Relinked = tuple[Cards, list[str], list[Problem]]


def relinked(cards: Cards, places: Places, schema: Schema, settings: Settings) -> Relinked:
    """The same file with its links led anew, as a vault's notes need it; with remarks and problems."""
    plain = without_marks(cards.text)
    start = front_matter(plain)[1]
    lines, _ = plain_lines(split_lines(plain), start)
    found = relink(
        lines,
        start,
        lambda line, column: cards.place(Place(cards.source.shown, line + 1, column + 1)),
        cards.source.inside,
        places,
    )
    text = _ends("".join(found.lines), cards.text)
    if text == cards.text:
        return cards, [], found.problems
    note = parse_note(text, cards.source.shown, schema, settings)
    return replace(cards, text=text, note=note), list(found.remarks()), found.problems


# ------------------------------------------------------------------------------------------------------- new notes


def new_notes(cards: Cards, schema: Schema, settings: Settings, files: Mapping[str, Path] | None = None) -> Reading:
    """A note for each card. Its pictures lie beside the source; within a vault, whose `files` are given, anywhere."""
    note = cards.note
    above = _front_matter_for_each(cards.text, note)
    slices = (each for each in note.slices if each.kind == "card")
    notes: list[NewNote] = []
    problems = [replace(each, place=cards.place(each.place)) for each in note.problems]
    for card, source in zip(note.cards, slices, strict=True):
        front = above if card.status or not has_gaps(card, schema, settings) else _of_draft(above)
        copies, missing = _copies(card, cards, files)
        problems += missing
        status = card.status or ("draft" if front != above else "")
        moved = replace(card, line=cards.place(Place("", card.line)).line, status=status)
        text = _new_text(card, source, front, cards.text)
        notes.append(NewNote(moved, text, tuple(copies), tuple(_remarks(card, cards))))
    return Reading(tuple(notes), tuple(_left_out(cards)), tuple(problems))


def _remarks(card: Card, cards: Cards) -> list[str]:
    """What was tidied within a card's lines."""
    if cards.text == cards.source.text:
        return []
    first, last = (cards.place(Place("", line)).line for line in (card.line, card.end_line))
    tidied = cards.tidied
    changes = (tidied.headings, tidied.composed, tidied.metadata)
    within = [tuple(number for number in lines if first <= number <= last) for lines in changes]
    return list(replace(tidied, headings=within[0], composed=within[1], metadata=within[2]).remarks())


def _of_draft(above: str) -> str:
    """The front matter of a card with gaps: as a draft's they are warnings, else they would stop every build."""
    end = above.rstrip("\n").removesuffix("---").removesuffix("...") if above else "---\n"
    return f"{end}status: draft\n---\n"


def _copies(card: Card, cards: Cards, files: Mapping[str, Path] | None) -> tuple[list[Copy], list[Problem]]:
    copies: list[Copy] = []
    problems: list[Problem] = []
    for path, at in dict(_image_paths(card)).items():
        place = cards.place(at)
        source = cards.source.path.parent / path if files is None else files.get(path, Path())
        if path.startswith("../") or Path(path).is_absolute():
            hint = "copy it below the folder of the note, and name it relative to the note"
            problems.append(problem("K305", place, f"the image `{path}` lies outside the note's folder", hint))
        elif not source.is_file():
            problems.append(problem("K304", place, f"there is no image `{path}`"))
        else:
            copies.append(Copy(source, path, place))
    return copies, problems


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
    return f"---\n{dump(shared)}---\n" if shared else ""


def _left_out(cards: Cards) -> Iterator[LeftOut]:
    """What a note holds besides its cards, but for front matter, rules, definitions and `[toc]`."""
    for each in cards.note.slices:
        lines = split_lines(without_marks(each.text))
        place = cards.place(Place(cards.source.shown, each.line))
        if each.kind == "template":
            yield LeftOut(place, lines[0].strip(), "a template")
        elif each.kind != "card":
            start = front_matter("".join(lines))[1] if each.line == 1 else 0
            rest = [number for number in range(start, len(lines)) if _says_something(number, lines)]
            if rest:
                place = cards.place(Place(cards.source.shown, each.line + rest[0]))
                yield LeftOut(place, lines[rest[0]].strip(), more=len(rest) - 1)


def _says_something(number: int, lines: Sequence[str]) -> bool:
    line = lines[number].strip()
    return bool(line.strip("-*_ \t")) and line.casefold() != "[toc]" and not in_definition(number, lines)
