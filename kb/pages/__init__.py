"""Every file of the site before a site builder starts: pages, bodies and data, as texts and bytes.

`pages(base)` decides what the site holds and writes nothing. Paths are relative to `build/`: Markdown pages and
static files below `pages/`, rendered bodies below `bodies/`, the cards' structured data below `cards/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

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
    furniture,
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
from kb.search import Document, Entry, entry, index, update
from kb.serialise import to_yaml
from kb.texts import LANGUAGES, Texts

if TYPE_CHECKING:
    from kb.base import Base

CHART = "lineage/chart.html"

COMPARISON = "models/data.html"
MOST_SPLICED = 20  # changed cards: more are joined with all others

Files = Iterator[tuple[str, str | bytes]]
Staged = Mapping[str, str | bytes]  # what is below build/, by path
Make = Callable[[Site, Environment], Files]
Revised = Iterable[tuple[str, str | bytes | None]]


class Earlier(NamedTuple):
    """What was staged before: its digests, and the contents of those pieces that have been made anew since."""

    digests: Mapping[str, str]
    pieces: Staged


class Job(NamedTuple):
    """Files that are made together: of nothing but what `make` asks of the site, and of the card that it is about.

    One with `join` joins what others have made, and needs nothing else; it may `revise` what it made before instead:
    given that and the digests of now, it gives the files that are others, with None for those that are no more; or
    None, where all has to be joined again.
    """

    name: str
    make: Make = lambda *_: iter(())
    view: CardView | None = None
    join: Callable[[Site, Environment, Staged], Files] | None = None
    revise: Callable[[Site, Staged, Mapping[str, str], Earlier], Revised | None] | None = None


def pages(base: Base, address: str | None = None, *, private: bool = False) -> dict[str, str | bytes]:
    """All files under `build/` but the theme's, by path. A template that fails raises jinja2.TemplateError.

    `address` is where the site will be, if not at the settings' `site_url`. What is `private` holds the cards and
    sections, too, that are not to be published.
    """
    site = Site(base, address, private=private)
    environment = environments(site)
    there = tuple(jobs(site))
    made: dict[str, str | bytes] = {}
    for job in there:
        made |= dict(job.make(site, environment(job)))
    for job in there:
        made |= dict(job.join(site, environment(job), made) if job.join else ())
    return made


def card_pages(site: Site, view: CardView) -> dict[str, str | bytes]:
    """The files of one card: its page, its bodies and images, its data."""
    return dict(_card(site, rendering.environment(site, site.interface(view.card)), view))


def environments(site: Site) -> Callable[[Job], Environment]:
    """The templates of each part of the site, in the language of the card that it is about."""
    in_language = rendering.environments(site)
    return lambda job: in_language(site.interface(job.view.card) if job.view else site.texts.language)


def staged(files: Files) -> Files:
    """Files as they are staged: the furniture of pages is put aside as bodies."""
    for path, content in files:
        if isinstance(content, str) and path.startswith("pages/") and path.endswith(".md"):
            content, bodies = furniture.put_aside(content, path.removeprefix("pages/").removesuffix(".md"))
            yield from ((f"bodies/{name}", body) for name, body in bodies.items())
        yield path, content


def jobs(site: Site) -> Iterator[Job]:
    """All that the site holds, in parts that are made one by one, whichever of them are to be made."""
    for view in site.cards:
        yield Job(view.path, partial(_card, view=view), view)
    yield Job("redirects", _redirects)
    for template, path in (
        ("home", addresses.HOME),
        ("cards", addresses.CARDS),
        ("figures", addresses.FIGURES),
        ("search", addresses.SEARCH),
    ):
        yield Job(path, partial(_page, template=template, path=path))
    yield Job(addresses.CONVENTIONS, _conventions)
    for name in site.groups:
        yield Job(addresses.grouping(name), partial(_grouping, name=name))
    yield Job(addresses.LINEAGE, _lineage)
    yield Job(addresses.MODELS, _comparison)
    yield Job(addresses.DISCREPANCIES, _discrepancies)
    yield Job("codes", _codes)
    yield Job("schemas", _schemas)
    yield Job("figure data", _figure_data)
    yield Job("search", join=_search, revise=_search_again)
    yield Job("data", join=_data, revise=_data_again)
    yield Job("for programs", _for_programs)


def _page(_: Site, env: Environment, template: str, path: str) -> Files:
    yield addresses.source_of(path), rendering.page(env, f"{template}.md.j2", path)


def _grouping(site: Site, env: Environment, name: str) -> Files:
    path, groups = addresses.grouping(name), site.groups[name]
    yield addresses.source_of(path), rendering.page(env, "grouping.md.j2", path, grouping=name, groups=groups)


def _conventions(site: Site, env: Environment) -> Files:
    """The page that explains the verdicts."""
    path = addresses.CONVENTIONS
    text = rendering.page(env, f"conventions.{site.texts.language}.md.j2", path)
    yield addresses.source_of(path), text
    yield _found_by(finding.page_document(site, path, text))


def _search(_: Site, __: Environment, staged: Staged) -> Files:
    """The search index, of what each page adds to it."""
    entries = Entries(map(addresses.found_by, filter(addresses.is_found_by, staged)), staged)
    yield from ((f"pages/{path}", text) for path, text in index(entries, _search_words()))


def _search_again(_: Site, staged: Staged, digests: Mapping[str, str], earlier: Earlier) -> Revised:
    """The files of the search index that are others than before."""
    before, after = (
        {addresses.found_by(path): digest for path, digest in each.items() if addresses.is_found_by(path)}
        for each in (earlier.digests, digests)
    )
    changed = [path for path in before if after.get(path) != before[path]]
    files = update(
        lambda path: _text(staged[f"pages/{path}"]),
        Entries(before, earlier.pieces, staged),
        Entries(after, staged),
        changed,
        _search_words(),
    )
    yield from ((f"pages/{path}", text) for path, text in files.items())


def _search_words() -> dict[str, Mapping[str, str]]:
    return {language: Texts(language).under("search") for language in LANGUAGES}


def _found_by(document: Document) -> tuple[str, str]:
    """What a page adds to the search index, as it is staged."""
    return addresses.search_entry(document.path), json.dumps(astuple(entry(document)), ensure_ascii=False)


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode()


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


class Entries(Mapping[str, Entry]):
    """What pages add to the search index, by their paths: read, one at a time, from the first place that has it."""

    def __init__(self, paths: Iterable[str], *staged: Staged) -> None:
        self._paths = dict.fromkeys(paths)
        self._staged = staged

    def __getitem__(self, path: str) -> Entry:
        file = addresses.search_entry(path)
        return Entry(*json.loads(next(each[file] for each in self._staged if file in each)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _schemas(_: Site, __: Environment) -> Files:
    yield from ((f"pages/schemas/{name}", text) for name, text in schemas().items())


def _card(site: Site, env: Environment, view: CardView) -> Files:
    stem = view.path.removesuffix(".html")
    bodies = list(notes.bodies(site, view))
    sources = dict(_sources(site, env, view, stem))
    texts = site.texts_of(view.card)
    for model in filter(lambda each: each.layers, view.models):
        yield f"pages/{addresses.layers(model.call, texts.language)}", panels.layers_table(model.layers, texts)
    if others := panels.apart(env, view):
        yield f"pages/{addresses.panels(view.path)}", others
    data = to_yaml(view.card)
    yield f"{stem}.yml", data
    yield f"pages/{stem}.yml", data
    yield f"pages/{twin_path(view)}", twin(site, view)
    pieces = exports.pieces_of(exports.Published(site.base, view.card, view.path))
    yield addresses.pieces(view.path), json.dumps(pieces, ensure_ascii=False)
    yield _found_by(finding.card_document(site, view, bodies))
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
            kin=site.kin(view),
            data=f"{stem}.yml",
            citation=plain_citation(view.card),
            head=head_of_card(view, _image_of(bodies), site.base.settings.site_name),
        ),
    )
    yield from _explanations(site, env, view)


def _explanations(site: Site, env: Environment, view: CardView) -> Files:
    """A page for each of a card's figures that is unexplained."""
    for path, figure in view.unexplained.items():
        found = discrepancies.explanation(site, figure)
        if found:
            notes_on_it = discrepancies.footnotes(figure)
            text = rendering.page(env, "explanation.md.j2", path, figure=figure, found=found, notes=notes_on_it)
            yield addresses.source_of(path), text


