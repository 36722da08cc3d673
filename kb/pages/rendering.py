"""The page templates, and what they can call: an environment that escapes everything it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kb import telling
from kb.insert import placeholder
from kb.pages import (
    addresses,
    chance,
    claims,
    comparing,
    comparison_files,
    discrepancies,
    figures,
    formats,
    home,
    lineage,
    panels,
    pictures,
    scatter,
)
from kb.pages.site import Site
from kb.pages.views import JUDGED, STATUSES, tally
from kb.resources import templates_dir
from kb.texts import Texts


def environments(site: Site) -> Callable[[str], Environment]:
    """An environment for each language that pages are written in, made when the first of them is."""
    return cache(partial(environment, site))


def environment(site: Site, language: str) -> Environment:
    """Templates of the root's `templates/pages`, file by file in place of the package's."""
    texts = Texts(language)
    folders: Sequence[Path] = (site.base.settings.root / "templates/pages", templates_dir() / "pages")
    env = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="<#",  # `{#id}` is how Markdown names a heading
        comment_end_string="#>",
    )
    env.filters.update(
        markdown=formats.markdown_text,
        ours=formats.our_markdown,
        code_block=formats.code_block,
        breakable=formats.breakable,
        grouped=formats.grouped,
        short=formats.short,
        shape=formats.shape,
    )
    env.globals.update(
        t=texts,
        site=site,
        badge=partial(figures.badge, texts=texts),
        chance=chance,
        claims=claims,
        comparing=comparing,
        comparison_files=comparison_files,
        discrepancies=discrepancies,
        figures=figures,
        formats=formats,
        home=home,
        lineage=lineage,
        panels=panels,
        pictures=pictures,
        scatter=scatter,
        telling=telling,
        addresses=addresses,
        front_matter=formats.front_matter,
        placeholder=lambda name: Markup(placeholder(name)),
        JUDGED=JUDGED,
        STATUSES=STATUSES,
        tally=tally,
    )
    return env


def page(env: Environment, template: str, path: str, **values: Any) -> str:
    """One staged page. In templates `here` links from it to a path on the site."""
    return env.get_template(template).render(path=path, here=partial(addresses.link, path), **values)
