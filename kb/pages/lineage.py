"""What pages show of how papers follow from each other: each card's relations, the whole, and what is to be read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from kb.anchors import slug
from kb.exports.tables import link_rows
from kb.lineage import Wanted
from kb.pages import addresses
from kb.pages.lineage_chart import FEW, MOST_DOTS, NARROW, WIDE, Chart, Node, most_related
from kb.pages.links import address
from kb.pages.site import Site
from kb.pages.views import CardView
from kb.records import Card, Reference

FORMAT = 1
MOST_SENTENCES = 5  # of one card
MOST_SOURCES = 60  # of one paper
MOST_WANTED = 500  # on the page; the data file has all
MOST_LISTED = 300  # papers in the table of relations


@dataclass(frozen=True, slots=True)
class Paper:
    """A link to a card's page."""

    path: str
    name: str
    year: str
    title: str


@dataclass(frozen=True, slots=True)
class Mentions:
    """What one card says of a paper: the sentences with the paths and anchors of their sections, and how many more."""

    paper: Paper
    sentences: tuple[tuple[str, str, str], ...]
    more: int
    lang: str


@dataclass(frozen=True, slots=True)
class Kin:
    """A card's relations."""

    builds_on: tuple[Paper, ...]
    built_on_by: tuple[Paper, ...]
    mentions: tuple[Mentions, ...]
    more: int  # cards that name the paper, too, and are not listed

    def __bool__(self) -> bool:
        return bool(self.builds_on or self.built_on_by or self.mentions)


def of_card(site: Site, view: CardView) -> Kin:
    """What a card's page says of its relations."""
    key, lang = view.card.citekey, view.card.lang
    kin = site.lineage
    by_source = groupby(kin.incoming.get(key, ()), key=lambda each: each.source)
    mentions = [found for source, each in by_source if (found := _mentions(site, source, tuple(each), lang))]
    return Kin(
        papers(site, kin.builds_on.get(key, ()), lang),
        papers(site, kin.built_on_by.get(key, ()), lang),
        tuple(mentions[:MOST_SOURCES]),
        max(len(mentions) - MOST_SOURCES, 0),
    )


def papers(site: Site, citekeys: Sequence[str], lang: str = "") -> tuple[Paper, ...]:
    """Links to cards, in a language where there is a card in it."""
    cards = (site.base.resolve(citekey, lang) for citekey in citekeys)
    return tuple(_paper(site, card) for card in cards if card and is_shown(card))


def is_shown(card: Card) -> bool:
    """Whether a card has a page."""
    return card.publish and addresses.is_file_name(card.citekey)


def _paper(site: Site, card: Card) -> Paper:
    name = card.name or card.citekey
    return Paper(site.path_of(card), name, str(card.citation.year or ""), card.citation.title or card.citation.text)


def _mentions(site: Site, source: str, references: Sequence[Reference], lang: str) -> Mentions | None:
    """What a paper's card says, in the wanted language if it has a card in it."""
    card = site.base.resolve(source, lang)
    if not card or not is_shown(card):
        return None
    paper = _paper(site, card)
    said = {each.sentence: (paper.path, each.section, each.sentence) for each in references if each.lang == card.lang}
    sentences = tuple(said.values())
    return Mentions(paper, sentences[:MOST_SENTENCES], max(len(sentences) - MOST_SENTENCES, 0), card.lang)


# --------------------------------------------------------------------------------------------------- to be read


@dataclass(frozen=True, slots=True)
class ToRead:
    """A line of the page of papers to be read."""

    anchor: str
    label: str
    details: str  # authors and title, where a bibliography has them
    href: str
    mentions: tuple[Mentions, ...]
    command: str  # what makes a card of it


def to_read(site: Site) -> Iterator[ToRead]:
    """The papers that cards name and that have no card yet."""
    for wanted in site.lineage.wanted[:MOST_WANTED]:
        sources = groupby(
            sorted(wanted.references, key=lambda each: each.source.casefold()), key=lambda each: each.source
        )
        mentions = (_mentions(site, source, tuple(each), "") for source, each in sources)
        kind, _, number = wanted.target.partition(":")
        href = address(kind.lower(), number) if number and kind in ("arXiv", "doi") else None
        yield ToRead(
            to_read_anchor(wanted.target),
            number if kind == "doi" else wanted.target,
            _details(wanted),
            href or "",
            tuple(filter(None, mentions)),
            f"kb new --from {number if kind == 'doi' else wanted.target}" if href else "",
        )


