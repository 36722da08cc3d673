"""Where the cards of one paper in two languages say different things: citation, figures, formulas, models, numbers.

Words are translated, so they are not compared; and a version may say less than the other. What is reported stands in
both in two ways, or is missing from a part that agrees in all else.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from kb.authors import surname_first
from kb.base import Base
from kb.bibliography.identity import folded
from kb.calls import CallError, normalise
from kb.expressions import ExpressionError, with_calls
from kb.markdown import plain_text, plain_texts
from kb.problems import problem
from kb.records import Card, Place, Printed, Problem, ResultRow
from kb.tables import normal_label, tables
from kb.tex import normal_tex

ALIKE = 0.5  # of two formulas or numbers, the share that they have in common, for one to be meant by the other
COMPLETE = 2 / 3  # of a part, the share that is in both versions, for what is missing to be a slip
TELLING = 3  # digits from which a number in the text is no word that translators write as they like

_LANGUAGES = {"zh": "Chinese", "en": "English"}
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_CELL = re.compile(rf"[~≈<>≤≥+−-]?\s*(?P<number>{_NUMBER.pattern})\s*(?P<unit>[^\d\s]{{0,4}})")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that both cards should say: `key` is compared, `shown` stands on a line of one of them."""

    key: str
    shown: str
    line: int


Items = Sequence[Item]


@dataclass(frozen=True, slots=True)
class Pair:
    """A paper's card, and one in another language."""

    first: Card
    other: Card

    def turned(self) -> Pair:
        """The same two, the other way round."""
        return Pair(self.other, self.first)


def disagreements(base: Base) -> Iterator[Problem]:
    """What the cards of each paper in several languages disagree about."""
    both = {key for key, languages in base.languages.items() if len(languages) > 1}
    first = {card.citekey: card for card in base.papers if card.citekey in both}
    for card in base.cards:
        if card.citekey in both and card.lang != first[card.citekey].lang:
            pair = Pair(first[card.citekey], card)
            for compare in (citations, figures, cells, formulas, numbers):
                yield from compare(pair)
            yield from models(pair, base)


# ------------------------------------------------------------------------------------------------------- citations


def citations(pair: Pair) -> Iterator[Problem]:
    """Citations that are not of one work, as far as they are in one script."""
    for name, mine, theirs in _citation_parts(pair):
        if mine and theirs and bool(_HAN.search(mine)) == bool(_HAN.search(theirs)) and folded(mine) != folded(theirs):
            place = Place(pair.other.path, _head_line(pair.other, theirs, name))
            message = f"the {name} is `{theirs}`, and `{mine}` on the card in {_language(pair.first)}"
            yield problem("K701", place, message, _there(pair.first, _head_line(pair.first, mine, name)))


def _citation_parts(pair: Pair) -> Iterator[tuple[str, str, str]]:
    first, other = pair.first.citation, pair.other.citation
    yield "title", first.title, other.title
    yield "venue", first.venue, other.venue
    yield "year", str(first.year or ""), str(other.year or "")
    yield "kind", pair.first.kind, pair.other.kind
    for mine, theirs in zip(first.authors, other.authors, strict=False):  # one may name more of them
        if folded(surname_first(mine)[0]) != folded(surname_first(theirs)[0]):
            yield "author", mine, theirs
    for name in pair.first.links:
        yield f"{name} link", pair.first.links[name].rstrip("/"), pair.other.links.get(name, "").rstrip("/")


def _head_line(card: Card, text: str, name: str) -> int:
    """The line of a card's head that a text stands on, the first of the quote for a kind; else that of the heading."""
    wanted = "" if name == "kind" else text
    quoted = ((number, line) for number, line in enumerate(card.head.split("\n"), card.line) if line.startswith(">"))
    return next((number for number, line in quoted if wanted in line), card.line)


# --------------------------------------------------------------------------------------------------------- figures


Table = tuple[ResultRow, ...]


