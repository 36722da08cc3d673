"""A card as plain Markdown, for programs that read text: its source with links resolved, measured beside printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import quote

from kb.bibliography.writing import addresses as of_paper
from kb.expressions import MARKS
from kb.markdown import code_spans, links
from kb.markdown_rules.tables import split
from kb.pages import claims, figures, notes
from kb.pages.site import Site
from kb.pages.views import CardView, Figure
from kb.records import Card, Claim, Link
from kb.telling import MARKS as SIGNS

_WIKI_LINK = re.compile(r"\[\[[^\[\]\n]+\]\]")
_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_REMARK = re.compile(r"[ \t]*<!--\s*kb:.*?-->", re.DOTALL)
_MARGIN = re.compile(r"[\s>]*(?:[-*+]\s+|\d{1,9}[.)]\s+)?")
_DEFINITION = re.compile(r"^\[(?P<label>\^?[^\]\n]+)\]:", re.MULTILINE)
_IN_TEXT = re.compile(r"([\\\[\]])")


class Edit(NamedTuple):
    """What stands in a line, from a column to before another, both from 0, is to be replaced."""

    line: int
    start: int
    end: int
    text: str


def twin(site: Site, view: CardView) -> str:
    """The card's Markdown."""
    parts = [
        f"## {part.heading}\n\n{text}" if part.heading else text
        for part in notes.parts(view.card)
        for text in [_part(site, view, part).strip("\n")]
    ]
    outside = "\n".join(_definitions(site, view, "\n".join(parts)))
    whole = ["\n".join(_head(site, view)), *parts, outside, _legend(view, site) if view.judged else ""]
    return "\n\n".join(part.strip("\n") for part in whole if part) + "\n"


def _head(site: Site, view: CardView) -> Iterator[str]:
    card, t = view.card, site.texts
    yield f"# {' '.join((card.name or card.citekey).split())}"
    yield ""
    if card.citation.text or card.citation.title:
        yield f"> {card.citation.text or card.citation.title}"
        yield ""
    facts = {
        t("card.citekey"): f"`{card.citekey}`",
        t("by.kind"): view.kind,
        t("by.tag"): t("list.comma").join(card.tags),
        t("twin.paper"): " ".join(f"<{address}>" for address in of_paper(card).values()),
        t("twin.page"): f"[{card.citekey}.html]({quote(card.citekey)}.html)",
    }
    yield from (f"- {t('twin.fact', name=name, value=value)}" for name, value in facts.items() if value)


def _legend(view: CardView, site: Site) -> str:
    """What the marks beside printed figures mean."""
    used = dict.fromkeys(figure.verdict.status for figure in view.judged)
    marks = site.texts("list.comma").join(f"{SIGNS[status]} {site.texts(f'verdict.{status}')}" for status in used)
    return f"---\n\n{site.texts('twin.legend', marks=marks)}"


def _part(site: Site, view: CardView, part: notes.Part) -> str:
    """The source of a part of the card, edited."""
    lines = part.markdown.split("\n")
    edits = [
        *_links(site, view, lines, part),
        *_values(site, view, lines, part),
        *_measured(view, lines, part.first_line),
    ]
    return _edited(lines, edits)


def _edited(lines: list[str], edits: Iterable[Edit]) -> str:
    for edit in sorted(set(edits), reverse=True):
        line = lines[edit.line]
        lines[edit.line] = line[: edit.start] + edit.text + line[edit.end :]
    return _REMARK.sub("", "\n".join(lines))


def _definitions(site: Site, view: CardView, text: str) -> Iterator[str]:
    """The definitions of links and footnotes that stand elsewhere in the note, and that the card uses."""
    defined = {found["label"] for found in _DEFINITION.finditer(text)}
    starts = [found.start() for found in _DEFINITION.finditer(view.card.definitions)]
    for start, end in pairwise([*starts, len(view.card.definitions)]):
        source = view.card.definitions[start:end].strip("\n")
        label = source[1 : source.index("]:")]
        if label not in defined and f"[{label}]" in text:
            lines, part = source.split("\n"), notes.Part("", "", source, 1)
            yield _edited(lines, [*_links(site, view, lines, part), *_values(site, view, lines, part)])


def _links(site: Site, view: CardView, lines: list[str], part: notes.Part) -> Iterator[Edit]:
    """Links to cards and images, by their addresses on the site."""
    for link in _links_in(part, view.card):
        number, start = link.line - part.first_line, link.column - 1
        href = notes.resolve(site, view, link)
        found = _WIKI_LINK.match(lines[number], start) if link.kind == "wiki" else None
        if found:
            shown = _IN_TEXT.sub(r"\\\1", _name(site, view, link))
            yield Edit(number, start, found.end(), f"[{shown}]({href})" if href else shown)
        elif href and link.kind != "wiki":
            yield from _destination(lines[number], number, start, link.target, href)


def _links_in(part: notes.Part, card: Card) -> Iterable[Link]:
    """The links of a part; they are known, unless they may be defined elsewhere in the note."""
    if card.definitions:
        return links(part.markdown, part.first_line, card.definitions)
    end = part.first_line + part.markdown.count("\n")
    return (link for link in card.references if part.first_line <= link.line <= end)


def _name(site: Site, view: CardView, link: Link) -> str:
    """What a wiki link is called: its own text, or the card's name where it is the key alone."""
    found = site.base.resolve(link.target, view.card.lang)
    return found.name if found and link.text == link.target == found.citekey and found.name else link.text


def _destination(line: str, number: int, start: int, target: str, href: str) -> Iterator[Edit]:
    """The target of a link that begins at a column, where it stands in this line as it is written."""
    for written in (target, quote(target), target.replace(" ", "%20")):
        at = line.find(f"({written}", start)
        if at >= 0:
            yield Edit(number, at + 1, at + 1 + len(written), href)
            return


def _values(site: Site, view: CardView, lines: list[str], part: notes.Part) -> Iterator[Edit]:
    """Expressions, by what came of them."""
    if not any(mark in part.markdown for mark in MARKS):
        return
    for source, line, column in code_spans(part.markdown, 0):
        found = _SPAN.match(lines[line], column - 1) if source.startswith(MARKS) else None
        known = view.claim(source)
        outcome = known.outcome if known else site.base.outcome(Claim(source, line)) if found else None
        if found and outcome and outcome.status != "unreadable":
            value = outcome.shown or f"`{outcome.text}`"
            words = value if outcome.status == "value" else f"`{outcome.text}` ({claims.in_words(outcome, site.texts)})"
            yield Edit(line, column - 1, found.end(), words)


def _measured(view: CardView, lines: list[str], first_line: int) -> Iterator[Edit]:
    """What was measured, at the end of the cells whose figures were tested."""
    for figure in view.judged:
        printed = figure.verdict.printed
        number, header = printed.line - first_line, figure.row.table - first_line
        if 0 <= header < number < len(lines):
            end = _end_of_cell(lines[number], printed.column, _width(lines[header]))
            yield Edit(number, end, end, f" ({_in_brackets(figure)})")


def _in_brackets(figure: Figure) -> str:
    verdict = figure.verdict
    gap = f", {figures.gap(verdict)}" if verdict.status == "unexplained" else ""
    return f"{SIGNS[verdict.status]} {figures.measured_text(verdict)}{gap}"


def _width(header: str) -> int:
    return len(split(_MARGIN.sub("", header, count=1).rstrip(), 0))


def _end_of_cell(line: str, column: int, width: int) -> int:
    margin = _MARGIN.match(line)
    before = margin.end() if margin else 0
    cell = split(line[before:].rstrip(), width)[column]
    return before + cell.column + len(cell.source)
