"""Every file of the site before a site builder starts: pages, bodies and data, as texts and bytes.

`pages(base)` decides what the site holds and writes nothing. Paths are relative to `build/`: Markdown pages and
static files below `pages/`, rendered bodies below `bodies/`, the cards' structured data below `cards/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from jinja2 import Environment

from kb import exports
from kb.bibliography.writing import bibtex, plain_citation
from kb.bodies import highlight
from kb.documentation import all_documentation
from kb.editors import schemas
from kb.pages import (
    addresses,
    comparing,
    comparison_files,
    discrepancies,
    finding,
    lineage,
    links,
    notes,
    panels,
    plots,
    rendering,
    syndication,
)
from kb.pages.metadata import head_of_card, twin_path
from kb.pages.site import Site
from kb.pages.twins import twin
from kb.pages.views import CardView
from kb.search import Entry, entry, index
from kb.serialise import to_yaml
from kb.texts import LANGUAGES, Texts

if TYPE_CHECKING:
    from kb.base import Base

CHART = "lineage/chart.html"

COMPARISON = "models/data.html"

Files = Iterator[tuple[str, str | bytes]]


def pages(base: Base, address: str | None = None, *, private: bool = False) -> dict[str, str | bytes]:
    """All files under `build/` but the theme's, by path. A template that fails raises jinja2.TemplateError.

    `address` is where the site will be, if not at the settings' `site_url`. What is `private` holds the cards and
    sections, too, that are not to be published.
    """
    return dict(_files(Site(base, address, private=private)))


def card_pages(site: Site, view: CardView) -> dict[str, str | bytes]:
    """The files of one card: its page, its bodies and images, its data."""
    env = rendering.environment(site, site.interface(view.card))
    return dict(_card(site, env, view, list(notes.bodies(site, view))))


def _files(site: Site) -> Files:
    environments = rendering.environments(site)
    env = environments(site.texts.language)
    entries: dict[str, Entry] = {}
    for view in site.cards:
        bodies = list(notes.bodies(site, view))
        entries[view.path] = entry(finding.card_document(site, view, bodies))
        yield from _card(site, environments(site.interface(view.card)), view, bodies)
    yield from _redirects(site, env)
    for template, path in (
        ("home", addresses.HOME),
        ("cards", addresses.CARDS),
        ("figures", addresses.FIGURES),
        ("search", addresses.SEARCH),
    ):
        yield addresses.source_of(path), rendering.page(env, f"{template}.md.j2", path)
    for name, groups in site.groups.items():
        path = addresses.grouping(name)
        yield addresses.source_of(path), rendering.page(env, "grouping.md.j2", path, grouping=name, groups=groups)
    conventions = rendering.page(env, f"conventions.{site.texts.language}.md.j2", addresses.CONVENTIONS)
    yield addresses.source_of(addresses.CONVENTIONS), conventions
    yield from _lineage(site, env)
    yield from _comparison(site, env)
    yield addresses.source_of(addresses.DISCREPANCIES), _discrepancies(site, env)
    for view in site.cards:
        yield from _explanations(site, environments(site.interface(view.card)), view)
    yield from _codes(site, env)
    explanations = (finding.page_document(site, addresses.CONVENTIONS, conventions), *finding.code_documents(site))
    entries |= {document.path: entry(document) for document in explanations}
    words = {language: Texts(language).under("search") for language in LANGUAGES}
    yield from ((f"pages/{path}", text) for path, text in index(entries, words))
    yield from _figure_data(site)
    yield from ((f"pages/schemas/{name}", text) for name, text in schemas().items())
    yield from _data(site, env)
    yield from _for_programs(site)


def _card(site: Site, env: Environment, view: CardView, bodies: Sequence[notes.Body]) -> Files:
    stem = view.path.removesuffix(".html")
    sources = dict(_sources(site, env, view, stem))
    texts = site.texts_of(view.card)
    for model in filter(lambda each: each.layers, view.models):
        yield f"pages/{addresses.layers(model.call, texts.language)}", panels.layers_table(model.layers, texts)
    data = to_yaml(view.card)
    yield f"{stem}.yml", data
    yield f"pages/{stem}.yml", data
    yield f"pages/{twin_path(view)}", twin(site, view)
    for body in bodies:
        yield f"bodies/{body.name}", plots.drawn(env, site, view, body.html)
        for path, published in body.images:
            yield f"pages/{published}", (site.base.settings.root / path).read_bytes()
    for name, html in sources.items():
        yield f"bodies/{name}", html
    yield (
        addresses.source_of(view.path),
        rendering.page(
            env,
            "card.md.j2",
            view.path,
            view=view,
            bodies=bodies,
            sources=tuple(sources),
            bibtex=bibtex(view.card),
            links=tuple(links.of_card(view.card, site.texts_of(view.card))),
            versions=site.versions(view.card),
            kin=lineage.of_card(site, view),
            data=f"{stem}.yml",
            citation=plain_citation(view.card),
            head=head_of_card(view, _image_of(bodies), site.base.settings.site_name),
        ),
    )


def _figure_data(site: Site) -> Files:
    """What the runnable figures were drawn from, for those who would draw or compute further."""
    for name, runnable in site.base.runnables.items():
        if site.plot(name):
            yield f"pages/{addresses.figure_data(name)}", (site.base.settings.root / runnable.data).read_bytes()


def _image_of(bodies: Iterable[notes.Body]) -> str:
    """The card's first picture that previews can show; "" where it has none."""
    found = (published for body in bodies for _, published in body.images if not published.endswith(".svg"))
    return next(found, "")


