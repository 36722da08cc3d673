"""The pages of edited notes at once: what else is on the site stays as the build before made it.

A build makes every page, which takes a while where there are many. Who writes a card waits for one page: so the
edited notes alone are read again, and MkDocs renders their cards' pages alone, into the same folder. Lists, indexes
and the search follow with the next build.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from kb import writing
from kb.base import Base, load, reread
from kb.building import Order
from kb.check import check
from kb.pages import card_files
from kb.pages.site import Site
from kb.records import Problem
from kb.settings import Settings
from kb.site_builder import Renderer


class Preview:
    """A knowledge base kept in memory, whose edited notes are read and rendered again."""

    def __init__(self, settings: Settings, order: Order) -> None:
        self.base = load(settings.root)
        self._order = order
        self._renderer: Renderer | None = None

    def edit(self, paths: Collection[str]) -> tuple[Problem, ...] | None:
        """Show these notes as they are now; the problems of the base, or None where only a build can show them.

        That is so where a note has come or gone, a card's name or key has changed, or a model is to be measured.
        """
        before, after = self.base, reread(self.base, paths)
        if after is None or _listed(after) != _listed(before) or set(after.calls) != set(before.calls):
            return None
        self.base = after
        problems = tuple(check(after))
        if any(found.severity == "error" for found in problems):
            return problems
        self._write(Site(after), paths)
        return problems

    def _write(self, site: Site, paths: Collection[str]) -> None:
        settings = site.base.settings
        staged = dict(_staged(site, paths))
        for path, content in staged.items():
            writing.write_if_changed(settings.root / settings.build / path, content)
        folder = settings.root / (self._order.site or settings.site)
        renderer = self._renderer = self._renderer or Renderer(settings.root, folder, self._order.site_url)
        for path, content in staged.items():
            if path.endswith(".md"):
                name = path.removeprefix("pages/")
                writing.write_if_changed(folder / f"{name.removesuffix('.md')}.html", renderer.render(name))
            elif path.startswith("pages/"):
                writing.write_if_changed(folder / path.removeprefix("pages/"), content)


def _listed(base: Base) -> Mapping[tuple[str, int], object]:
    """What other pages show of the cards: where one of these changes, more than its own page does."""
    return {
        (card.path, number): (card.citekey, card.lang, card.name, card.publish, card.aliases)
        for number, card in enumerate(base.cards)
    }


def _staged(site: Site, paths: Collection[str]) -> Iterator[tuple[str, str | bytes]]:
    for view in site.cards:
        if view.card.path in paths:
            yield from card_files(site, view)
