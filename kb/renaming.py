"""Another citekey for a card: its heading, the links to it, the notes and folders that bear the key; all or nothing.

The old key becomes an alias of the card, so that links from elsewhere and old addresses still lead to it.
"""

from __future__ import annotations

import json
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from kb import writing
from kb.base import Base, load
from kb.encoding import split_lines, with_marks, without_marks
from kb.heads import field_of, key_problems, known_pair
from kb.importers.keys import is_file_name
from kb.markdown import links
from kb.meaning import meaning, plain
from kb.plain_yaml import front_matter
from kb.problems import problem
from kb.records import Card, Citation, Link, Note, Place, Problem
from kb.settings import Settings

_PLAIN_KEY = re.compile(r"[^\W\d][\w'’-]*")  # what YAML takes for a text without quotes
_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:\s*<?(?P<target>[^\s>]+)")
_LABELS = {"zh": "别名"}

Moves = Mapping[str, str]  # files and folders, relative to the root: where they are, where they are to be


@dataclass(frozen=True, slots=True)
class Renamed:
    """A note before and after, and where it stands and is to stand."""

    path: str
    new_path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a renaming comes to: notes to change, files and folders to move; nothing where it is refused."""

    notes: tuple[Renamed, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()


def plan(root: Path, old: str, new: str) -> Plan:
    """What has to be done to rename a card, or why it cannot be done."""
    base, old, new = load(root), _composed(old), _composed(new)
    cards = [card for card in base.cards if _composed(card.citekey) == old]
    if not cards:
        return Plan(problems=(_no_card(old, base),))
    moves = dict(_moves(cards, old, new, root))
    found = [*_bad_key(new, cards[0], base), *_taken(old, new, cards[0], base), *_in_the_way(moves, cards[0], root)]
    if any(each.severity == "error" for each in found):
        return Plan(problems=tuple(found))
    work = _Renaming(base, old, new, moves)
    notes = tuple(each for note in base.notes if note.slices and (each := work.note(note)))
    unsafe = [_unsafe(each, old) for each in notes if not work.is_safe(each)]
    return Plan(problems=(*found, *unsafe)) if unsafe else Plan(notes, tuple(moves.items()), tuple(found))


def carry_out(plan: Plan, settings: Settings) -> None:
    """Do it; where one step fails, those before it are taken back, and `finish` does what a killed process did not."""
    root, record = settings.root, record_of(settings)
    contents = {(root / each.new_path).resolve(): each.after for each in plan.notes if each.before != each.after}
    with writing.alone(record.parent):
        writing.replace_atomically(record, json.dumps(asdict(plan), ensure_ascii=False))
        writing.change_together([(root / old, root / new) for old, new in plan.moves], contents, record)


def record_of(settings: Settings) -> Path:
    """Where a plan lies while it is carried out."""
    return settings.root / settings.build / "renaming.json"


def finish(settings: Settings) -> list[str]:
    """Do the rest of a renaming that was cut off; the notes that have been changed since, which stay as they are."""
    root, record = settings.root, record_of(settings)
    with writing.alone(record.parent):
        if not record.exists():  # it was under way, and is done
            return []
        plan = json.loads(record.read_text(encoding="utf-8"))
        left = [(root / old, root / new) for old, new in plan["moves"] if (root / old).exists()]
        writing.sweep(root / settings.notes)
        writing.change_together([(old, new) for old, new in left if not new.exists()], {})
        notes = [Renamed(**each) for each in plan["notes"]]
        now = {each: _text_of((root / each.new_path).resolve()) for each in notes}
        contents = {(root / each.new_path).resolve(): each.after for each in notes if now[each] == each.before}
        writing.change_together((), contents, record)
    return [each.new_path for each in notes if now[each] not in (each.before, each.after)]


def _text_of(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _composed(key: str) -> str:
    return unicodedata.normalize("NFC", key.strip())


def _folded(key: str) -> str:
    return unicodedata.normalize("NFKC", key.strip()).casefold()


def _no_card(old: str, base: Base) -> Problem:
    now = base.resolve(old)
    close = get_close_matches(old, [card.citekey for card in base.cards], n=1)
    hint = f"it is a name of `{now.citekey}`" if now else f"did you mean `{close[0]}`?" if close else ""
    return problem("K303", Place(base.settings.notes), f"no card has the citekey `{old}`", hint)


def _bad_key(new: str, card: Card, base: Base) -> Iterator[Problem]:
    place = Place(card.path, card.line)
    yield from key_problems(new, place, Citation(""), base.schema)
    if not is_file_name(f"{new}.md"):
        yield problem("K204", place, f"`{new}` cannot name a file", "write a key such as `He2016CVPR`")


def _taken(old: str, new: str, card: Card, base: Base) -> Iterator[Problem]:
    """Why a key cannot be given: the card has it, or another one has or had it."""
    place = Place(card.path, card.line)
    if new == old:
        yield problem("K206", place, f"the card is called `{old}` already", "name another key")
    for other in base.cards:
        words = {_folded(other.citekey): "the citekey", **{_folded(alias): "an alias" for alias in other.aliases}}
        if _composed(other.citekey) != old and _folded(new) in words:
            message = f"`{new}` is {words[_folded(new)]} of another card"
            yield problem("K206", place, message, f"it is at {other.path}:{other.line}; add a letter: `{new}a`")


def _moves(cards: Iterable[Card], old: str, new: str, root: Path) -> Iterator[tuple[str, str]]:
    """The cards' notes that bear the key (`OLD.md`, `OLD.en.md`), and folders beside them (`OLD`, `OLD.assets`)."""
    notes = {card.path for card in cards}
    for folder in sorted({posixpath.dirname(path) for path in notes}):
        for each in sorted((root / folder).iterdir()):
            path = posixpath.join(folder, each.name)
            bears = _composed(each.name) == old or _composed(each.name).startswith(f"{old}.")
            if bears and (path in notes or each.is_dir()):
                yield path, posixpath.join(folder, new + _composed(each.name).removeprefix(old))


