"""The report of an import as text: what each source became, what was left out and why, and the sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from kb.importers.records import LeftOut
from kb.importing import Imported, Outcome, Report
from kb.records import Place

_OUTCOMES: Mapping[Outcome, str] = {
    "written": "written to {}",
    "overwritten": "written over {}",
    "unchanged": "unchanged: {}",
    "kept": "kept as it was, and differs: {} (--overwrite replaces it)",
    "refused": "not written",
}
_WOULD: Mapping[Outcome, str] = {
    **_OUTCOMES,
    "written": "would be written to {}",
    "overwritten": "would be written over {}",
}
_LONGEST = 100  # characters of a line that was left out


def format_report(report: Report) -> str:
    """The report: how each source was read, each card and where it went, then what was left out, then the sum."""
    lines = [*report.about]
    lines += [line for each in report.imported for line in _card_lines(each, dry=report.dry)]
    lines += [line for each in report.left_out for line in _left_out_lines(each)]
    return "\n".join([*lines, _sum(report)]) + "\n"


def _sum(report: Report) -> str:
    outcomes = Counter(each.outcome for each in report.imported)
    total = _count(len(report.imported), "card")
    says = {"written": "to be written", "overwritten": "to be overwritten"} if report.dry else {}
    parts = [f"{count:,} {says.get(outcome, outcome)}" for outcome, count in outcomes.items()]
    return f"{total}: {', '.join(parts)}" if parts else f"{total} found"


def _left_out_lines(each: LeftOut) -> Iterator[str]:
    more = f" (and {each.more:,} more line{'' if each.more == 1 else 's'})" if each.more else ""
    yield f"{_where(each.place)}  {each.why}, left out: {_short(each.beginning)}{more}"


def _where(place: Place) -> str:
    return f"{place.path}:{place.line}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _card_lines(each: Imported, *, dry: bool) -> Iterator[str]:
    card, citation = each.card, each.card.citation
    said = (_WOULD if dry else _OUTCOMES)[each.outcome].format(each.target)
    yield f"{_where(Place(card.path, card.line))}  {card.citekey}  {said}"
    read = {
        "name": card.name,
        "kind": card.kind,
        "authors": ", ".join(citation.authors) + (" et al." if citation.et_al else ""),
        "title": citation.title,
        "venue": citation.venue,
        "year": str(citation.year or ""),
        "sections": ", ".join(section.id or f"{section.heading} (not in the template)" for section in card.sections),
    }
    yield from (f"    {name:9}{value or '-'}" for name, value in read.items())
    found = (("formula", card.equations), ("model", card.models), ("row of results", card.results))
    counted = [_count(len(items), noun) for noun, items in (*found, ("image", each.images)) if items]
    if counted:
        yield f"    {'with':9}{', '.join(counted)}"
    draft = ["a draft: sections or the citation are still to be written"] if card.status == "draft" else []
    yield from (f"    {'note':9}{remark}" for remark in (*each.remarks, *draft))


def _count(number: int, noun: str) -> str:
    first, _, rest = noun.partition(" ")
    return f"{number:,} {first}{'' if number == 1 else 's'} {rest}".rstrip()
