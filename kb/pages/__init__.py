"""Every file of the site before a site builder starts: pages, bodies and data, as texts and bytes.

`pages(base)` decides what the site holds and writes nothing. Paths are relative to `build/`: Markdown pages and
static files below `pages/`, rendered bodies below `bodies/`, the cards' structured data below `cards/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
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
    furniture,
    links,
    notes,
    rendering,
    syndication,
)
from kb.pages.metadata import head_of_card, twin_path
from kb.pages.site import Site
from kb.pages.twins import twin
from kb.pages.views import CardView
from kb.serialise import to_yaml

if TYPE_CHECKING:
    from kb.base import Base

COMPARISON = "models/data.html"

Files = Iterator[tuple[str, str | bytes]]
Make = Callable[[Site, Environment], Files]


class Job(NamedTuple):
    """Files that are made together: of nothing but what `make` asks of the site, and of the card that it is about."""

    name: str
    make: Make
    view: CardView | None = None
    joins: bool = False  # whether it joins what the others have made


def pages(base: Base, address: str | None = None) -> dict[str, str | bytes]:
    """All files under `build/` but the theme's, by path. A template that fails raises jinja2.TemplateError.

    `address` is where the site will be, if not at the settings' `site_url`.
    """
    site = Site(base, address)
    env = rendering.environment(site)
    return dict(file for job in jobs(site) for file in job.make(site, env))


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
        (f"conventions.{site.texts.language}", addresses.CONVENTIONS),
    ):
        yield Job(path, partial(_page, template=template, path=path))
    for name in site.groups:
        yield Job(addresses.grouping(name), partial(_grouping, name=name))
    yield Job(addresses.MODELS, _comparison)
    yield Job(addresses.DISCREPANCIES, _discrepancies)
    yield Job("codes", _codes)
    yield Job("schemas", _schemas)
    yield Job("data", _data, joins=True)
    yield Job("for programs", _for_programs)


def _page(_: Site, env: Environment, template: str, path: str) -> Files:
    yield addresses.source_of(path), rendering.page(env, f"{template}.md.j2", path)


def _grouping(site: Site, env: Environment, name: str) -> Files:
    path, groups = addresses.grouping(name), site.groups[name]
    yield addresses.source_of(path), rendering.page(env, "grouping.md.j2", path, grouping=name, groups=groups)


def _schemas(_: Site, __: Environment) -> Files:
    yield from ((f"pages/schemas/{name}", text) for name, text in schemas().items())


def _card(site: Site, env: Environment, view: CardView) -> Files:
    stem = view.path.removesuffix(".html")
    bodies = list(notes.bodies(site, view))
    sources = dict(_sources(site, env, view, stem))
    data = to_yaml(view.card)
    yield f"{stem}.yml", data
    yield f"pages/{stem}.yml", data
    yield f"pages/{twin_path(view)}", twin(site, view)
    pieces = exports.pieces_of(exports.Published(site.base, view.card, view.path))
    yield addresses.pieces(view.path), json.dumps(pieces, ensure_ascii=False)
    for body in bodies:
        yield f"bodies/{body.name}", body.html
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
            links=tuple(links.of_card(view.card, site.texts)),
            other=site.other_language(view),
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


def _image_of(bodies: Iterable[notes.Body]) -> str:
    """The card's first picture that previews can show; "" where it has none."""
    found = (published for body in bodies for _, published in body.images if not published.endswith(".svg"))
    return next(found, "")


def _data(site: Site, env: Environment) -> Files:
    """The files that `kb export` writes, of all published cards, and the page that tells of them."""
    folder = f"pages/data/{exports.VERSION}"
    has_database = len(site.published) <= exports.MOST_IN_DATABASE
    for name, content in exports.contents(site.published, site.pieces):
        yield f"{folder}/{name}", content
    yield f"{folder}/datasette.json", exports.datasette_metadata(site.base.settings.site_name)
    path = addresses.DATA
    yield addresses.source_of(path), rendering.page(env, "data.md.j2", path, exports=exports, has_database=has_database)


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


def _codes(site: Site, env: Environment) -> Files:
    """A page for each code that kb reports, and the list of them."""
    codes = all_documentation(site.texts.language)
    yield addresses.source_of(addresses.CODES), rendering.page(env, "codes.md.j2", addresses.CODES, codes=codes)
    for found in codes:
        path = addresses.code(found.code)
        yield addresses.source_of(path), rendering.page(env, "code.md.j2", path, found=found)


def _sources(site: Site, env: Environment, view: CardView, stem: str) -> Iterator[tuple[str, str]]:
    """The files of a card's reference models, highlighted, once each."""
    paths = dict.fromkeys(model.factory.path for model in view.models if model.factory)
    for number, path in enumerate(paths, 1):
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