def figures(pair: Pair) -> Iterator[Problem]:
    """Figures of results tables that are printed otherwise in the other card."""
    for mine, theirs in _same_tables(_tables(pair.first), _tables(pair.other)):
        rows, left, right = _same_rows(mine, theirs)
        columns = _columns(mine), _columns(theirs)
        yield from _other_columns(pair, mine, theirs, columns)
        for row, other in rows:
            yield from _cells(pair, row, other, [name for name in columns[0] if name in columns[1]])
        if len(rows) >= COMPLETE * max(len(mine), len(theirs)):
            yield from (_missing_row(pair, row, theirs) for row in left)
            yield from (_missing_row(pair.turned(), row, mine) for row in right)


def _tables(card: Card) -> list[Table]:
    return [tuple(rows) for _, rows in groupby(card.results, key=lambda row: row.table)]


def _same_tables(mine: Sequence[Table], theirs: Sequence[Table]) -> Iterator[tuple[Table, Table]]:
    """The tables that are each other's: the likest first; then, where as many are left, in their order."""
    scores = [(-_common(one, other), abs(a - b), a, b) for a, one in enumerate(mine) for b, other in enumerate(theirs)]
    partners: dict[int, int] = {}
    for score, _, a, b in sorted(scores):
        if score <= -ALIKE and a not in partners and b not in partners.values():
            partners[a] = b
    rest = [a for a in range(len(mine)) if a not in partners]
    others = [b for b in range(len(theirs)) if b not in partners.values()]
    if len(rest) == len(others):
        partners |= dict(zip(rest, others, strict=True))
    yield from ((mine[a], theirs[b]) for a, b in sorted(partners.items()))


def _common(mine: Table, theirs: Table) -> float:
    """The share of figures that two tables have in common."""
    one, other = _contents(mine), _contents(theirs)
    return (one & other).total() / max(one.total(), other.total())


def _contents(table: Table) -> Counter[tuple[str, str, object]]:
    return Counter((row.call, metric, printed.value) for row in table for metric, printed in row.metrics.items())


Rows = list[tuple[ResultRow, ResultRow]]


def _same_rows(mine: Table, theirs: Table) -> tuple[Rows, list[ResultRow], list[ResultRow]]:
    """The rows that are each other's, by call, by label, by figures, by order; and those of one table alone."""
    found: Rows = []
    left, right = list(mine), list(theirs)
    for key in (lambda row: row.call, lambda row: normal_label(row.label)):
        _match(left, right, key, found)
    _match_figures(left, right, found)
    if len(left) == len(right):
        return [*found, *zip(left, right, strict=True)], [], []
    return found, left, right


def _match(left: list[ResultRow], right: list[ResultRow], key: Callable[[ResultRow], object], found: Rows) -> None:
    """Move the rows whose key none but one of the others has from both lists to those found."""
    mine, theirs = Counter(map(key, left)), Counter(map(key, right))
    unique = {each for each in mine if each and mine[each] == theirs[each] == 1}
    by_key = {key(row): row for row in right if key(row) in unique}
    found += [(row, by_key[key(row)]) for row in left if key(row) in unique]
    left[:], right[:] = ([row for row in rows if key(row) not in unique] for rows in (left, right))


def _match_figures(left: list[ResultRow], right: list[ResultRow], found: Rows) -> None:
    """Move the rows that have at least half of their figures in common, the likest first."""
    scores = [(-_share(row, other), a, b) for a, row in enumerate(left) for b, other in enumerate(right)]
    for score, a, b in sorted(scores):
        if score <= -ALIKE and not any(row is left[a] or other is right[b] for row, other in found):
            found.append((left[a], right[b]))
    left[:] = [row for row in left if not any(row is one for one, _ in found)]
    right[:] = [row for row in right if not any(row is other for _, other in found)]


def _share(row: ResultRow, other: ResultRow) -> float:
    both = row.metrics.keys() & other.metrics.keys()
    return sum(row.metrics[name].value == other.metrics[name].value for name in both) / max(len(both), 1)


def _columns(table: Table) -> list[str]:
    return list(dict.fromkeys(metric for row in table for metric in row.metrics))


def _other_columns(
    pair: Pair, mine: Table, theirs: Table, columns: tuple[Sequence[str], Sequence[str]]
) -> Iterator[Problem]:
    """A column that goes by another metric; one that a shorter version leaves out is no mistake."""
    left, right = ([name for name in columns[a] if name not in columns[1 - a]] for a in (0, 1))
    for one, other in zip(left, right, strict=False):
        message = f"the column of {other} is one of {one} on the card in {_language(pair.first)}"
        place = Place(pair.other.path, theirs[0].table)
        yield problem("K702", place, message, _there(pair.first, mine[0].table))


