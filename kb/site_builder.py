"""MkDocs, run in this process on the staged tree: what it logs and raises comes back as problems."""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateSyntaxError
from markdown import Markdown

from kb import machine
from kb.frames import Frames, is_ours
from kb.headings import USUAL, Headings
from kb.problems import problem
from kb.records import Place, Problem
from kb.settings import FILE

# Nothing on a page may come from the clock; the Material theme's notices are for those who run MkDocs by hand.
ENVIRONMENT = {"SOURCE_DATE_EPOCH": "315532800", "NO_MKDOCS_2_WARNING": "1"}

INSERT = "kb.insert"

_MATTER = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
_JSON_LINE = re.compile(r'([A-Za-z_]\w*): (["\[{].*)')
_FOR_MKDOCS = re.compile(r"\]|<(?!!-- kb-body)")  # links, images and addresses, and HTML that may hold some
_ALL_PAGES = re.compile(rb"\bpages\b")
_COMMENT = re.compile(rb"\{#.*?#\}", re.DOTALL)


def run_mkdocs(root: Path, staged: Path, site: Path, site_url: str | None = None) -> list[Problem]:
    """Build the pages staged in a folder into the folder `site`; the problems that kept it from being right."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, MkDocsException

    with environment(ENVIRONMENT), warnings_logged() as messages:
        try:
            config = load_config(str(root / FILE), site_dir=str(site), site_url=site_url, **_docs_of(root, staged))
            # The bodies are found wherever the builder was started from.
            config.mdx_configs[INSERT] = {"folder": str(staged / "bodies")}
            build(config)
        except Abort:  # has logged its reasons
            pass
        except MkDocsException as error:
            messages.append(str(error))
        except Exception as error:  # noqa: BLE001 - a template or a plugin of the user's may raise anything
            return [problem_of(error, root)]
    return [mkdocs_says(message) for message in messages]


def _docs_of(root: Path, staged: Path) -> dict[str, str]:
    """The setting of where the pages are, where that is not what the user's settings say."""
    return {} if staged == root / "build" else {"docs_dir": str(staged / "pages")}


def mkdocs_says(message: str) -> Problem:
    """What MkDocs has logged, as a problem."""
    return problem("K604", Place(FILE), f"MkDocs: {message}")


class Theme:
    """MkDocs and its theme, set up once to render the staged pages one by one, as `mkdocs build` would.

    A page is rendered with placeholders where its bodies belong: those are put in afterwards.
    """

    def __init__(self, root: Path, staged: Path, site_url: str | None = None) -> None:
        from mkdocs.config import load_config
        from mkdocs.structure.nav import get_navigation

        with environment(ENVIRONMENT), warnings_logged() as self.messages:
            self._pages = staged / "pages"
            self._config = config = load_config(
                str(root / FILE), site_dir=str(staged / ".site"), site_url=site_url, **_docs_of(root, staged)
            )
            self.is_page_local = page_local(config, root, self._pages)
            if not self.is_page_local:
                return
            config.markdown_extensions.remove(INSERT)
            self._theme = config.theme.get_env()
            self._files = self._files_of(sorted(paths_in(config.nav)))
            self._nav = get_navigation(self._files, config)
            self._markdown = Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs or {})
            self._headings = Headings(self._markdown) if USUAL.issuperset(config.markdown_extensions) else None
            for page in self._nav.pages:  # their titles stand in every page
                self._read(page)
            self._frames = Frames(self._theme, self._context) if has_our_templates(config, root) else None

    @property
    def titles(self) -> list[tuple[str, str]]:
        """The pages in the nav, with their titles."""
        return [(page.url, str(page.title)) for page in self._nav.pages]

    def page(self, name: str) -> str:
        """The HTML of a staged page, by its path below the staged pages: `cards/K.md`."""
        from mkdocs.structure.pages import Page

        with environment(ENVIRONMENT), warnings_logged() as messages:
            in_nav = self._files.get_file_from_path(name)
            page = in_nav.page if in_nav else Page(None, self._file(name), self._config)
            self._read(page)
            html = self._frames.framed(page) if self._frames and not in_nav else None
            html = self._whole(page) if html is None else html
        self.messages += [message for message in messages if message not in self.messages]
        return html

    def _whole(self, page: Any) -> str:
        page.active = True
        template = self._theme.get_template(page.meta.get("template", "main.html"))
        html = template.render(self._context(page))
        page.active = False
        return html

    def _context(self, page: Any) -> Mapping[str, Any]:
        from mkdocs.commands.build import get_context

        return get_context(self._nav, self._files, self._config, page)

    def other_pages(self, names: Iterable[str]) -> dict[str, bytes]:
        """The theme's pages that are made of no Markdown: 404.html, sitemap.xml, …; `names` are all staged pages."""
        from mkdocs.commands.build import _build_template

        found: dict[str, bytes] = {}
        with environment(ENVIRONMENT), warnings_logged() as messages:
            files = self._files_of(names)
            for name in sorted(self._config.theme.static_templates):
                html = _build_template(name, self._theme.get_template(name), files, self._config, self._nav)
                if html.strip():
                    found[name] = html.encode()
        if "sitemap.xml" in found:
            found["sitemap.xml.gz"] = _zipped("sitemap.xml", found["sitemap.xml"])
        self.messages += messages
        return found

    def static_files(self) -> dict[str, Path]:
        """The theme's files that are copied as they are, by their paths on the site."""
        from mkdocs.structure.files import Files

        files = Files([])
        files.add_files_from_theme(self._theme, self._config)
        return {file.dest_uri: Path(str(file.abs_src_path)) for file in files}

    def _files_of(self, names: Iterable[str]) -> Any:
        from mkdocs.structure.files import Files, set_exclusions

        files = Files([self._file(name) for name in names if (self._pages / name).is_file()])
        set_exclusions(files, self._config)
        return files

    def _file(self, name: str) -> Any:
        from mkdocs.structure.files import File, InclusionLevel

        config = self._config
        return File(
            name, config.docs_dir, config.site_dir, use_directory_urls=False, inclusion=InclusionLevel.NOT_IN_NAV
        )

    def _read(self, page: Any) -> None:
        """Read a page's source and convert it; what holds links for MkDocs to follow is left to MkDocs."""
        from mkdocs.structure.toc import get_toc

        source = page.file.content_string
        page.markdown, page.meta = _front_matter(source)
        if _FOR_MKDOCS.search(page.markdown):
            page.render(self._config, self._files)
            return
        if converted := self._headings and self._headings.convert(page.markdown):
            page.content, tokens = converted
        else:
            self._markdown.reset()
            page.content = self._markdown.convert(page.markdown)
            tokens = getattr(self._markdown, "toc_tokens", [])
        page.toc = get_toc(tokens)


