"""How the index is cut into files: by the first characters of its terms, each file as long as a reader likes to fetch.

The terms are a tree by their characters. A branch whose terms fit one file is a leaf: a file of them. Others are forks,
whose file has the documents of the term that ends there, and those of all terms that begin so, summed up. So a word, a
prefix and a single Chinese character are each looked up in one file, however much there is; and as the cut depends on
the terms and their documents alone, whoever changes a document knows which files that changes.

From a fork two steps lead to the next character, by the lowest four bits of its code and by the four above: thousands
of Chinese characters would be as many files. `ab`, `ab\n3` and `ab\n36` are on the way to `abc`, and the last two have
no file of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kb.search import postings
from kb.search.words import is_spelt

LARGEST = 32_000  # characters of a leaf
BACKWARDS = "<"  # begins a word that is written backwards, for finding one whose beginning is misspelt
UNSUMMED = ("=", BACKWARDS)  # what begins so is not looked up by a prefix
STEPS = 3  # from a character to the next
DEEPEST = 24 * STEPS  # steps to a leaf: they name its file
SOMEWHERE = postings.encode([0])  # the postings of a word written backwards: whose documents are found by the word
_MARKS = 3  # characters around a term and its postings

Postings = Sequence[int]
Levels = Mapping[str, int]


def step(term: str, number: int) -> str:
    """A step on the way to a term: its beginning, and on the way to the next character the digits of that."""
    at, digits = divmod(number, STEPS)
    return term[:at] + (f"\n{ord(term[at]) & 15:x}{ord(term[at]) >> 4 & 15:x}"[: 1 + digits] if digits else "")


def steps(term: str) -> Iterator[str]:
    """The steps on the way to a term, and the term."""
    return (step(term, number) for number in range(STEPS * len(term) + 1))


def above(beginning: str) -> Iterator[str]:
    """The steps on the way to a leaf or fork, and itself."""
    term, mark, digits = beginning.partition("\n")
    yield from steps(term)
    yield from (term + mark + digits[:end] for end in range(1, len(digits) + 1))


def depth(beginning: str) -> int:
    """How many steps lead to a leaf or fork."""
    term, _, digits = beginning.partition("\n")
    return STEPS * len(term) + len(digits)


@dataclass
class Shards:
    """Leaves and forks by the characters that their terms begin with, and the length of what each holds."""

    leaves: dict[str, int] = field(default_factory=dict)
    forks: dict[str, int] = field(default_factory=dict)

    def __contains__(self, beginning: str) -> bool:
        return beginning in self.leaves or beginning in self.forks

    def home(self, term: str) -> tuple[str, bool]:
        """Where a term belongs: a step on the way to it, and whether that is a fork (else a leaf, which may be new)."""
        for beginning in steps(term):
            if beginning not in self.forks:
                return beginning, False
        return term, True

    def totals(self) -> dict[str, int]:
        """The length of all that lies at and below each fork."""
        totals = dict.fromkeys(self.forks, 0)
        for beginning, size in (*self.leaves.items(), *self.forks.items()):
            for each in above(beginning):
                if each in totals:
                    totals[each] += size
        return totals

    def below(self, beginning: str) -> list[str]:
        """The leaves and forks at a beginning and below it."""
        return [each for each in (*self.leaves, *self.forks) if beginning in above(each)]

    def drop(self, beginning: str) -> None:
        """Forget a leaf or a fork."""
        self.leaves.pop(beginning, None)
        self.forks.pop(beginning, None)

    def sums_of(self, term: str) -> Iterator[str]:
        """The forks that sum a term up."""
        for beginning in steps(term):
            if beginning not in self.forks:
                return
            if is_summed(beginning):
                yield beginning


@dataclass
class Leaf:
    """A file of terms with their postings, written."""

    terms: dict[str, str]


@dataclass
class Fork:
    """The postings, written, of the term that ends at a fork, and those of all that begin so."""

    own: str
    summed: str


def backwards(word: str) -> str:
    """The term for a word whose beginning may be misspelt."""
    return BACKWARDS + word[::-1]


def length(term: str, written: str) -> int:
    """What a term takes of its file."""
    return len(term) + len(written) + _MARKS


def is_summed(beginning: str) -> bool:
    """Whether what begins so is looked up by its beginning."""
    return bool(beginning) and "\n" not in beginning and not beginning.startswith(UNSUMMED)


def is_leaf(beginning: str, total: int, own: int) -> bool:
    """Whether terms of this length in all are one file: they fit, or there is nothing to cut."""
    return total <= LARGEST or total == own or depth(beginning) >= DEEPEST


@dataclass
class Cut:
    """Shards, and their files by the beginnings of their terms."""

    shards: Shards = field(default_factory=Shards)
    files: dict[str, Leaf | Fork] = field(default_factory=dict)

    def add(self, beginning: str, terms: Mapping[str, Postings]) -> None:
        """Add the files of all terms that begin so."""
        written = {term: postings.encode(found) for term, found in terms.items()}
        self._add(beginning, sorted(terms), terms, written)

    def _add(
        self, beginning: str, names: Sequence[str], terms: Mapping[str, Postings], written: Mapping[str, str]
    ) -> Postings:
        """Add the files of the terms with these names; gives their sum, where a fork above asks for it."""
        total = sum(length(name, written[name]) for name in names)
        own = length(beginning, written[beginning]) if beginning in written else 0
        if is_leaf(beginning, total, own):
            self.shards.leaves[beginning] = total
            self.files[beginning] = Leaf({name: written[name] for name in names})
            return self._sum(beginning, (terms[name] for name in names))
        groups: dict[str, list[str]] = {}
        for name in names:
            if name != beginning:
                groups.setdefault(step(name, depth(beginning) + 1), []).append(name)
        below = [self._add(start, group, terms, written) for start, group in groups.items()]
        summed = self._sum(beginning, [terms.get(beginning, ()), *below])
        self.shards.forks[beginning] = own
        self.files[beginning] = Fork(
            written.get(beginning, ""), postings.encode(summed) if is_summed(beginning) else ""
        )
        return summed

    def _sum(self, beginning: str, lists: Iterable[Postings]) -> Postings:
        """All documents of these lists, unless no fork here or above sums them up."""
        term, mark, _ = beginning.partition("\n")
        asked = is_summed(beginning) or is_summed(term if mark else term[:-1])
        return postings.union(lists) if asked else ()


class Revision:
    """Shards as they become when documents change: reads the files that this touches, and knows no others."""

    def __init__(self, shards: Shards, read: Callable[[str], Leaf | Fork]) -> None:
        self.shards = Shards(dict(shards.leaves), dict(shards.forks))
        self.touched: dict[str, Leaf | Fork] = {}
        self._read = read

    def change(self, documents: Mapping[int, tuple[Levels, Levels]]) -> None:
        """Let documents, by their numbers, have other terms: the levels of those before, and of those after."""
        for beginning, edits in self._sums(documents).items():
            fork = self._fork(beginning)
            fork.summed = postings.changed(fork.summed, edits)
        for term, edits in edits_by_term(documents).items():
            self._change_term(term, edits)
        self._settle()

    def _sums(self, documents: Mapping[int, tuple[Levels, Levels]]) -> dict[str, dict[int, int | None]]:
        """What changes in the sums of forks, which are still as they were."""
        edits: dict[str, dict[int, int | None]] = {}
        for number, (before, after) in documents.items():
            old, new = self._highest(before), self._highest(after)
            for beginning in old.keys() | new.keys():
                if old.get(beginning) != new.get(beginning):
                    edits.setdefault(beginning, {})[number] = new.get(beginning)
        return edits

    def _highest(self, levels: Levels) -> dict[str, int]:
        highest: dict[str, int] = {}
        for term, level in levels.items():
            for beginning in self.shards.sums_of(term):
                highest[beginning] = max(level, highest.get(beginning, 0))
        return highest

    def _change_term(self, term: str, edits: Mapping[int, int | None]) -> None:
        before = self._get(term)
        after = postings.changed(before, edits)
        self._put(term, after)
        if is_spelt(term) and bool(before) != bool(after):
            self._put(backwards(term), SOMEWHERE if after else "")

    def _get(self, term: str) -> str:
        home, is_fork = self.shards.home(term)
        return self._fork(home).own if is_fork else self._leaf(home).terms.get(term, "")

    def _put(self, term: str, written: str) -> None:
        home, is_fork = self.shards.home(term)
        if is_fork:
            self._fork(home).own = written
            self.shards.forks[home] = length(term, written) if written else 0
            return
        terms = self._leaf(home).terms
        for old in filter(None, [terms.pop(term, "")]):
            self.shards.leaves[home] -= length(term, old)
        if written:
            terms[term] = written
            self.shards.leaves[home] += length(term, written)

    def _leaf(self, beginning: str) -> Leaf:
        if beginning not in self.shards.leaves:
            self.shards.leaves[beginning] = 0
            self.touched[beginning] = Leaf({})
        return self._file(beginning)  # type: ignore[return-value]

    def _fork(self, beginning: str) -> Fork:
        return self._file(beginning)  # type: ignore[return-value]

    def _file(self, beginning: str) -> Leaf | Fork:
        if beginning not in self.touched:
            self.touched[beginning] = self._read(beginning)
        return self.touched[beginning]

    def _settle(self) -> None:
        """Cut leaves that have become too long, join what fits one file again."""
        totals = self.shards.totals()
        for beginning in sorted(self.shards.forks, key=depth):
            own = self.shards.forks.get(beginning)
            if own is not None and is_leaf(beginning, totals[beginning], own):
                self._join(beginning)
        for beginning in [each for each in self.touched if each in self.shards.leaves]:
            leaf = self._leaf(beginning)
            own = length(beginning, leaf.terms[beginning]) if beginning in leaf.terms else 0
            if not is_leaf(beginning, self.shards.leaves[beginning], own):
                self._replace(beginning, {term: postings.decode(written) for term, written in leaf.terms.items()})
            elif beginning and not leaf.terms:
                del self.shards.leaves[beginning]

    def _join(self, beginning: str) -> None:
        """Make a leaf of all that begins so."""
        terms: dict[str, str] = {}
        for below in self.shards.below(beginning):
            found = self._file(below)
            terms |= found.terms if isinstance(found, Leaf) else {below: found.own} if found.own else {}
            self.shards.drop(below)
        self.shards.leaves[beginning] = sum(length(term, written) for term, written in terms.items())
        self.touched[beginning] = Leaf(terms)

    def _replace(self, beginning: str, terms: Mapping[str, Postings]) -> None:
        """Cut a leaf anew."""
        self.shards.drop(beginning)
        new = Cut()
        new.add(beginning, terms)
        self.shards.leaves |= new.shards.leaves
        self.shards.forks |= new.shards.forks
        self.touched |= new.files


def edits_by_term(documents: Mapping[int, tuple[Levels, Levels]]) -> dict[str, dict[int, int | None]]:
    """What changes in the postings of each term: the documents' levels after it, None where they no longer have it."""
    edits: dict[str, dict[int, int | None]] = {}
    for number, (before, after) in documents.items():
        for term in before.keys() | after.keys():
            if before.get(term) != after.get(term):
                edits.setdefault(term, {})[number] = after.get(term)
    return edits