def to_read_anchor(target: str) -> str:
    """The fragment of a paper on the page of papers to be read."""
    return f"paper-{slug(target)}"


def _details(wanted: Wanted) -> str:
    entry = wanted.entry
    if entry is None:
        return ""
    authors = ", ".join(author.family for author in entry.authors[:3]) + (" et al" if len(entry.authors) > 3 else "")
    return ". ".join(filter(None, (authors, entry.title, " ".join(filter(None, (entry.venue, str(entry.year or "")))))))


# ------------------------------------------------------------------------------------------------------ the whole


def relations(site: Site) -> Iterator[tuple[Paper, tuple[Paper, ...], tuple[Paper, ...]]]:
    """The papers that build on others, or that others build on: the newest first, and not more than can be read."""
    kin = site.lineage
    linked = kin.in_order([each for each in kin.cards if each in kin.builds_on or each in kin.built_on_by])
    for citekey in linked[:MOST_LISTED]:
        for paper in papers(site, [citekey]):
            on, by = kin.builds_on.get(citekey, ()), kin.built_on_by.get(citekey, ())
            yield paper, papers(site, on[:MOST_SOURCES]), papers(site, by[:MOST_SOURCES])


def charts(site: Site) -> str:
    """The drawing, once for wide screens and once for phones."""
    kin, boxes = site.lineage, most_related(site.lineage)
    drawn = kin.in_order(boxes)
    others = {*drawn, *kin.builds_on, *kin.built_on_by}
    alone = [each for each in kin.in_order(list(kin.cards)) if each not in others]
    dots = alone if len(alone) <= MOST_DOTS else []
    rest = _rest(site, Counter(map(kin.year, {*kin.cards} - {*drawn, *dots})))
    label, faint = site.texts("lineage.chart"), kin.compared_with if has_comparisons(site) else {}
    given = _nodes(site, drawn), _nodes(site, dots), kin.builds_on, faint, rest
    return "".join(Chart(*given, form).svg(label) for form in (WIDE, NARROW))


def has_comparisons(site: Site) -> bool:
    """Whether the drawing has room for comparisons, and draws all papers as boxes."""
    return len(site.lineage.cards) <= FEW


def _nodes(site: Site, citekeys: Iterable[str]) -> list[Node]:
    cards = ((citekey, site.lineage.cards[citekey]) for citekey in citekeys)
    return [
        Node(
            citekey, paper.name, paper.title, site.lineage.year(citekey), addresses.link(addresses.LINEAGE, paper.path)
        )
        for citekey, card in cards
        if is_shown(card)
        for paper in [_paper(site, card)]
    ]


def _rest(site: Site, counts: Mapping[int, int]) -> dict[int, tuple[str, str]]:
    """What each year has beside what is drawn, as a text and an address."""
    page = addresses.grouping("year")
    unknown = site.texts("by.unknown")
    anchors = {each.label: each.anchor for each in site.groups["year"]}
    links = {year: addresses.link(addresses.LINEAGE, page, anchors.get(str(year or unknown), "")) for year in counts}
    return {year: (f"+{count}", links[year]) for year, count in sorted(counts.items())}


def data(site: Site) -> str:
    """Every reference, as exports have it, and every relation, a line each, for other programs."""
    links = [json.dumps(row, ensure_ascii=False) for each in site.published for row in link_rows(each)]
    builds_on = [
        json.dumps({"source": source, "target": target}, ensure_ascii=False)
        for source, targets in sorted(site.lineage.builds_on.items())
        for target in targets
    ]
    return f'{{"format": {FORMAT},\n"links": [{_lines(links)}],\n"builds_on": [{_lines(builds_on)}]}}\n'


def _lines(items: Sequence[str]) -> str:
    return "\n" + ",\n".join(items) + "\n" if items else ""