def _zipped(name: str, data: bytes) -> bytes:
    """A file as MkDocs zips it: named in it, and as old as all that it makes."""
    zipped = BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=zipped, mtime=int(ENVIRONMENT["SOURCE_DATE_EPOCH"])) as file:
        file.write(data)
    return zipped.getvalue()


def page_local(config: Any, root: Path, pages: Path) -> bool:
    """Whether a page depends on nothing but its own source, the settings, the theme and the titles in the nav.

    Plugins, hooks and templates of the user's may make it depend on anything; then MkDocs builds the whole site.
    """
    usual = config.nav and INSERT in config.markdown_extensions and not config.use_directory_urls
    special = config.plugins or config.hooks or config.extra_templates or config.exclude_docs or config.draft_docs
    staged = Path(config.docs_dir) == pages
    templates = (root / "templates" / "theme").rglob("*.html")
    return bool(usual and staged and not special) and not any(
        _ALL_PAGES.search(_COMMENT.sub(b"", each.read_bytes())) for each in templates
    )


def has_our_templates(config: Any, root: Path) -> bool:
    """Whether all templates are Material's and those that come with kb."""
    folder = root / "templates" / "theme"
    theirs = ((path.relative_to(folder).as_posix(), path.read_bytes()) for path in folder.rglob("*.html"))
    return config.theme.name == "material" and all(is_ours(name, data) for name, data in theirs)


def paths_in(nav: Any) -> Iterator[str]:
    """The paths that a nav holds, at any depth."""
    if isinstance(nav, str):
        yield nav.removeprefix("/")
    elif isinstance(nav, Mapping | list):
        for each in nav.values() if isinstance(nav, Mapping) else nav:
            yield from paths_in(each)


def _front_matter(source: str) -> tuple[str, dict[str, Any]]:
    """A staged page without its front matter, and that, as MkDocs reads it."""
    found = _MATTER.match(source)
    data = _json_lines(found[1]) or _yaml(found[1]) if found else {}
    return source[found.end() :].lstrip("\n") if found else source, data if isinstance(data, dict) else {}


def _json_lines(text: str) -> dict[str, Any]:
    """What stands as JSON after the names on each line, where that is the same in YAML; nothing where it may not be."""
    data: dict[str, Any] = {}
    for line in text.split("\n"):
        found = _JSON_LINE.fullmatch(line)
        if not found or not line.isprintable():  # YAML breaks lines at some such letters, and refuses others
            return {}
        try:
            data[found[1]] = json.loads(found[2], parse_int=_refuse, parse_float=_refuse, parse_constant=_refuse)
        except ValueError:
            return {}
    return data


def _refuse(number: str) -> Any:
    raise ValueError(number)


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def problem_of(error: Exception, root: Path) -> Problem:
    """What was raised while a page was made: the template's fault where one is on the way to it.

    What is the machine's fault is raised again.
    """
    if machine.failed(error):
        raise error
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