def _data(site: Site, env: Environment) -> Files:
    """The files that `kb export` writes, of all published cards, and the page that tells of them."""
    folder = f"pages/data/{exports.VERSION}"
    has_database = len(site.published) <= exports.MOST_IN_DATABASE
    for name in (*exports.FILES, *([exports.DATABASE] if has_database else [])):
        yield f"{folder}/{name}", exports.content(name, site.published)
    yield f"{folder}/datasette.json", exports.datasette_metadata(site.base.settings.site_name)
    path = addresses.DATA
    yield addresses.source_of(path), rendering.page(env, "data.md.j2", path, exports=exports, has_database=has_database)


def _for_programs(site: Site) -> Files:
    yield f"pages/{addresses.ATOM}", syndication.atom(site)
    yield f"pages/{addresses.JSON_FEED}", syndication.json_feed(site)
    yield "pages/llms.txt", syndication.llms_txt(site)
    if site.address:
        yield "pages/robots.txt", syndication.robots_txt(site)


def _comparison(site: Site, env: Environment) -> Files:
    """The page that compares all measured calls, and its rows as data files."""
    rows = comparing.rows(site)
    path = addresses.MODELS
    yield from ((f"pages/{name}", text) for name, text in comparison_files.files(rows))
    yield f"bodies/{COMPARISON}", comparison_files.for_script(rows, site.texts)
    yield addresses.source_of(path), rendering.page(env, "models.md.j2", path, rows=rows, data=COMPARISON)


def _discrepancies(site: Site, env: Environment) -> str:
    """The page of all figures that are not plain."""
    papers = tuple(discrepancies.papers(site))
    return rendering.page(env, "discrepancies.md.j2", addresses.DISCREPANCIES, papers=papers)


def _explanations(site: Site, env: Environment, view: CardView) -> Files:
    """A page for each of a card's figures that is unexplained: what was tried for it."""
    for path, figure in view.unexplained.items():
        found = discrepancies.explanation(site, figure)
        if found:
            notes_on_it = discrepancies.footnotes(figure)
            text = rendering.page(env, "explanation.md.j2", path, figure=figure, found=found, notes=notes_on_it)
            yield addresses.source_of(path), text


def _lineage(site: Site, env: Environment) -> Files:
    """The page of the whole, what is to be read, and the data of both."""
    yield f"bodies/{CHART}", lineage.charts(site)
    for template, path in (("lineage", addresses.LINEAGE), ("to_read", addresses.TO_READ)):
        yield addresses.source_of(path), rendering.page(env, f"{template}.md.j2", path, chart=CHART)
    yield f"pages/{addresses.LINKS}", lineage.data(site)


def _codes(site: Site, env: Environment) -> Files:
    """A page for each code that kb reports, and the list of them."""
    codes = all_documentation(site.texts.language)
    yield addresses.source_of(addresses.CODES), rendering.page(env, "codes.md.j2", addresses.CODES, codes=codes)
    for found in codes:
        path = addresses.code(found.code)
        yield addresses.source_of(path), rendering.page(env, "code.md.j2", path, found=found)


def _sources(site: Site, env: Environment, view: CardView, stem: str) -> Iterator[tuple[str, str]]:
    """The files of a card's reference models, and those that make their stages, highlighted, once each."""
    for path, number in view.sources.items():
        source = (site.base.settings.root / path).read_text(encoding="utf-8")
        html = highlight(source, "python", anchor_prefix=f"source-{number}")
        yield f"{stem}/source-{number}.html", env.get_template("source.html.j2").render(path=path, html=html)


def _redirects(site: Site, env: Environment) -> Files:
    """A page at each old key of a card that leads to the card; never in place of a card."""
    taken = {view.path.casefold() for view in site.cards}
    for view in site.main_cards:
        for alias in filter(addresses.is_file_name, view.card.aliases):
            path = f"{addresses.card_stem(alias)}.html"
            if path.casefold() not in taken:
                taken.add(path.casefold())
                href = addresses.link(path, view.path)
                html = env.get_template("redirect.html.j2").render(href=href, name=view.card.name or view.card.citekey)
                yield f"pages/{path}", html
