"""All files of the index, from all entries; and those that differ when some entries do."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import cast

from kb.search.documents import Entry, levels
from kb.search.postings import LEVEL
from kb.search.shards import Cut, Fork, Leaf, Revision, Shards, backwards
from kb.search.words import is_spelt

FOLDER = "search"
MANIFEST = f"{FOLDER}/index.js"
FORMAT = 1
DIGITS = 3  # bytes of a document's number


def index(entries: Mapping[str, Entry], words: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """All files of the index, by path. Each entry is asked for once, so that they need not all be there at a time.

    Entries go by what identifies them, a path; `words` are what the browser says, by language.
    """
    numbers = numbered(entries)
    terms: dict[str, array[int]] = {}
    for number, name in sorted((number, name) for name, number in numbers.items()):
        found = entries[name]
        yield record_path(number), script(f"{number:06x}", found.record)
        for term, level in levels(found).items():
            terms.setdefault(term, array("I")).append(number << LEVEL | level)
    terms |= {backwards(term): array("I", [0]) for term in terms if is_spelt(term)}
    cut = Cut()
    cut.add("", terms)
    for beginning, file in cut.files.items():
        yield from _written(beginning, file)
    yield MANIFEST, manifest(len(numbers), cut.shards, words)


def update(
    read: Callable[[str], str],
    before: Mapping[str, Entry],
    after: Mapping[str, Entry],
    changed: Iterable[str],
    words: Mapping[str, Mapping[str, str]],
) -> dict[str, str | None]:
    """The files that are others once these entries have changed, come or gone; None for those that are no more.

    `read` gives the text of a file of the index as it was; of `before` and `after` all names are looked at, but the
    entries of those changed alone (and of the few whose number a newcomer takes).
    """
    old, new = numbered(before), numbered(after)
    moved = {name for name in old.keys() & new.keys() if old[name] != new[name]}
    names = sorted({*changed, *moved, *(old.keys() ^ new.keys())})
    shards = shards_in(read(MANIFEST))
    revision = Revision(shards, lambda beginning: _read(read, shards, beginning))
    revision.change(_changes(names, (old, before), (new, after)))
    files: dict[str, str | None] = {record_path(old[name]): None for name in names if name in old}
    files |= {record_path(new[name]): script(f"{new[name]:06x}", after[name].record) for name in names if name in new}
    for beginning in {*revision.touched, *shards.below("")} - {*revision.shards.below("")}:
        files[path(beginning)] = None
    for beginning, file in revision.touched.items():
        if beginning in revision.shards:
            files |= {path(beginning): None, **dict(_written(beginning, file))}
    return files | {MANIFEST: manifest(len(new), revision.shards, words)}


def numbered(names: Iterable[str]) -> dict[str, int]:
    """A number for each name that depends on little but itself: where two would share one, the later takes another."""
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for name in sorted(names):
        tries = 0
        while (number := _number(name, tries)) in taken:
            tries += 1
        taken.add(number)
        numbers[name] = number
    return numbers


def _number(name: str, tries: int) -> int:
    return int.from_bytes(blake2b(f"{tries}/{name}".encode(), digest_size=DIGITS).digest())


Numbered = tuple[Mapping[str, int], Mapping[str, Entry]]


def _changes(names: Iterable[str], *sides: Numbered) -> dict[int, tuple[dict[str, int], dict[str, int]]]:
    """The levels of the terms of these documents before and after, by number."""
    changes: dict[int, tuple[dict[str, int], dict[str, int]]] = {}
    for name in names:
        for side, (numbers, entries) in enumerate(sides):
            if name in numbers:
                changes.setdefault(numbers[name], ({}, {}))[side].update(levels(entries[name]))
    return changes


# ------------------------------------------------------------------------------------------------------- files


def path(beginning: str) -> str:
    """The file of the terms that begin so."""
    return f"{FOLDER}/t{beginning.encode().hex()}.js"


def record_path(number: int) -> str:
    """The file of what results show of a document."""
    return f"{FOLDER}/documents/{number:06x}.js"


def script(name: str, data: str) -> str:
    """Data as a script: a page that was opened from a folder may load scripts, and nothing else."""
    return f"kbSearch.take({json.dumps(name)},{data})\n"


def data_in(text: str) -> object:
    """The data in a script."""
    return json.loads(text[text.index(",") + 1 : -2])


def manifest(count: int, shards: Shards, words: Mapping[str, Mapping[str, str]]) -> str:
    """The file that a browser reads first: which files there are, and what to say."""
    leaves, forks = (dict(sorted(each.items())) for each in (shards.leaves, shards.forks))
    return script("index", dumped({"format": FORMAT, "count": count, "words": words, "leaves": leaves, "forks": forks}))


def shards_in(text: str) -> Shards:
    """The shards that a manifest names."""
    data = cast("dict[str, dict[str, int]]", data_in(text))
    return Shards(data["leaves"], data["forks"])


def dumped(data: object) -> str:
    """Data as JSON, in few characters."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _written(beginning: str, file: Leaf | Fork) -> Iterator[tuple[str, str]]:
    """A file of terms; none for a fork that says nothing."""
    if isinstance(file, Fork):
        data: object = [file.own, file.summed]
        if not file.own and not file.summed:
            return
    else:
        data = "\n".join(f"{term} {file.terms[term]}" for term in sorted(file.terms))
    yield path(beginning), script(f"t{beginning.encode().hex()}", dumped(data))


def _read(read: Callable[[str], str], shards: Shards, beginning: str) -> Leaf | Fork:
    if beginning in shards.forks:
        try:
            own, summed = cast("tuple[str, str]", data_in(read(path(beginning))))
            return Fork(own, summed)
        except FileNotFoundError:
            return Fork("", "")
    lines = str(data_in(read(path(beginning)))).split("\n")
    return Leaf({term: written for line in lines if line for term, _, written in [line.rpartition(" ")]})