def _in_the_way(moves: Moves, card: Card, root: Path) -> Iterator[Problem]:
    """What stands already where something is to be moved; a name that changes by case alone is not in its own way."""
    for old, new in moves.items():
        if (root / new).exists() and not (root / new).samefile(root / old):
            place = Place(card.path, card.line)
            yield problem("K206", place, f"`{new}` is there already", "move it away first")


def _unsafe(each: Renamed, old: str) -> Problem:
    hint = f"add `{old}` to the card's aliases by hand, then rename it"
    return problem("K106", Place(each.path), "the note would say something else with the new key", hint)


@dataclass(frozen=True, slots=True)
class _Renaming:
    """A renaming that nothing stands against."""

    base: Base
    old: str
    new: str
    moves: Moves

    def note(self, note: Note) -> Renamed | None:
        """A note as it is to be; None for one that stays as it is."""
        before = "".join(each.text for each in note.slices)
        lines = without_marks(before).split("\n")
        self._change_links(lines, note.path)
        for card in reversed(note.cards):
            if _composed(card.citekey) == self.old:
                self._change_head(lines, card, one_card=len(note.cards) == 1)
        after = with_marks("\n".join(lines), before)
        new_path = self.moves.get(note.path, note.path)
        changed = after != before or new_path != note.path
        return Renamed(note.path, new_path, before, after) if changed else None

    def is_safe(self, each: Renamed) -> bool:
        """Whether nothing has changed in a note but the key."""
        before, after = (
            meaning(text, each.path, self.base.schema, self.base.settings, self._target)
            for text in (each.before, each.after)
        )
        told = [self._with_old_key(card) for card in after.cards]
        return told == [self._with_old_key(card) for card in before.cards] and before.rest[1:] == after.rest[1:]

    def _with_old_key(self, card: Mapping[str, object]) -> Mapping[str, object]:
        """A card's data as if its key were the old one; one with the new key must have the old one as an alias."""
        aliases = card["aliases"]
        assert isinstance(aliases, list)
        if card["citekey"] not in (self.old, self.new) or (card["citekey"] == self.new and self.old not in aliases):
            return card
        name = self.old if card["name"] == card["citekey"] else card["name"]  # a heading may be nothing but the key
        return {**card, "citekey": self.old, "name": name, "aliases": [each for each in aliases if each != self.old]}

    def _target(self, target: str) -> str:
        """A link's target, or a definition, as if the new key were the old one; case makes no difference in links."""
        return plain(unquote(target)).casefold().replace(self.new.casefold(), self.old.casefold())

    # Links

    def _change_links(self, lines: list[str], path: str) -> None:
        front = front_matter("\n".join(lines))[1]
        found = links("\n" * front + "\n".join(lines[front:]), 1)
        for link in sorted(found, key=lambda each: (each.line, each.column), reverse=True):
            line = lines[link.line - 1]
            start, end = line[: link.column - 1], line[link.column - 1 :]
            lines[link.line - 1] = start + self._changed(end, link, path)
        for number, line in enumerate(lines):
            if defined := _DEFINITION.match(line):
                lines[number] = self._moved(line, defined["target"], path)

    def _changed(self, source: str, link: Link, path: str) -> str:
        """The source of a link, and what follows it, with the new key where it names the old one."""
        name = link.target.partition("#")[0].strip()
        if link.kind == "wiki" and _folded(name) == _folded(self.old):
            return source.replace(name, self.new, 1)
        return self._moved(source, link.target, path)

    def _moved(self, source: str, target: str, path: str) -> str:
        """The source of a link to a file, with the new name of the file, or of a folder above it."""
        parts = urlsplit(target)
        if parts.scheme or parts.netloc or not parts.path:
            return source
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))
        for old, new in self.moves.items():
            if place == old or place.startswith(f"{old}/"):
                was, now = posixpath.basename(old), posixpath.basename(new)
                return source.replace(was, now, 1) if was in source else source.replace(quote(was), quote(now), 1)
        return source

    # Heads

    def _change_head(self, lines: list[str], card: Card, *, one_card: bool) -> None:
        before, _, after = lines[card.line - 1].rpartition(card.citekey)
        lines[card.line - 1] = before + self.new + after
        if self.old not in card.aliases:
            self._add_alias(lines, card, one_card=one_card)

    def _add_alias(self, lines: list[str], card: Card, *, one_card: bool) -> None:
        """Add the old key to the aliases that the card has; else give it some, in its blockquote if it has one."""
        head = range(card.line, card.line - 1 + len(split_lines(card.head)))
        front = range(1, front_matter("\n".join(lines))[1] - 1) if one_card else range(0)
        quoted = next((number for number in head if known_pair(lines[number].strip("> \t"))[0] == "aliases"), None)
        above = next((number for number in front if field_of(lines[number].partition(":")[0]) == "aliases"), None)
        label = _LABELS.get(card.lang, "aliases")
        if quoted is not None:
            lines[quoted] = f"{lines[quoted].rstrip()}, {self.old}"
        elif above is not None:
            self._add_to_yaml(lines, above)
        elif head:
            lines.insert(head.stop, f"> {label}: {self.old}")
        elif front:
            lines.insert(front.stop, f"aliases: [{self._as_yaml()}]")
        else:
            lines[card.line : card.line] = ["", f"> {label}: {self.old}"]

    def _add_to_yaml(self, lines: list[str], number: int) -> None:
        """Add the old key to a list in the front matter, however it is written."""
        key, _, value = (part.strip() for part in lines[number].partition(":"))
        items = _items_below(number, lines)
        if value.endswith("]"):
            inner = value[1:-1].strip().rstrip(",")
            lines[number] = f"{key}: [{f'{inner}, ' if inner else ''}{self._as_yaml()}]"
        elif value or not items:
            lines[number] = f"{key}: [{f'{value}, ' if value else ''}{self._as_yaml()}]"
        else:
            last = lines[items.stop - 1]
            lines.insert(items.stop, f"{last[: last.index('-')]}- {self._as_yaml()}")

    def _as_yaml(self) -> str:
        return self.old if _PLAIN_KEY.fullmatch(self.old) else json.dumps(self.old, ensure_ascii=False)


def _items_below(number: int, lines: Sequence[str]) -> range:
    """The lines of a list in YAML that stand below its key."""
    end = number + 1
    while lines[end].lstrip().startswith("- "):
        end += 1
    return range(number + 1, end)
