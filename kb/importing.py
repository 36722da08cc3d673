"""Importing: what files and folders hold becomes notes, one card per file, with a report of what became what.

Read, decide, write: the importers say what each source becomes, the plan which file each card gets, and only then is
anything written. Nothing is written over unless asked, and nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from kb import writing
from kb.bibliography import is_bibliography
from kb.bibliography import read as read_bibliography
from kb.encoding import decode
from kb.importers import cards, library, papers
from kb.importers.composing import Sheet, compose
from kb.importers.finding import find
from kb.importers.linking import Places, Target, folded, relink
from kb.importers.mapping import Habits, NoteMapping, habits_of, propose, read_mapping
from kb.importers.obsidian import looks_like_vault
from kb.importers.papers import is_file_name
from kb.importers.records import Copy, Folder, LeftOut, NewNote, Reading, Source
from kb.markdown import headings
from kb.problems import in_order, problem
from kb.records import Card, Place, Problem
from kb.schema import Schema, load_schema
from kb.settings import Settings, load_settings

Outcome = Literal["written", "overwritten", "unchanged", "kept", "refused"]
Say = Callable[[str], None]


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


@dataclass(frozen=True, slots=True)
class Order:
    """How to import: into which folder (None for the knowledge base's), in which encoding, by which mapping."""

    into: Path | None = None
    overwrite: bool = False
    encoding: str = "utf-8"
    dry: bool = False
    mapping: NoteMapping | None = None
    say: Say = lambda _: None


def import_files(
    paths: Iterable[Path], root: Path, into: Path | None = None, *, force: bool = False, encoding: str = "utf-8"
) -> Report:
    """Write each card of these files into a note of its own; folders stand for the notes in them."""
    return run(paths, root, Order(into, force, encoding))


def run(paths: Iterable[Path], root: Path, order: Order) -> Report:
    """Import these files and folders as ordered."""
    settings, problems = load_settings(root)
    schema, schema_problems = load_schema(root)
    reading = _Reader(schema, settings, order).read(paths)
    writer = _Writer(order.into or root / settings.notes, settings, order, _sources(paths))
    imported = tuple(writer.all(reading.notes))
    order.say("")
    found = in_order([*problems, *schema_problems, *reading.problems, *writer.problems])
    return Report(imported, reading.left_out, tuple(found), reading.about, order.dry)


def _sources(paths: Iterable[Path]) -> frozenset[Path]:
    return frozenset(path.resolve() for path in paths)


# -------------------------------------------------------------------------------------------------------- reading


@dataclass(slots=True)
class _Reader:
    """Reads all sources; a note can link to any other, so that all are read before any is written."""

    schema: Schema
    settings: Settings
    order: Order
    notes: list[NewNote] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)  # where each key that is taken stands

    @property
    def mapping(self) -> NoteMapping:
        return self.order.mapping or NoteMapping(self.schema)

    def read(self, paths: Iterable[Path]) -> Reading:
        for path in paths:
            if path.is_file() and is_bibliography(path.name):
                self._bibliography(path)
            else:
                self._folder(path)
        return Reading(tuple(self.notes), tuple(self.left_out), tuple(self.problems), tuple(self.about))

    def _text(self, path: Path, shown: str) -> str | None:
        """The text of a file; None, and a problem, where it has none."""
        try:
            text = decode(path.read_bytes(), shown, self.order.encoding)
        except OSError as error:
            text = problem("K101", Place(shown), f"the file cannot be read: {error.strerror}")
        if isinstance(text, Problem):
            hint = text.hint.replace(": convert it", ": give --encoding, or convert it")
            self.problems.append(replace(text, hint=hint))
            return None
        return text

    # Bibliographies

    def _bibliography(self, path: Path) -> None:
        shown = path.as_posix()
        text = self._text(path, shown)
        if text is None:
            return
        found = read_bibliography(text, shown)
        source = Source(path, shown, path.name, text)
        self.problems += found.problems
        self.left_out += library.skipped(found)
        forms = {"bibtex": "BibTeX", "csl": "CSL-JSON", "zotero": "a Zotero library"}
        self.about.append(f"{shown}: {forms.get(found.form, 'JSON')}, {_count(len(found.entries), 'item')}")
        for number, entry in enumerate(found.entries):
            self._say(number, len(found.entries), shown)
            keys = papers.keys_of(entry, self.schema)
            if found_key := self._free(keys, entry.place, entry.key or entry.title):
                made = library.entry_sheet(entry, found_key, found, source, self.mapping, self.schema, self.settings)
                self._compose(made)

    # Notes

    def _folder(self, path: Path) -> None:
        folder = find(path)
        texts = [(each, self._text(each.path, each.shown)) for each in folder.notes]
        sources = [replace(each, text=text) for each, text in texts if text is not None]
        vault = looks_like_vault(list(folder.files), [each.text for each in sources]) if path.is_dir() else False
        drafts: list[papers.Draft] = []
        found: list[cards.Cards] = []
        for number, source in enumerate(sources):
            self._say(number, len(sources), source.shown)
            of_cards = cards.read_cards(source, self.schema, self.settings)
            if cards.are_cards(of_cards, self.schema):
                found.append(of_cards)
            else:
                self._draft(source, drafts, alone=not path.is_dir())
        if path.is_dir():
            self.about.append(_about(path, folder, vault, len(found)))
        self._link_and_compose(folder, found, drafts, vault=vault)

    def _draft(self, source: Source, drafts: list[papers.Draft], *, alone: bool) -> None:
        draft = papers.read_draft(source, self.mapping, self.schema)
        why = papers.why_not(draft, self.mapping, self.schema)
        self.problems += draft.problems
        if draft.problems:
            unread = "its front matter cannot be read"
            self.left_out.append(LeftOut(Place(source.shown), papers.beginning(draft), unread))
        elif not why:
            drafts.append(draft)
        elif alone:
            hint = "a card begins with `### NAME: KEY` and a blockquote of kind and citation"
            message = f"no heading in the note opens a card, and {why}"
            self.problems.append(problem("K209", Place(source.shown), message, hint))
        else:
            self.left_out.append(LeftOut(Place(source.shown), papers.beginning(draft), why))

    def _link_and_compose(
        self, folder: Folder, found: Sequence[cards.Cards], drafts: Sequence[papers.Draft], *, vault: bool
    ) -> None:
        targets = {each.source.inside: target for each in found if (target := cards.target(each))}
        self.keys |= {card.citekey.casefold(): card.path for each in found for card in each.note.cards}
        keyed = []
        own_first = sorted(drafts, key=lambda each: not papers.own_key(each, self.mapping, self.schema))
        for draft in own_first:
            candidates = papers.keys(draft, self.mapping, self.schema)
            if key := self._free(candidates, draft.place, draft.source.path.stem):
                keyed.append((draft, *key))
                targets[draft.source.inside] = papers.target(draft, key[0], self.schema)
        places = Places(dict(_names(targets, drafts)), folder.files, _file_names(folder.files))
        for each in found:
            self._cards(each, places, folder, vault=vault)
        for draft, citekey, why in sorted(keyed, key=lambda each: each[0].source.inside):
            linked = relink(draft.lines, draft.start, draft.place_of, draft.source.inside, places)
            self.problems += linked.problems
            self.left_out += papers.left_out(draft)
            self._compose(papers.sheet(draft, citekey, why, linked, self.schema))

    def _cards(self, each: cards.Cards, places: Places, folder: Folder, *, vault: bool) -> None:
        remarks: list[str] = []
        if vault:
            each, remarks, problems = cards.relinked(each, places, self.schema, self.settings)
            self.problems += problems
        made = cards.new_notes(each, self.schema, self.settings, folder.files if vault else None)
        self.notes += [replace(note, remarks=(*note.remarks, *remarks)) for note in made.notes]
        self.left_out += made.left_out
        self.problems += made.problems

    def _free(self, candidates: Iterator[tuple[str, str]], place: Place, fallback: str) -> tuple[str, str] | None:
        """The first key that no other card of this import has: one that was made may take a letter behind it."""
        for key, why in candidates:
            if not why and key.casefold() in self.keys:
                message = f"`{key}` is the key of {self.keys[key.casefold()]} already"
                self.problems.append(problem("K206", place, message, "give one of the two another key"))
                return None
            for letter in ("", *"abcdefghijklmnopqrstuvwxyz"):
                if f"{key}{letter}".casefold() not in self.keys:
                    self.keys[f"{key}{letter}".casefold()] = f"{place.path}:{place.line}"
                    return f"{key}{letter}", why
        message = f"`{fallback}` gives no citekey"
        self.problems.append(problem("K204", place, message, "give it a citekey such as `He2016CVPR`"))
        return None

    def _compose(self, sheet: Sheet) -> None:
        made = compose(sheet, self.schema, self.settings)
        if isinstance(made, Problem):
            self.problems.append(made)
            self.left_out.append(LeftOut(sheet.place, sheet.name or sheet.key, "it would not read as one card"))
        else:
            self.notes.append(made)

    def _say(self, number: int, of: int, shown: str) -> None:
        if number % 20 == 0:
            self.order.say(f"reading {number:,} of {of:,}: {shown}")


