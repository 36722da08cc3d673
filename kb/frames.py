"""The frame of a page, which is the HTML around what it has of its own: of pages that are alike, it is rendered once.

A stand-in is rendered in place of the page. It has a hole for each text of the page's own, which can be printed and
asked whether it is empty, and that is all: a template that does anything else with it gets the page itself. All that
templates can ask otherwise is the same for pages that are alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from jinja2 import Environment

from kb.resources import templates_dir

PARTS = {"kb_head": "partials/kb-head.html", "kb_versions": "partials/kb-versions.html"}  # rendered for each page
OWN = ("title", "canonical_url", "edit_url", "content")  # a page's texts, printed as they are
OWN_META = ("title", "description", "kb", "versions")
MOST = 500  # frames that are kept

_MARK = "KbHole"  # in the HTML where a hole is
_HOLE = re.compile(rf'<{_MARK} "([\w.]+)" &>')  # what every filter would change
_HEADING = "<h1"  # what Material looks for in a page's content

Context = Callable[[Any], Mapping[str, Any]]  # what templates are given for a page


class Unlike(Exception):
    """A template has asked for what a stand-in cannot say."""


class Hole:
    """Where a text of the page's own is printed."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str, text: object = "") -> None:
        self._name = name
        self._has_heading = _HEADING in str(text)

    def __str__(self) -> str:
        return f'<{_MARK} "{self._name}" &>'

    def __bool__(self) -> bool:
        return True

    def __contains__(self, text: str) -> bool:
        if text != _HEADING:
            raise Unlike(self._name)
        return self._has_heading

    def __eq__(self, other: object) -> bool:
        raise Unlike(self._name)

    def __getattr__(self, name: str) -> Any:
        raise Unlike(f"{self._name}.{name}")


class StandIn:
    """Stands for pages that are alike; it knows what is the same for all of them."""

    def __init__(self, **known: Any) -> None:
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        raise Unlike(name)


class Frames:
    """The frames of pages that are in no nav, as they are come across."""

    def __init__(self, environment: Environment, context: Context) -> None:
        self._environment = environment
        self._context = context
        self._known: dict[object, list[str] | None] = {}

    def framed(self, page: Any) -> str | None:
        """A page's HTML; None where its template has to be given the page itself."""
        own = {
            **{name: getattr(page, name) for name in OWN},
            **{f"meta.{name}": page.meta.get(name) for name in OWN_META},
        }
        own["first"] = page.toc.items[0].title if page.toc.items else ""
        likeness = _likeness(page, own)
        if likeness not in self._known:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[likeness] = self._frame(page, own)
        frame = self._known[likeness]
        return None if frame is None else "".join(self._filled(frame, page, own))

    def _filled(self, frame: list[str], page: Any, own: dict[str, Any]) -> list[str]:
        filled = [*frame]
        context = self._context(page)
        for number in range(1, len(frame), 2):
            name = frame[number]
            part = PARTS.get(name)
            filled[number] = self._environment.get_template(part).render(context) if part else str(own[name])
        return filled

    def _frame(self, page: Any, own: Mapping[str, Any]) -> list[str] | None:
        """A frame, in pieces: in every second place, the name of what belongs there."""
        parts = {name: self._environment.from_string(str(Hole(name))) for name in PARTS}
        template = self._environment.get_template(page.meta.get("template", "main.html"))
        try:
            html = template.render({**self._context(_stand_in(page, own)), **parts})
        except Unlike:
            return None
        pieces = _HOLE.split(html)
        return pieces if not any(_MARK.casefold() in piece.casefold() for piece in pieces[::2]) else None


def is_ours(name: str, data: bytes) -> bool:
    """Whether a template of the theme is as it comes with kb."""
    file = templates_dir() / "theme" / name
    return file.is_file() and file.read_bytes() == data


def _likeness(page: Any, own: Mapping[str, Any]) -> object:
    """What is the same for pages that are alike."""
    given = tuple(bool(value) or repr(value) for value in own.values())
    meta = repr({name: value for name, value in page.meta.items() if name not in OWN_META})
    first, *others = [_outline(item) for item in page.toc.items] or [()]
    return _folder(page), given, meta, _HEADING in page.content, first and first[1:], tuple(others)


def _outline(item: Any) -> tuple[Any, ...]:
    return item.title, item.id, item.level, tuple(map(_outline, item.children))


def _folder(page: Any) -> str:
    return page.url.rpartition("/")[0]  # type: ignore[no-any-return]


def _stand_in(page: Any, own: Mapping[str, Any]) -> StandIn:
    holes = {name: Hole(name, value) if value else value for name, value in own.items()}
    toc = copy(page.toc)
    if toc.items:
        first = copy(toc.items[0])
        first.title = holes["first"]
        toc.items = [first, *toc.items[1:]]
    return StandIn(
        **{name: holes[name] for name in OWN},
        meta={name: holes.get(f"meta.{name}", value) for name, value in page.meta.items()},
        toc=toc,
        url=f"{_folder(page)}/{_MARK}.html".lstrip("/"),
        is_homepage=False,
        previous_page=None,
        next_page=None,
        ancestors=[],
    )
