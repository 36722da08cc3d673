"""The base of a knowledge base whose notes are read once: what was written down of those that did not change is kept.

`build/notes.json` holds a line for each note: how its file was seen, a digest of its bytes, and the light facts of its
cards. It is only believed as a whole: of another kb, another schema or other settings, or damaged, it is made anew.
"""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kb import base as bases
from kb import inputs, writing
from kb.base import Base
from kb.check import own_problems
from kb.kept import Facts, Shelf, facts_of, kept_note
from kb.lints import own_texts
from kb.lock import Lock
from kb.notes import note_paths, read_note
from kb.plain_records import to_plain
from kb.publishing import public_card
from kb.records import Card, Note
from kb.schema import FILE as TEMPLATE
from kb.schema import Schema, load_schema
from kb.settings import FILE, Settings, load_settings
from kb.silences import silences
from kb.workers import shared_out

INDEX = "notes.json"
RECENT = 2 * 10**9  # nanoseconds before it was looked at, in which a file may have changed without looking so
LEAST = 50  # notes worth a process of their own


Places = dict[str, tuple[int, int]]


def load(root: Path, *, lay_aside: bool = False) -> tuple[Base, Shelf]:
    """The base, and where the rest of its cards is; what is read may be laid aside for pages to be made of it."""
    settings, _ = load_settings(root)
    schema, _ = load_schema(root)
    file, tools = root / settings.build / INDEX, _tools(settings)
    known = _known(file, tools)
    looked = {path: _still_true(known.get(path), root / path) for path in note_paths(root, settings.notes)}
    shelf = Shelf(lambda path: read_note(root, path, schema, settings), lambda card: public_card(card, schema))
    reader = _Reader(settings, schema, lay_aside)
    for read, aside, places in shared_out(reader.read, [path for path, facts in looked.items() if not facts], LEAST):
        looked |= read
        if aside:
            shelf.lay_aside(Path(aside), places)
    if looked != known:
        _write(file, tools, looked)
    kept = {path: kept_note(path, facts, shelf) for path, facts in looked.items() if facts}
    return bases.load(root, known=kept), shelf


@dataclass(frozen=True)
class _Reader:
    """Reads notes, in whatever process."""

    settings: Settings
    schema: Schema
    lay_aside: bool

    def read(self, paths: Sequence[str]) -> tuple[dict[str, Facts], str, Places]:
        """The facts of notes, and a file in which they are laid aside, with their places in it."""
        if not self.lay_aside:
            return {path: self._read(path)[-1] for path in paths}, "", {}
        facts: dict[str, Facts] = {}
        places: Places = {}
        with writing.laid_aside(self.settings.root / self.settings.build) as file:
            for path in paths:
                note, shown, facts[path] = self._read(path)
                data = pickle.dumps((note, shown))
                places[path] = (file.tell(), len(data))
                file.write(data)
        return facts, file.name, places

    def _read(self, path: str) -> tuple[Note, tuple[Card, ...], Facts]:
        """A note, its cards as the public may read them, and the facts of both."""
        seen, looked = _seen(self.settings.root / path), time.time_ns()
        note = read_note(self.settings.root, path, self.schema, self.settings)
        shown = tuple(public_card(card, self.schema) for card in note.cards)
        return note, shown, {"seen": seen, "looked": looked, **self._facts(note, shown)}

    def _facts(self, note: Note, shown: tuple[Card, ...]) -> Facts:
        base = Base(self.settings, self.schema, (note,), note.cards, {}, Lock(), note.problems)
        return {
            "digest": inputs.digest_of_file(self.settings.root / note.path),
            "cards": [_card_facts(*each, self.schema) for each in zip(note.cards, shown, strict=True)],
            "problems": to_plain(note.problems),
            "found": to_plain(own_problems(base)),
            "silences": [to_plain((each.code, each.line, each.place)) for each in silences(note)],
        }


def _card_facts(card: Card, shown: Card, schema: Schema) -> Facts:
    """What is written down of a card; of its public form as well, where that is another."""
    facts = _marked(facts_of(card, {"texts": to_plain(own_texts(card, schema))}))
    return facts if shown is card else facts | {"public": _marked(facts_of(shown, {}))}


def _marked(facts: Facts) -> Facts:
    return {**facts, "mark": inputs.digest([json.dumps(facts["light"], ensure_ascii=False)])[:16]}


def _seen(path: Path) -> list[int]:
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns]


def _still_true(facts: Facts | None, path: Path) -> Facts | None:
    """The facts of a note, if its file is still the one that they were written down of."""
    seen = _seen(path)
    if facts and facts["seen"] == seen and seen and seen[1] < facts["looked"] - RECENT:
        return facts
    looked = time.time_ns()
    if facts and facts["digest"] == inputs.digest_of_file(path):
        return {**facts, "seen": seen, "looked": looked}
    return None


def _tools(settings: Settings) -> str:
    """A digest of all that decides what is read from a note, but for the note."""
    files = [
        (settings.root / name).read_bytes() if (settings.root / name).is_file() else b"" for name in (FILE, TEMPLATE)
    ]
    return inputs.digest([*inputs.tools(), *files])


def _known(file: Path, tools: str) -> dict[str, Facts]:
    """What was written down, by the paths of notes; nothing where it cannot be believed."""
    try:
        head, *lines = file.read_text(encoding="utf-8").split("\n")
        last = lines.pop()
        if json.loads(head) != [tools, len(lines)] or last:
            return {}
        return dict(json.loads(f"[{','.join(lines)}]"))
    except (OSError, ValueError, TypeError):
        return {}


def _write(file: Path, tools: str, notes: Mapping[str, Facts | None]) -> None:
    lines = [json.dumps([tools, len(notes)]), *(json.dumps(each, ensure_ascii=False) for each in notes.items())]
    with suppress(OSError):  # a folder that is only to be read can be checked all the same
        writing.write_if_changed(file, "\n".join([*lines, ""]))