def _names(targets: Mapping[str, Target], drafts: Iterable[papers.Draft]) -> Iterator[tuple[str, Target]]:
    """What links call each note that became a card: aliases, names and paths, the last the strongest."""
    for draft in drafts:
        aliases = draft.values["aliases"].value if "aliases" in draft.values else ()
        if draft.source.inside in targets and isinstance(aliases, tuple):
            yield from ((folded(alias), targets[draft.source.inside]) for alias in aliases)
    for inside, target in targets.items():
        yield folded(target.citekey), target
        yield folded(inside).rpartition("/")[2], target
    yield from ((folded(inside), target) for inside, target in targets.items())


def _file_names(files: Mapping[str, Path]) -> dict[str, str]:
    return {path.rpartition("/")[2].casefold(): path for path in sorted(files, key=lambda each: -each.count("/"))}


def _about(path: Path, folder: Folder, vault: bool, of_cards: int) -> str:
    form = "an Obsidian vault" if vault else "a folder"
    rest = f", {of_cards:,} of them with cards in kb's own form" if of_cards else ""
    return f"{path.as_posix()}: {form} of {_count(len(folder.notes), 'note')}{rest}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# ------------------------------------------------------------------------------------------------------- proposing


def load_mapping(path: Path, root: Path) -> tuple[NoteMapping, list[Problem]]:
    """The mapping in a file, and every mistake in it."""
    schema = load_schema(root)[0]
    text = decode(path.read_bytes(), path.as_posix())
    if isinstance(text, Problem):
        return NoteMapping(schema), [text]
    mapping, problems = read_mapping(text, path.as_posix(), schema)
    return mapping, in_order(problems)


