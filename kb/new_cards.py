"""A new card from the template (`kb new`). It loads little and reads little: a card is begun many times a day."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import yaml

from kb import writing
from kb.heads import field_of
from kb.notes import note_paths, parse_note, read_note
from kb.plain_yaml import as_plain
from kb.problems import problem
from kb.records import Card, Note, Place, Problem
from kb.schema import KEY_PLACEHOLDER, NAME_PLACEHOLDER, Schema, load_schema
from kb.settings import Settings


def new_card(settings: Settings, name: str, citekey: str) -> tuple[Path | None, list[Problem]]:
    """Write a draft from the template: its file, or None and why not."""
    citekey = unicodedata.normalize("NFC", citekey)
    writing.sweep(settings.root / settings.notes)
    schema, _ = load_schema(settings.root)
    path = f"{settings.notes}/{citekey}.md"
    text = fill(schema, " ".join(name.split()), citekey)
    problems = refusals(parse_note(text, path, schema, settings), name, citekey)
    problems += [taken(citekey, card.path, card.line) for card in cards_called(citekey, schema, settings)]
    if any(found.severity == "error" for found in problems):
        return None, problems
    if not writing.create(settings.root / path, text):
        raise FileExistsError(17, "there is such a file already", path)
    return settings.root / path, problems


def cards_called(citekey: str, schema: Schema, settings: Settings) -> Iterator[Card]:
    """The cards that have this citekey: only notes in which it stands somewhere are read."""
    for path in note_paths(settings.root, settings.notes):
        text = (settings.root / path).read_text(encoding="utf-8", errors="replace")
        if folded(citekey) in folded(text):
            found = read_note(settings.root, path, schema, settings).cards
            yield from (card for card in found if same_key(card.citekey, citekey))


def folded(text: str) -> str:
    """A text in the form in which a file system compares names that minds neither case nor Unicode form."""
    return unicodedata.normalize("NFC", text).casefold()


def fill(schema: Schema, name: str, citekey: str) -> str:
    """A new card: the template with name and citekey in its heading, below the front matter for new cards and the day.

    Feeds of what is new go by that day.
    """
    heading, rest = schema.template.split("\n", 1)
    heading = heading.replace(NAME_PLACEHOLDER, name, 1).replace(KEY_PLACEHOLDER, citekey, 1)
    front = {str(name): as_plain(value) for name, value in schema.front_matter.items()}
    day = next((name for name in front if field_of(name) == "date"), "date")
    above = yaml.safe_dump({**front, day: front.get(day) or today()}, allow_unicode=True, sort_keys=False)
    return f"---\n{above}---\n\n{heading}\n{rest}"


def today() -> date:
    """The day that a card is made on: that of SOURCE_DATE_EPOCH where it is set, as in other tools."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (
        datetime.fromtimestamp(int(seconds), UTC).date() if seconds.isdecimal() else datetime.now().astimezone().date()
    )


def refusals(note: Note, name: str, citekey: str) -> list[Problem]:
    """What is wrong with a new card: only its name and key can be, and its gaps are what it is made to have."""
    read = [(card.name, card.citekey) for card in note.cards]
    problems = [found for found in note.problems if found.code in ("K204", "K205")]
    if read != [(" ".join(name.split()), citekey)] and all(found.severity != "error" for found in problems):
        hint = "the heading is `NAME: CITEKEY`, as in `MobileNetV4: Qin2024ECCV`"
        problems.append(
            problem("K204", Place(note.path), f"`{name}: {citekey}` does not read as a card's heading", hint)
        )
    return problems


def same_key(first: str, second: str) -> bool:
    """Whether two citekeys are one on a file system that minds neither case nor Unicode form."""
    return folded(first) == folded(second)


def taken(citekey: str, path: str, line: int) -> Problem:
    """The citekey belongs to a card that is there already."""
    return problem(
        "K206", Place(path, line), f"`{citekey}` is the key of this card", "open it, or add a letter to the new key: …a"
    )