def _cells(pair: Pair, mine: ResultRow, theirs: ResultRow, columns: Iterable[str]) -> Iterator[Problem]:
    place, there = Place(pair.other.path, theirs.line), _there(pair.first, mine.line)
    language = _language(pair.first)
    for metric in columns:
        one, other = mine.metrics.get(metric), theirs.metrics.get(metric)
        if not _agree(one, other):
            message = f"{theirs.label}: {metric} {_shown(other)} here, and {_shown(one)} on the card in {language}"
            yield problem("K702", place, message, there)
    if mine.call != theirs.call:
        names = [f"`{row.call}`" if row.call else "no model" for row in (theirs, mine)]
        message = f"{theirs.label}: the row is tied to {names[0]}, and to {names[1]} on the card in {language}"
        yield problem("K704", place, message, there)


def _agree(one: Printed | None, other: Printed | None) -> bool:
    """Whether two figures are one: 4.2 M and 420 万 are, 4.2 M and 4.20 M are not."""
    if one is None or other is None:
        return one is other
    return one.value == other.value and (one.unit != other.unit or one.step == other.step)


def _shown(figure: Printed | None) -> str:
    return f"{figure.printed} {figure.unit}".strip() if figure else "is not printed"


def _missing_row(pair: Pair, row: ResultRow, table: Table) -> Problem:
    message = f"{row.label}: the row is not in the table of the card in {_language(pair.other)}"
    place = Place(pair.first.path, row.line)
    return problem("K702", place, message, f"that table is at {pair.other.path}:{table[0].table}")


# ----------------------------------------------------------------------------------------- other numbers in tables


