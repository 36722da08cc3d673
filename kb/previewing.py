"""The pages of edited notes at once: what else is on the site stays as the last build made it.

A build makes every page, which takes a while where there are many; who writes a card waits for one. So the edited
notes alone are read again, and their cards' pages alone are rendered. Lists, indexes and the search follow with the
next build.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from kb import writing
from kb.base import Base, load, reread
from kb.building import Order
from kb.check import check
from kb.pages import card_pages
from kb.pages.site import Site
from kb.problems import format_problems
from kb.records import Problem
from kb.settings import Settings
from kb.site_builder import Renderer

FOLDER = ".preview"  # below the settings' build folder: where MkDocs writes single pages


class Preview:
    """A knowledge base kept in memory after a build, whose notes can be edited one by one."""

    def __init__(self, settings: Settings, order: Order) -> None:
        self._base = load(settings.root)
        self._renderer = Renderer(settings.root, settings.root / settings.build / FOLDER, order.site_url)
        self._site = settings.root / (order.site or settings.site)
        self.problems: tuple[Problem, ...] = tuple(check(self._base))

    def shows(self, paths: Collection[str]) -> bool:
        """Read these notes again and show them; False where only a build can: cards come or go, models are to run.

        Mistakes leave the pages as they were, and are in `problems`.
        """
        if not set(paths) <= {note.path for note in self._base.notes}:
            return False
        after = reread(self._base, paths)
        if _addresses(after) != _addresses(self._base) or after.calls != self._base.calls:
            return False
        self._base, self.problems = after, tuple(check(after))
        if not any(found.severity == "error" for found in self.problems):
            self._write(dict(_staged(after, paths)))
        return True

    def remarks(self) -> Mapping[str, str]:
        """What is to be said of cards that build all the same, by the path of their pages."""
        site = Site(self._base, private=True)
        said = ((site.path_of(card), tuple(_remarks(self.problems, card.path))) for card in self._base.cards)
        return {path: format_problems(found) for path, found in said if found}

    def _write(self, staged: Mapping[str, str | bytes]) -> None:
        """Stage all that a page is made of before MkDocs renders it."""
        settings = self._base.settings
        for path, content in staged.items():
            writing.write_if_changed(settings.root / settings.build / path, content)
        for path, content in staged.items():
            if path.startswith("pages/"):
                self._publish(Path(path).relative_to("pages"), content)

    def _publish(self, path: Path, content: str | bytes) -> None:
        if path.suffix == ".md":
            path, content = path.with_suffix(".html"), self._renderer.render(path.as_posix())
        writing.write_if_changed(self._site / path, content)


def _addresses(base: Base) -> list[str]:
    site = Site(base, private=True)
    return [site.path_of(card) for card in base.cards]


def _staged(base: Base, paths: Collection[str]) -> Iterator[tuple[str, str | bytes]]:
    site = Site(base, private=True)
    for view in site.cards:
        if view.card.path in paths:
            yield from card_pages(site, view).items()


def _remarks(problems: Collection[Problem], path: str) -> Iterator[Problem]:
    return (found for found in problems if found.place.path == path and found.severity in ("finding", "warning"))
