"""The staged tree, kept up to date: of all that is below build/, only what is made of something that changed is made.

`build/pages.json` holds what each part of the site was made of, as `kb.pages.recording` found it, and its files. It
stands only while the tree is as it says: whoever is about to change the tree removes it first, so that after a build
that was cut off everything is made anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment

from kb import inputs, writing
from kb.kept import KeptNote
from kb.naming import recall
from kb.pages import Earlier, Job, environments, jobs, staged
from kb.pages.recording import Questions, Recorded, digest_of
from kb.pages.site import Site
from kb.records import Note
from kb.workers import shared_out

RECORD = "pages.json"
NAMING = "naming.json"
FOLDERS = ("cards", "pages", "bodies", "pieces")  # below build/
LEAST = 30  # parts of the site worth a process of their own

# Questions that are answered from the light facts of cards alone.
_LIGHT = frozenset(
    {
        "main_cards",
        "cards",
        "groups",
        "anchor",
        "path_of",
        "versions",
        "metadata",
        "base.languages",
        "base.linked",
        "base.resolve",
        "base.first_in",
        "base.card",
    }
)

# Those that are answered from light facts and from what cards name.
_NAMED = frozenset({"kin", "names_in", "lineage_made_of", "base.links", "base.links_of"})

Files = Mapping[str, str]  # digests of staged files, by their paths below build/


class Part(NamedTuple):
    """What a part of the site was made of, and its files."""

    card: str  # a digest of the card that it is about, with its place on the site
    notes: Mapping[str, str]  # of notes whose text it shows: their digests
    asked: Sequence[int]  # questions, by their numbers
    always: bool  # whether it has to be made every time
    files: Files


@dataclass(slots=True)
class Record:
    """The parts of the site by name; `fixed` is a digest of all that is the same for every one of them."""

    fixed: str = ""
    light: str = ""  # a digest of the light facts of all cards
    named: str = ""  # a digest of what all cards name
    questions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, str]:
        """All files of the staged pages."""
        return {path: digest for part in self.parts.values() for path, digest in part.files.items()}


def stage(site: Site, all_notes: Iterable[Note], folder: Path, fixed: str) -> Files:
    """Bring the staged pages up to date; `fixed` is a digest of all that is the same for every page.

    `all_notes` are those of the base, of which the site may hold a part.
    """
    folder.mkdir(exist_ok=True)
    before = _before(folder, fixed)
    digests = _digests(all_notes)
    named = recall(site.base, folder / NAMING, fixed, digests)
    there = tuple(jobs(site))
    after = Record(fixed, _light(site), named, before.questions, before.answers)
    stale = _stale(there, before, after, site, digests)
    after.parts = {job.name: before.parts[job.name] for job in there if job.name not in stale}
    if not stale and (after.parts.keys(), after.light, named) == (before.parts.keys(), before.light, before.named):
        return after.files
    (folder / RECORD).unlink(missing_ok=True)
    earlier = Earlier(before.files, _pieces(folder, before, after))
    make = partial(_make, site=site, folder=folder)
    for made, answers in shared_out(make, [job for job in there if job.name in stale and not job.join], LEAST):
        _add(after, made, answers)
    join = partial(_join, site=site, folder=folder, record=after, before=before, earlier=earlier)
    for joined in shared_out(join, [job for job in there if job.join], 1):
        after.parts |= joined
    _remove_others(folder, before, after)
    _write(folder / RECORD, after)
    return after.files


def _before(folder: Path, fixed: str) -> Record:
    """What was staged; an empty record where it is of no use, or not all of it is there any more."""
    there, record = _there(folder), _read(folder / RECORD)
    stands = record.fixed == fixed and all(os.path.join(folder, path) in there for path in record.files)
    return record if stands else Record()


def _there(folder: Path) -> set[str]:
    """The files that are staged, by their paths; links to other folders are removed."""
    found: set[str] = set()
    for top in FOLDERS:
        writing.drop_link(folder / top)
        for parent, folders, names in os.walk(folder / top):
            for name in folders:
                writing.drop_link(Path(parent, name))
            found.update(os.path.join(parent, name) for name in names)
    return found


def _light(site: Site) -> str:
    return inputs.digest(digest_of((card.path, card)) for card in site.base.cards)


def _digests(notes: Iterable[Note]) -> dict[str, str]:
    return {note.path: note.facts["digest"] for note in notes if isinstance(note, KeptNote)}


def _stale(there: Sequence[Job], before: Record, after: Record, site: Site, notes: Mapping[str, str]) -> set[str]:
    """The parts to make: new ones, and those that were made of something that has changed."""
    questions, known = Questions(site), _answered(before, after)
    other = {
        number
        for number, (question, answer) in enumerate(zip(before.questions, before.answers, strict=True))
        if json.loads(question)[0] not in known and questions.again(question) != answer
    }
    stale = {job.name for job in there if not job.join and not _stands(job, before.parts.get(job.name), notes, other)}
    if stale or before.parts.keys() != {job.name for job in there}:
        stale |= {job.name for job in there if job.join}
    return stale


def _answered(before: Record, after: Record) -> frozenset[str]:
    """What need not be asked again: all that it is answered from is as it was."""
    if after.light != before.light:
        return frozenset()
    return _LIGHT | _NAMED if after.named == before.named else _LIGHT


def _stands(job: Job, part: Part | None, notes: Mapping[str, str], other: set[int]) -> bool:
    """Whether a part would be made the same again."""
    if part is None or part.always or part.card != _card_of(job):
        return False
    return all(notes.get(path) == digest for path, digest in part.notes.items()) and other.isdisjoint(part.asked)


def _card_of(job: Job) -> str:
    return digest_of(job.view) if job.view else ""


class _Made(NamedTuple):
    """A part as the process that made it tells of it."""

    card: str
    notes: Mapping[str, str]
    asked: Sequence[str]
    always: bool
    files: Files


def _make(share: Sequence[Job], site: Site, folder: Path) -> tuple[dict[str, _Made], dict[str, str]]:
    """Make parts of the site, whatever is there; with digests of the answers that they rest on."""
    questions = Questions(site)
    recorded = Recorded(site, questions)
    environment = environments(recorded)  # type: ignore[arg-type]
    made: dict[str, _Made] = {}
    for job in share:
        with questions.of_one_page() as reads:
            files = dict(_written(job, recorded, environment(job), folder))
        notes = {note: inputs.digest_of_file(site.base.settings.root / note) for note in sorted(reads)}
        made[job.name] = _Made(_card_of(job), notes, tuple(questions.asked or ()), questions.always, files)
    return made, questions.answers


def _pieces(folder: Path, before: Record, after: Record) -> dict[str, bytes]:
    """The pieces, as they were staged, of parts that are about to be made anew, or are gone."""
    paths = (path for name, part in before.parts.items() if name not in after.parts for path in part.files)
    return {path: (folder / path).read_bytes() for path in paths if path.startswith("pieces/")}


def _join(
    share: Sequence[Job], site: Site, folder: Path, record: Record, before: Record, earlier: Earlier
) -> dict[str, Part]:
    """Join what the parts have made; where that can be done, by revising what was joined before."""
    environment = environments(site)
    digests = record.files
    there = _Staged(folder, digests)
    made: dict[str, Part] = {}
    for job in share:
        assert job.join
        earlier_part = before.parts.get(job.name)
        revised = job.revise(site, there, digests, earlier) if job.revise and earlier_part else None
        files = {**earlier_part.files} if earlier_part and revised is not None else {}
        # What is revised is read while it is; what is joined may be too much to be held.
        found = staged(job.join(site, environment(job), there)) if revised is None else list(revised)
        for path, content in found:
            files.pop(path, None)
            if content is not None:
                files |= _put(folder, path, content)
        made[job.name] = Part("", {}, (), False, files)
    return made


class _Staged(Mapping[str, bytes]):
    """The staged files, read one at a time."""

    def __init__(self, folder: Path, paths: Iterable[str]) -> None:
        self._folder = folder
        self._paths = dict.fromkeys(paths)

    def __getitem__(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _written(job: Job, site: Recorded, env: Environment, folder: Path) -> Iterator[tuple[str, str]]:
    for path, content in staged(job.make(site, env)):  # type: ignore[arg-type]
        yield from _put(folder, path, content).items()


def _put(folder: Path, path: str, content: str | bytes) -> dict[str, str]:
    """Stage a file; its digest by its path."""
    data = writing.as_bytes(content)
    writing.put(folder / path, data)
    return {path: inputs.digest_of_bytes(data)}


def _add(record: Record, made: Mapping[str, _Made], answers: Mapping[str, str]) -> None:
    """Enter parts into the record, their questions by number."""
    numbers = {question: number for number, question in enumerate(record.questions)}
    for question, answer in answers.items():
        if question not in numbers:
            numbers[question] = len(record.questions)
            record.questions.append(question)
            record.answers.append(answer)
        record.answers[numbers[question]] = answer
    for name, each in made.items():
        asked = [numbers[question] for question in each.asked if question in numbers]
        record.parts[name] = Part(each.card, each.notes, asked, each.always, each.files)


def _remove_others(folder: Path, before: Record, after: Record) -> None:
    """Remove what no part holds any more; where it is not known what was there, whatever is."""
    if not before.parts:
        below = {top: {path for path in after.files if path.startswith(f"{top}/")} for top in FOLDERS}
        for top, paths in below.items():
            writing.remove_others(folder / top, {folder / path for path in paths})
    for path in before.files.keys() - after.files.keys():
        writing.remove(folder / path, folder)


def _read(file: Path) -> Record:
    """The record; an empty one where it cannot be read."""
    try:
        fixed, light, named, asked, answers, parts = json.loads(file.read_text(encoding="utf-8"))
        return Record(fixed, light, named, asked, answers, {name: Part(*each) for name, each in parts.items()})
    except (OSError, ValueError, TypeError):
        return Record()


def _write(file: Path, record: Record) -> None:
    data = [record.fixed, record.light, record.named, record.questions, record.answers, record.parts]
    writing.write_if_changed(file, json.dumps(data, ensure_ascii=False, separators=(",", ":")))
