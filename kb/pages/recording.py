"""What a page was made of, written down while it is made, so that it is made anew when any of that changes.

Templates and page functions are given a `Recorded` site. Whatever they ask of it is a question with an answer: the
method's name and its arguments, and a digest of what came back. Besides, `Shelf.reads` takes in the notes of the cards
of which more was asked than their light facts. A question that cannot be asked again, or an answer that has no digest,
makes the page one that is always made anew: where a dependency cannot be known, more is built, never less.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from kb.kept import KeptCard, Shelf
from kb.pages.site import NamesIn, Site
from kb.pages.views import CardView, ModelView
from kb.records import Card

# What is the same for all pages as long as settings, templates and models stay: if one changes, all pages are made.
FIXED = frozenset(
    {"texts", "address", "url", "settings", "schema", "factories", "lock", "witnesses", "runnables", "plot"}
)
# What is answered by a card that is asked about and by what is fixed.
OF_ONE_CARD = frozenset(
    {
        *("verdicts", "claims", "calls_of", "outcome", "normal_call", "witnesses_of", "is_provisional", "touch"),
        *("interface", "texts_of", "kind", "figure_named"),
    }
)
# What has no digest of its own, and the question that asks for all that it is made of.
MADE_OF = {"lineage": "lineage_made_of", "published": "lineage_made_of"}


class UntoldError(Exception):
    """A value that no digest is known for."""


class Questions:
    """The questions that were asked of a site, with digests of their answers, and those of one page."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.answers: dict[str, str] = {}
        self.asked: dict[str, None] | None = None
        self.always = False

    @contextmanager
    def of_one_page(self) -> Iterator[set[str]]:
        """Begin anew: what is asked from now on is asked for one page. Gives the notes that are read for it."""
        self.asked, self.always = {}, False
        shelf = self.site.shelf
        assert shelf is not None
        reads: set[str] = set()
        shelf.reads = reads
        try:
            yield reads
        finally:
            shelf.reads = None

    def note(self, question: str, value: object) -> None:
        """Write down a question and what was answered."""
        if self.asked is None or question in self.asked:
            return
        self.asked[question] = None
        if question not in self.answers:
            try:
                self.answers[question] = digest_of(value)
            except UntoldError:
                self.always = True

    def again(self, question: str) -> str:
        """The digest of what a question is answered now; "" where it cannot be asked any more."""
        if question not in self.answers:
            try:
                self.answers[question] = digest_of(self._ask(question))
            except (UntoldError, LookupError, AttributeError, TypeError):
                return ""
        return self.answers[question]

    def _ask(self, question: str) -> object:
        path, arguments = json.loads(question)
        value: Any = self.site
        for name in path.split("."):
            value = getattr(value, name)
        return value if arguments is None else value(*map(self._argument, arguments))

    def _argument(self, told: Any) -> object:
        if not isinstance(told, list):
            return told
        return self._views[told[1]] if told[0] == "view" else self._cards[told[1], told[2], told[3]]

    @cached_property
    def _views(self) -> Mapping[str, CardView]:
        return {each.path: each for each in self.site.cards}

    @cached_property
    def _cards(self) -> Mapping[tuple[str, str, str], Card]:
        return {(each.path, each.citekey, each.lang): each for each in self.site.base.cards}


class Recorded:
    """A site, or its base, that writes down what is asked of it."""

    def __init__(self, target: object, questions: Questions, prefix: str = "") -> None:
        self._target = target
        self._questions = questions
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        if name in FIXED:
            return getattr(self._target, name)
        if name == "base":
            return Recorded(getattr(self._target, name), self._questions, "base.")
        question = f'["{self._prefix}{name}", null]'
        with self._unrecorded():
            value = getattr(self._target, name)
            if name in MADE_OF:
                self._questions.note(f'["{self._prefix}{MADE_OF[name]}", null]', getattr(self._target, MADE_OF[name]))
                return value
            if not callable(value):
                self._questions.note(question, value)
                return value
        return partial(self._call, name, value)

    def _call(self, name: str, method: Callable[..., Any], *arguments: object) -> Any:
        if name in OF_ONE_CARD:
            return method(*arguments)
        with self._unrecorded():
            value = method(*arguments)
            try:
                told = [_told(each) for each in arguments]
            except UntoldError:
                self._questions.always = True
            else:
                self._questions.note(json.dumps([self._prefix + name, told], ensure_ascii=False), value)
        return value

    def _unrecorded(self) -> _Unrecorded:
        """What a method reads to find its answer, and what tells the answer from others, is in the answer."""
        assert self._questions.site.shelf is not None
        return _Unrecorded(self._questions.site.shelf)


class _Unrecorded:
    """A while in which no note counts as read."""

    __slots__ = ("_reads", "_shelf")

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def __enter__(self) -> None:
        self._reads, self._shelf.reads = self._shelf.reads, None

    def __exit__(self, *_: object) -> None:
        self._shelf.reads = self._reads


def _told(argument: object) -> object:
    """An argument as it can be written down, and asked with again."""
    if argument is None or isinstance(argument, str | int):
        return argument
    if isinstance(argument, CardView):
        return ["view", argument.path]
    if isinstance(argument, Card):
        return ["card", argument.path, argument.citekey, argument.lang]
    raise UntoldError


def digest_of(value: object) -> str:
    """What tells an answer from another; of cards their light facts count, since more is asked of the cards."""
    digest = hashlib.sha256()
    for part in _parts(value):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _parts(value: object) -> Iterator[str]:
    if value is None or isinstance(value, str | int | float | Decimal):
        yield repr(value)
    elif isinstance(value, CardView):
        yield from ("view", value.path, value.kind, *_parts(value.card))
    elif isinstance(value, KeptCard):
        yield from ("card", value.path, value.mark)
    elif isinstance(value, ModelView):  # what it measured is the lock's, which is fixed
        yield from (
            "model",
            value.call,
            value.anchor,
            *value.labels,
            "",
            *map(repr, value.arguments),
            "",
            *value.chosen,
        )
    elif isinstance(value, NamesIn):
        yield from ("names", value.trace)
    elif isinstance(value, tuple | list):
        yield f"{len(value)} items"
        for item in value:
            yield from _parts(item)
    elif isinstance(value, Mapping):
        yield f"{len(value)} entries"
        for key, item in value.items():
            yield from _parts(key)
            yield from _parts(item)
    elif is_dataclass(value):
        yield type(value).__name__
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
    else:
        raise UntoldError(type(value).__name__)