def cells(pair: Pair) -> Iterator[Problem]:
    """Numbers in these tables' other columns, and in all other tables, where rows have as many of them."""
    both = list(_same_tables(_tables(pair.first), _tables(pair.other)))
    rows = [(row.line, its.line) for one, other in both for row, its in _same_rows(one, other)[0]]
    mine = _grid(pair.first, {one[0].table for one, _ in both})
    theirs = _grid(pair.other, {other[0].table for _, other in both})
    for one, other in [*rows, *_other_rows(mine, theirs)]:
        left, right = _cell_numbers(mine[one]), _cell_numbers(theirs[other])
        for written, there in zip(left, right, strict=False) if len(left) == len(right) else ():
            if not _same_number(written, there):
                message = f"`{there}` in this row is `{written}` on the card in {_language(pair.first)}"
                yield problem("K702", Place(pair.other.path, other), message, _there(pair.first, one))


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row of any table: its section, the cells to compare, and whether figures of it have been compared."""

    section: str
    cells: tuple[str, ...]
    compared: bool


def _grid(card: Card, compared: Set[int]) -> dict[int, GridRow]:
    """The rows of all tables of a card, by their lines; `compared` are those whose figures have been."""
    figures = {row.line: {printed.column for printed in row.metrics.values()} for row in card.results}
    found: dict[int, GridRow] = {}
    for text, first_line in _texts(card):
        for header, *body in tables(text, first_line):
            for row in body:
                done = figures.get(row.line, ()) if header.line in compared else ()
                free = tuple(cell for at, cell in enumerate(row.cells) if at not in done)
                found[row.line] = GridRow(_section_at(card, row.line), free, header.line in compared)
    return found


def _other_rows(mine: Mapping[int, GridRow], theirs: Mapping[int, GridRow]) -> Iterator[tuple[int, int]]:
    """The rows of the other tables, in their order, in sections that have as many of them on both cards."""
    left, right = _rest(mine), _rest(theirs)
    for section in left.keys() & right.keys():
        if len(left[section]) == len(right[section]):
            yield from zip(left[section], right[section], strict=True)


def _rest(grid: Mapping[int, GridRow]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for line, row in grid.items():
        if not row.compared:
            found.setdefault(row.section, []).append(line)
    return found


def _cell_numbers(row: GridRow) -> list[str]:
    """The cells that are a number, with a unit or without; a label with a number in it is a text."""
    texts = (unicodedata.normalize("NFKC", plain_text(cell)) for cell in row.cells)
    return [text for text in texts if _CELL.fullmatch(text)]


def _same_number(one: str, other: str) -> bool:
    """Whether two cells hold one number; in another unit, its digits count."""
    mine, theirs = (_CELL.fullmatch(text) for text in (one, other))
    if not mine or not theirs:
        return False
    if mine["unit"].casefold() == theirs["unit"].casefold():
        return mine["number"].replace(",", "") == theirs["number"].replace(",", "")
    return _digits(mine["number"]) == _digits(theirs["number"])


# ---------------------------------------------------------------------------------- formulas, models, expressions


def formulas(pair: Pair) -> Iterator[Problem]:
    """Formulas that are written otherwise in the same section of the other card, or are missing from it."""
    mine, theirs = (_in_sections(card, _formulas(card)) for card in (pair.first, pair.other))
    everywhere = [{item.key for items in found.values() for item in items} for found in (mine, theirs)]
    for section in sorted(mine.keys() & theirs.keys()):
        as_many = len(mine[section]) == len(theirs[section])
        found = _replaced(mine[section], theirs[section]) or [
            (one, other)
            for one, other in _differences(mine[section], theirs[section])
            if (one and one.key not in everywhere[1])
            or (other and other.key not in everywhere[0])
            or (as_many and one and other and _without_digits(one) == _without_digits(other))
        ]  # else one of them says again what the other says elsewhere
        yield from _told(pair, "K703", "the formula", found)


def _formulas(card: Card) -> list[Item]:
    return [Item(normal_tex(each.tex), " ".join(each.tex.split()), each.line) for each in card.equations]


def _without_digits(item: Item) -> str:
    return re.sub(r"\d", "0", item.key)


def _replaced(mine: Items, theirs: Items) -> list[Difference]:
    """What stands in the place of what, where all else is the same and in the same order."""
    left, _ = _unlike(mine, theirs)
    there = [(one, other) for one, other in zip(mine, theirs, strict=False) if one.key != other.key]
    return [*there] if len(mine) == len(theirs) and len(there) == len(left) else []


def _differences(mine: Items, theirs: Items) -> list[Difference]:
    complete = len(mine) == len(theirs) or _are_complete(mine, theirs)
    return _paired(*_unlike(mine, theirs), complete=complete)


def models(pair: Pair, base: Base) -> Iterator[Problem]:
    """Models that one card names and the other does not, and expressions that are in one alone."""
    for what, items in (("the model", _models), ("the expression", _expressions)):
        mine, theirs = items(pair.first, base), items(pair.other, base)
        left, right = _unlike(mine, theirs)
        keys = {item.key for item in mine}, {item.key for item in theirs}
        left = [item for item in left if item.key not in keys[1]]
        right = [item for item in right if item.key not in keys[0]]
        yield from _told(pair, "K704", what, _paired(left, right, complete=_are_complete(mine, theirs)))


def _models(card: Card, base: Base) -> list[Item]:
    return [Item(base.normal_call(model.call) or model.call, model.call, model.line) for model in card.models]


def _expressions(card: Card, base: Base) -> list[Item]:
    return [Item(_normal_expression(each.source, base), each.source, each.line) for each in card.claims]


def _normal_expression(source: str, base: Base) -> str:
    try:
        text = with_calls(source, lambda call: normalise(call, base.factories, base.settings.packages))
    except (CallError, ExpressionError):
        text = source
    return "".join(text.split())


def _unlike(mine: Items, theirs: Items) -> tuple[list[Item], list[Item]]:
    """What each says more often than the other, the later ones of what is said again."""
    return _surplus(mine, theirs), _surplus(theirs, mine)


def _surplus(mine: Items, theirs: Items) -> list[Item]:
    there = Counter(item.key for item in theirs)
    found = []
    for item in mine:
        there[item.key] -= 1
        if there[item.key] < 0:
            found.append(item)
    return found


def _are_complete(mine: Items, theirs: Items) -> bool:
    """Whether both say nearly all that the other says: one that says less is no mistake."""
    mine_keys, theirs_keys = {item.key for item in mine}, {item.key for item in theirs}
    return len(mine_keys & theirs_keys) >= COMPLETE * max(len(mine_keys), len(theirs_keys))


Difference = tuple[Item | None, Item | None]


def _paired(left: Items, right: Items, *, complete: bool) -> list[Difference]:
    """What may be meant by what: the likest first; where as many are left on both sides, in their order."""
    pairs: list[Difference] = []
    rest, others = list(left), list(right)
    scores = [(-_likeness(one, other), a, b) for a, one in enumerate(left) for b, other in enumerate(right)]
    for score, a, b in sorted(scores):
        if score <= -ALIKE and left[a] in rest and right[b] in others:
            pairs.append((left[a], right[b]))
            rest.remove(left[a])
            others.remove(right[b])
    if complete:
        together = zip(rest, others, strict=True) if len(rest) == len(others) else ()
        pairs += together or [*((item, None) for item in rest), *((None, item) for item in others)]
    return pairs


def _likeness(one: Item, other: Item) -> float:
    mine, theirs = (re.findall(r"\\\w+|\S", item.key) for item in (one, other))
    return SequenceMatcher(None, mine, theirs, autojunk=False).ratio()


def _told(pair: Pair, code: str, what: str, differences: Iterable[Difference]) -> Iterator[Problem]:
    for mine, theirs in differences:
        if mine and theirs:
            message = f"{what} `{theirs.shown}` is `{mine.shown}` on the card in {_language(pair.first)}"
            yield problem(code, Place(pair.other.path, theirs.line), message, _there(pair.first, mine.line))
        elif mine:
            yield _missing(pair, code, what, mine)
        elif theirs:
            yield _missing(pair.turned(), code, what, theirs)


def _missing(pair: Pair, code: str, what: str, item: Item) -> Problem:
    message = f"{what} `{item.shown}` is not on the card in {_language(pair.other)}"
    section = _section_at(pair.first, item.line)
    lines = [each.line for each in pair.other.sections if each.id == section]
    hint = f"that card is at {pair.other.path}:{lines[0] if section and lines else pair.other.line}"
    return problem(code, Place(pair.first.path, item.line), message, hint)


# --------------------------------------------------------------------------------------------- numbers in the text


def numbers(pair: Pair) -> Iterator[Problem]:
    """Numbers of several digits in a text that are others in the same section of the other card."""
    mine, theirs = (_in_sections(card, _numbers(card)) for card in (pair.first, pair.other))
    everywhere = [{item.key for items in found.values() for item in items} for found in (mine, theirs)]
    for section in sorted(mine.keys() & theirs.keys()):
        left = [item for item in mine[section] if item.key not in everywhere[1]]
        right = [item for item in theirs[section] if item.key not in everywhere[0]]
        yield from _told(pair, "K705", "the number", _paired(left, right, complete=False))


def _numbers(card: Card) -> list[Item]:
    """The telling numbers of its text, by their digits, which are the same in 15,300 M and 153 亿."""
    in_tables = _grid(card, set())
    return [
        Item(digits, shown, line)
        for source, first_line in _texts(card)
        for text, line in plain_texts(source, first_line)
        if line not in in_tables
        for shown in _NUMBER.findall(unicodedata.normalize("NFKC", text))
        if len(digits := _digits(shown)) >= TELLING
    ]


def _digits(number: str) -> str:
    """The digits of a number that count: they are the same in all units."""
    return number.replace(",", "").replace(".", "").strip("0")


# ---------------------------------------------------------------------------------------------------------- places


def _texts(card: Card) -> Iterator[tuple[str, int]]:
    yield card.intro, card.intro_line
    yield from ((section.markdown, section.line + 1) for section in card.sections)


def _in_sections(card: Card, items: Items) -> dict[str, list[Item]]:
    """The items by the ids of their sections; those under headings of the author's own are together."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(_section_at(card, item.line), []).append(item)
    return found


def _section_at(card: Card, line: int) -> str:
    return next((section.id for section in reversed(card.sections) if section.line <= line), "")


def _language(card: Card) -> str:
    return _LANGUAGES.get(card.lang, card.lang)


def _there(card: Card, line: int) -> str:
    return f"that one is at {card.path}:{line}; correct one of the two"