def _figure_data(site: Site, _: Environment) -> Files:
    """What the runnable figures were drawn from, for those who would draw or compute further."""
    for name, runnable in site.base.runnables.items():
        if site.plot(name):
            yield f"pages/{addresses.figure_data(name)}", (site.base.settings.root / runnable.data).read_bytes()


def _image_of(bodies: Iterable[notes.Body]) -> str:
    """The card's first picture that previews can show; "" where it has none."""
    found = (published for body in bodies for _, published in body.images if not published.endswith(".svg"))
    return next(found, "")


def _data(site: Site, env: Environment, staged: Staged) -> Files:
    """The files that `kb export` writes, of all published cards, and the page that tells of them."""
    folder = _data_folder()
    for name, content in exports.contents(site.published, partial(_pieces_of, staged)):
        yield f"{folder}/{name}", content
    yield f"{folder}/datasette.json", exports.datasette_metadata(site.base.settings.site_name)
    path = addresses.DATA
    values = {"exports": exports, "has_database": _has_database(site)}
    yield addresses.source_of(path), rendering.page(env, "data.md.j2", path, **values)


def _data_again(site: Site, staged: Staged, digests: Mapping[str, str], earlier: Earlier) -> Revised | None:
    """The data files that are others than before, where the cards are the same ones, and few of them have changed."""
    before, after = (
        {path for path in each if path.endswith(".json") and path.startswith("pieces/")}
        for each in (earlier.digests, digests)
    )
    changed = sorted(path for path in after if digests[path] != earlier.digests.get(path))
    if before != after or len(changed) > MOST_SPLICED:
        return None
    folder = _data_folder()
    changes = [(_pieces(earlier.pieces, path), _pieces(staged, path)) for path in changed]
    files = exports.revised(lambda name: _bytes(staged[f"{folder}/{name}"]), site.published, changes)
    if files is None:
        return None
    database = exports.with_database(site.published, partial(_pieces_of, staged))
    return [(f"{folder}/{name}", data) for name, data in (*files.items(), *database)]


def _data_folder() -> str:
    return f"pages/data/{exports.VERSION}"


def _has_database(site: Site) -> bool:
    return len(site.published) <= exports.MOST_IN_DATABASE


def _pieces_of(staged: Staged, each: exports.Published) -> exports.Pieces:
    return _pieces(staged, addresses.pieces(each.page))


def _pieces(staged: Staged, path: str) -> exports.Pieces:
    return exports.Pieces(*json.loads(staged[path]))


def _for_programs(site: Site, _: Environment) -> Files:
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


def _discrepancies(site: Site, env: Environment) -> Files:
    """The page of all figures that are not plain."""
    path = addresses.DISCREPANCIES
    papers = tuple(discrepancies.papers(site))
    yield addresses.source_of(path), rendering.page(env, "discrepancies.md.j2", path, papers=papers)


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
    yield from map(_found_by, finding.code_documents(site))


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
