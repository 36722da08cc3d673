"""Importing: what files and folders hold becomes notes, one card per file, with a report of what became what.

Read, decide, write: the importers say what each source becomes, the plan which file each card gets, and only then is
anything written. Nothing is written over unless asked, and nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kb import writing
from kb.importers.keys import is_file_name
from kb.importers.reading import Order, Reader, load_mapping, propose_mapping
from kb.importers.records import Copy, LeftOut, NewNote
from kb.markdown import headings
from kb.problems import in_order, problem
from kb.records import Card, Place, Problem
from kb.schema import Schema, load_schema
from kb.settings import Settings, load_settings

__all__ = ["Imported", "Order", "Report", "import_files", "load_mapping", "propose_mapping", "run"]

Outcome = Literal["written", "overwritten", "unchanged", "kept", "refused"]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one card: how it was read, and the file it was written to ("" where it was refused)."""

    card: Card
    target: str
    outcome: Outcome
    images: tuple[str, ...] = ()  # copied beside it
    remarks: tuple[str, ...] = ()  # what was changed on the way


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and what became of it; with `dry`, what would."""

    imported: tuple[Imported, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[Problem, ...] = ()
    about: tuple[str, ...] = ()  # how each source was read
    dry: bool = False


def import_files(
    paths: Iterable[Path], root: Path, into: Path | None = None, *, force: bool = False, encoding: str = "utf-8"
) -> Report:
    """Write each card of these files into a note of its own; folders stand for the notes in them."""
    return run(paths, root, Order(into, force, encoding))


def run(paths: Iterable[Path], root: Path, order: Order) -> Report:
    """Import these files and folders as ordered."""
    paths = tuple(paths)
    settings, problems = load_settings(root)
    schema, schema_problems = load_schema(root)
    reading = Reader(schema, settings, order).read(paths)
    writer = _Writer(order.into or root / settings.notes, settings, schema, order, _sources(paths))
    imported = tuple(writer.all(reading.notes))
    if not order.dry:
        writing.sweep(writer.into)
        writing.change_together((), writer.contents)
    order.say("")
    found = in_order([*problems, *schema_problems, *reading.problems, *writer.problems])
    return Report(imported, reading.left_out, tuple(found), reading.about, order.dry)


def _sources(paths: Iterable[Path]) -> frozenset[Path]:
    return frozenset(path.resolve() for path in paths)


@dataclass(slots=True)
class _Writer:
    """Decides the file of each card, and what it is to hold."""

    into: Path
    settings: Settings
    schema: Schema
    order: Order
    sources: frozenset[Path]
    problems: list[Problem] = field(default_factory=list)
    targets: dict[str, Card] = field(default_factory=dict)
    contents: dict[Path, bytes] = field(default_factory=dict)  # of the files to write

    def all(self, notes: Sequence[NewNote]) -> Iterator[Imported]:
        names = {self._name(note.card).casefold() for note in notes}
        there = dict(self._keys_there(names)) if notes else {}
        for number, note in enumerate(notes):
            if number % 20 == 0:
                self.order.say(f"writing {number:,} of {len(notes):,}")
            yield self._one(note, there)

    def _name(self, card: Card) -> str:
        return f"{card.citekey}.md" if card.lang == self.settings.language else f"{card.citekey}.{card.lang}.md"

    def _one(self, note: NewNote, there: Mapping[str, str]) -> Imported:
        card, name = note.card, self._name(note.card)
        refusal = self._refusal(card, name)
        if refusal:
            self.problems.append(refusal)
            return Imported(card, "", "refused", remarks=note.remarks)
        remarks = (*note.remarks, *self._private(card))
        self.targets[name.casefold()] = card
        if (elsewhere := there.get(card.citekey.casefold())) and card.lang == self.settings.language:
            return Imported(card, elsewhere, "kept", remarks=("its citekey is that card's",))
        target = self.into / name
        outcome = self._write(target, note.text.encode("utf-8"))
        images = () if outcome == "kept" else tuple(self._copy(each) for each in dict.fromkeys(note.copies))
        return Imported(card, target.as_posix(), outcome, tuple(filter(None, images)), remarks)

    def _private(self, card: Card) -> Iterator[str]:
        """What its author ought to know of sections that no reader will see."""
        for section in card.sections:
            if section.id in self.schema.private:
                yield f"`{section.heading}` is private: `kb serve` shows it, the public site leaves it out"

    def _refusal(self, card: Card, name: str) -> Problem | None:
        """Why a card cannot have a file of its own: a key that is no file name, or that another card has."""
        place = Place(card.path, card.line)
        if not is_file_name(name):
            hint = "give the card a citekey such as `He2016CVPR`"
            return problem("K204", place, f"`{card.citekey}` cannot name a file", hint)
        earlier = self.targets.get(name.casefold())
        if earlier:
            hint = "give one of the two another key"
            return problem("K206", place, f"{earlier.path}:{earlier.line} has been imported as `{name}`", hint)
        return None

    def _keys_there(self, names: set[str]) -> Iterator[tuple[str, str]]:
        """The citekeys of cards in notes that this import does not write, and where they are."""
        for path in sorted(self.into.rglob("*.md")) if self.into.is_dir() else ():
            if path.name.casefold() in names or path.resolve() in self.sources or not path.is_file():
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            for heading in headings(text):
                key = heading.text.rpartition(":")[2].rpartition("：")[2].strip()
                if key:
                    yield key.casefold(), path.as_posix()

    def _write(self, target: Path, content: bytes) -> Outcome:
        there = self.contents.get(target) or (target.read_bytes() if target.is_file() else None)
        if there == content:
            return "unchanged"
        if there is not None and not self.order.overwrite:
            return "kept"
        self.contents[target] = content
        return "written" if there is None else "overwritten"

    def _copy(self, each: Copy) -> str:
        """Copy a picture to its place beside the new note; "" where another one has that place."""
        copy, content = self.into / each.target, each.source.read_bytes()
        if self._write(copy, content) == "kept":
            message = f"`{copy.as_posix()}` is there already and is another image"
            hint = "rename one of them; --overwrite replaces the old one"
            self.problems.append(problem("K304", each.place, message, hint))
            return ""
        return each.target
