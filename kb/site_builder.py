"""MkDocs, run in this process on the staged tree: what it logs and raises comes back as problems."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError

from kb.problems import problem
from kb.records import Place, Problem
from kb.settings import FILE

# Nothing on a page may come from the clock; the Material theme's notices are for those who run MkDocs by hand.
ENVIRONMENT = {"SOURCE_DATE_EPOCH": "315532800", "NO_MKDOCS_2_WARNING": "1"}


def run_mkdocs(root: Path, site: Path, site_url: str | None = None) -> list[Problem]:
    """Build the staged pages into the folder `site`; the problems that kept it from being right."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, MkDocsException

    with environment(ENVIRONMENT), warnings_logged() as messages:
        try:
            config = load_config(str(root / FILE), site_dir=str(site), site_url=site_url)
            # The bodies are found wherever the builder was started from.
            config.mdx_configs["kb.insert"] = {"folder": str(root / "build" / "bodies")}
            build(config)
        except Abort:  # has logged its reasons
            pass
        except MkDocsException as error:
            messages.append(str(error))
        except Exception as error:  # noqa: BLE001 - a template or a plugin of the user's may raise anything
            return [problem_of(error, root)]
    return [problem("K604", Place(FILE), f"MkDocs: {message}") for message in messages]


class Renderer:
    """MkDocs, set up once to render single pages of the staged tree, as a build would, into a folder of its own."""

    def __init__(self, root: Path, folder: Path, site_url: str | None = None) -> None:
        from mkdocs.config import load_config
        from mkdocs.structure.files import get_files, set_exclusions
        from mkdocs.structure.nav import get_navigation

        with environment(ENVIRONMENT), warnings_logged():
            config = load_config(str(root / FILE), site_dir=str(folder), site_url=site_url)
            config.mdx_configs["kb.insert"] = {"folder": str(root / "build" / "bodies")}
            self._config = config = config.plugins.on_config(config)
            theme, files = config.theme.get_env(), get_files(config)
            files.add_files_from_theme(theme, config)
            self._files = files = config.plugins.on_files(files, config=config)
            set_exclusions(files, config)
            self._nav = config.plugins.on_nav(get_navigation(files, config), config=config, files=files)
            for page in self._nav.pages:  # their titles stand in every page
                self._populate(page)
            self._theme = config.plugins.on_env(theme, config=config, files=files)

    def render(self, name: str) -> bytes:
        """The HTML of a staged page, by its path below the staged pages: `cards/K.md`."""
        from mkdocs.commands.build import _build_page
        from mkdocs.structure.pages import Page

        file = self._files.get_file_from_path(name)
        assert file is not None
        with environment(ENVIRONMENT), warnings_logged():
            page = Page(None, file, self._config)
            self._populate(page)
            pages = self._files.documentation_pages()
            _build_page(page, self._config, pages, self._nav, self._theme)
        return Path(file.abs_dest_path).read_bytes()

    def _populate(self, page: Any) -> None:
        from mkdocs.commands.build import _populate_page

        _populate_page(page, self._config, self._files)


def problem_of(error: Exception, root: Path) -> Problem:
    """What was raised while a page was made: the template's fault where one is on the way to it."""
    message = f"{type(error).__name__}: {error}"
    place = place_in_template(error, root)
    if place is None:
        return problem("K604", Place(FILE), f"MkDocs stopped: {message}", "KB_DEBUG=1 shows where")
    return problem("K603", place, message)


def place_in_template(error: Exception, root: Path) -> Place | None:
    """The innermost line of a template of the knowledge base, or of kb, that the error came through."""
    if isinstance(error, TemplateSyntaxError):
        return place_of_template(error.filename or error.name or "", error.lineno, root)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith((".html", ".j2", ".xml")):
            return place_of_template(frame.filename, frame.lineno or 1, root)
    return None


def place_of_template(filename: str, line: int, root: Path) -> Place:
    """The place in the file that the user edits, where a copy of it was used."""
    path = Path(filename)
    if path.is_relative_to(root / "build" / "theme"):
        path = root / "templates" / "theme" / path.relative_to(root / "build" / "theme")
    return Place(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name, line)


class Collector(logging.Handler):
    """Keeps the messages that it is given."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message, once."""
        if (message := record.getMessage()) not in self.messages:
            self.messages.append(message)


@contextmanager
def warnings_logged() -> Iterator[list[str]]:
    """Collect what MkDocs warns of instead of printing it."""
    logger = logging.getLogger("mkdocs")
    collector = Collector([])
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(collector)
    try:
        yield collector.messages
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
