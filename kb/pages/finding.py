"""What the search knows of the site's pages: a document for each card, and for the pages that explain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from kb.documentation import all_documentation
from kb.markdown import body_text, parse, plain_text
from kb.pages import addresses
from kb.pages.notes import Body
from kb.pages.site import Site
from kb.pages.views import CardView, tally
from kb.records import Factory
from kb.search import Document, Part

OF_EXPLANATIONS = 0.2  # how much the text of a page that explains means beside a card's

_HEADING = re.compile(r"^(#{1,3}) (.*?)(?: \{#([^\s}]+)[^}]*\})?$", re.MULTILINE)


def card_document(site: Site, view: CardView, bodies: Iterable[Body]) -> Document:
    """A card as the search finds it; of other cards it depends on nothing."""
    card = view.card
    citation = card.citation
    return Document(
        path=view.path,
        name=card.name or card.citekey,
        lang=card.lang,
        title=citation.title or citation.text,
        year=str(citation.year or ""),
        venue=citation.venue,
        kind=site.kind(card, site.interface(card)),
        keys=(card.citekey, *card.aliases, *card.links.values()),
        authors=citation.authors,
        tags=card.tags,
        models=tuple((" ".join([model.call, *model.labels]), model.anchor) for model in view.models),
        facets=tuple(_facets(site, view)),
        parts=tuple(Part(body.anchor if body.heading else "", body.heading, body.text) for body in bodies),
    )


def _facets(site: Site, view: CardView) -> Iterator[tuple[str, str]]:
    card, texts = view.card, site.texts
    yield from (("kind", view.kind), ("year", str(card.citation.year or "")), ("venue", card.citation.venue))
    yield from (("tag", tag) for tag in card.tags)
    yield from (("family", family_of(model.call, model.factory)) for model in view.models)
    yield "status", texts.named("search.status", card.status or "finished")
    yield from (("figures", texts(f"verdict.{status}")) for status, count in tally(view.judged).items() if count)
    yield "lang", texts.named("language", card.lang)
    versions = list(site.versions(card))
    if len(versions) > 1:  # not to choose by: one paper is one result
        yield "paper", card.citekey
        if card.lang != versions[0]:
            yield "second", card.citekey


def family_of(call: str, factory: Factory | None) -> str:
    """The family of a model: the file that its factory stands in, or the package that it comes from."""
    return PurePosixPath(factory.path).stem if factory else call.partition(":")[0].partition(".")[0]


def code_documents(site: Site) -> Iterator[Document]:
    """The pages of the codes that `kb check` reports."""
    for found in all_documentation(site.texts.language):
        yield Document(
            path=addresses.code(found.code),
            name=found.code,
            lang=site.texts.language,
            title=plain_text(found.meaning),
            parts=(Part("", "", body_text(parse(f"{found.why}\n\n{found.mend}"))),),
            importance=OF_EXPLANATIONS,
        )


def page_document(site: Site, path: str, staged: str) -> Document:
    """A page of prose, from its staged Markdown: its first heading is its name, those below it begin its parts."""
    found = list(_HEADING.finditer(staged))
    ends = [each.start() for each in found[1:]] + [len(staged)]
    parts = tuple(
        Part(each[3] or "", plain_text(each[2]) if number else "", body_text(parse(staged[each.end() : end])))
        for number, (each, end) in enumerate(zip(found, ends, strict=True))
    )
    return Document(path, plain_text(found[0][2]), site.texts.language, parts=parts, importance=OF_EXPLANATIONS)
