"""Reading all that is to be imported: every source becomes notes to write; a mapping is proposed for others' notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kb.bibliography import is_bibliography
from kb.bibliography import read as read_bibliography
from kb.encoding import decode
from kb.importers import cards, library, papers
from kb.importers.composing import Sheet, compose
from kb.importers.drafts import Draft, read_draft
from kb.importers.finding import find
from kb.importers.keys import keys, keys_of, own_key
from kb.importers.linking import Places, Target, folded, relink
from kb.importers.mapping import Habits, NoteMapping, habits_of, propose, read_mapping
from kb.importers.obsidian import looks_like_vault
from kb.importers.records import Folder, LeftOut, NewNote, Reading, Source
from kb.problems import in_order, problem
from kb.records import Place, Problem
from kb.schema import Schema, load_schema
from kb.settings import Settings, load_settings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """How to import: into which folder (None for the knowledge base's), in which encoding, by which mapping."""

    into: Path | None = None
    overwrite: bool = False
    encoding: str = "utf-8"
    dry: bool = False
    mapping: NoteMapping | None = None
    say: Say = lambda _: None


@dataclass(slots=True)
class Reader:
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
            if found_key := self._free(keys_of(entry, self.schema), entry.place, entry.key or entry.title):
                made = library.entry_sheet(entry, found_key, found, source, self.mapping, self.schema, self.settings)
                self._compose(made)

    # Notes

    def _folder(self, path: Path) -> None:
        folder = find(path)
        texts = [(each, self._text(each.path, each.shown)) for each in folder.notes]
        sources = [replace(each, text=text) for each, text in texts if text is not None]
        vault = looks_like_vault(list(folder.files), [each.text for each in sources]) if path.is_dir() else False
        drafts: list[Draft] = []
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

    def _draft(self, source: Source, drafts: list[Draft], *, alone: bool) -> None:
        draft = read_draft(source, self.mapping, self.schema)
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
        self, folder: Folder, found: Sequence[cards.Cards], drafts: Sequence[Draft], *, vault: bool
    ) -> None:
        targets = {each.source.inside: target for each in found if (target := cards.target(each))}
        self.keys |= {card.citekey.casefold(): card.path for each in found for card in each.note.cards}
        keyed = []
        own_first = sorted(drafts, key=lambda each: not own_key(each, self.mapping, self.schema))
        for draft in own_first:
            candidates = keys(draft, self.mapping, self.schema)
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


def _names(targets: Mapping[str, Target], drafts: Iterable[Draft]) -> Iterator[tuple[str, Target]]:
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
    reader = Reader(schema, settings, order)
    drafts: list[Draft] = []
    for path in paths:
        for each in find(path).notes:
            text = reader._text(each.path, each.shown)
            reader._say(len(drafts), len(drafts), each.shown)
            if text is not None:
                drafts.append(read_draft(replace(each, text=text), reader.mapping, schema))
    order.say("")
    values = [[(name, value.found) for name, value in each.values.items()] for each in drafts]
    special = [[pair for pair in of_note if pair[1].startswith("(")] for of_note in values]
    names = [[pair for pair in of_note if not pair[1].startswith("(")] for of_note in values]
    opened = [[heading.text for heading in each.headings] for each in drafts]
    found = habits_of(opened, names, special, [each.unknown for each in drafts])
    return found, [*problems, *schema_problems, *reader.problems]