def propose_mapping(paths: Sequence[Path], root: Path, order: Order, shown: str) -> tuple[str, int, list[Problem]]:
    """A mapping file for these notes, how many they are, and what is wrong with them."""
    found, problems = _habits(paths, root, order)
    folder = " ".join(path.as_posix() for path in paths)
    return propose(found, load_schema(root)[0], folder, shown), found.notes, problems


def _habits(paths: Iterable[Path], root: Path, order: Order) -> tuple[Habits, list[Problem]]:
    """What notes have in common that are in no form of kb's own."""
    settings, problems = load_settings(root)
    schema, schema_problems = load_schema(root)
    reader = _Reader(schema, settings, order)
    drafts: list[papers.Draft] = []
    for path in paths:
        for each in find(path).notes:
            text = reader._text(each.path, each.shown)
            reader._say(len(drafts), len(drafts), each.shown)
            if text is not None:
                drafts.append(papers.read_draft(replace(each, text=text), reader.mapping, schema))
    order.say("")
    values = [[(name, value.found) for name, value in each.values.items()] for each in drafts]
    special = [[pair for pair in of_note if pair[1].startswith("(")] for of_note in values]
    names = [[pair for pair in of_note if not pair[1].startswith("(")] for of_note in values]
    opened = [[heading.text for heading in each.headings] for each in drafts]
    found = habits_of(opened, names, special, [each.unknown for each in drafts])
    return found, [*problems, *schema_problems, *reader.problems]


# -------------------------------------------------------------------------------------------------------- writing


@dataclass(slots=True)
class _Writer:
    """Decides the file of each card, and writes it unless this is a rehearsal."""

    into: Path
    settings: Settings
    order: Order
    sources: frozenset[Path]
    problems: list[Problem] = field(default_factory=list)
    targets: dict[str, Card] = field(default_factory=dict)
    copied: dict[Path, bytes] = field(default_factory=dict)

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
        self.targets[name.casefold()] = card
        if (elsewhere := there.get(card.citekey.casefold())) and card.lang == self.settings.language:
            return Imported(card, elsewhere, "kept", remarks=("its citekey is that card's",))
        target = self.into / name
        outcome = self._write(target, note.text.encode("utf-8"))
        images = () if outcome == "kept" else tuple(self._copy(each) for each in dict.fromkeys(note.copies))
        return Imported(card, target.as_posix(), outcome, tuple(filter(None, images)), note.remarks)

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
        there = self.copied.get(target) or (target.read_bytes() if target.is_file() else None)
        if there == content:
            return "unchanged"
        if there is not None and not self.order.overwrite:
            return "kept"
        if self.order.dry:
            pass
        elif there is None:
            writing.write_if_changed(target, content)
        else:
            writing.replace_atomically(target, content)
        return "written" if there is None else "overwritten"

    def _copy(self, each: Copy) -> str:
        """Copy a picture to its place beside the new note; "" where another one has that place."""
        copy, content = self.into / each.target, each.source.read_bytes()
        if self._write(copy, content) == "kept":
            message = f"`{copy.as_posix()}` is there already and is another image"
            hint = "rename one of them; --overwrite replaces the old one"
            self.problems.append(problem("K304", each.place, message, hint))
            return ""
        self.copied[copy] = content
        return each.target
