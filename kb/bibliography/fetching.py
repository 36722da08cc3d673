"""Asking a public service: with a name to ask under, a timeout, patience where it asks for some, and a cache.

`KB_MAILTO` adds an address to write to, `KB_TIMEOUT` sets how many seconds an answer may take (10).
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from kb import writing

Answer = TypeVar("Answer")

_TIMEOUT = 10.0
_LONGEST_WAIT = 20.0  # seconds that a service may ask for before the second try
_USUAL_WAIT = 3.0  # where it does not say how long; arXiv asks for three seconds between two requests
_LARGEST = 4 * 2**20  # bytes of an answer
_KEPT_FOR = 30 * 24 * 3600  # seconds: titles and venues change rarely, but a preprint does get published


class Unanswered(Exception):
    """Why a question has no answer, in words for the person who asked; `absent`: there is no such thing."""

    def __init__(self, message: str, *, absent: bool = False) -> None:
        super().__init__(message)
        self.absent = absent


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, in words (`the DOI 10.1000/1`), where, and in which form."""

    what: str
    address: str
    accept: str

    @property
    def host(self) -> str:
        """Who is asked."""
        return urlsplit(self.address).netloc


def answered(question: Question, read: Callable[[bytes], Answer]) -> Answer:
    """What `read` makes of the answer, kept or new; `read` raises ValueError for one that cannot be read."""
    file = _file_of(question)
    with suppress(OSError, ValueError):
        if file and 0 <= time.time() - file.stat().st_mtime < _KEPT_FOR:
            return read(file.read_bytes())
    body = _ask(question, tries=2)
    try:
        answer = read(body)
    except ValueError as error:
        raise Unanswered(f"{question.host} was asked for {question.what}; its answer cannot be read: {error}") from None
    with suppress(OSError):  # a cache that cannot be written is none
        if file:
            writing.replace_atomically(file, body)
    return answer


def _file_of(question: Question) -> Path | None:
    """Where an answer is kept, below the user's folder for caches; None where there is none."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(given if os.path.isabs(given) else os.path.expanduser("~/.cache"))
    name = hashlib.sha256(f"{question.accept} {question.address}".encode()).hexdigest()[:40]
    return folder / "kb" / "lookups" / name if folder.is_absolute() else None


def _ask(question: Question, tries: int) -> bytes:
    try:
        return _once(question)
    except HTTPError as refusal:
        refusal.close()
        seconds = _asked_to_wait(refusal)
        if seconds is None or seconds > _LONGEST_WAIT or tries == 1:
            raise _told(refusal, seconds, question) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error) if isinstance(error, URLError) else error
        words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        message = f"{question.host} cannot be reached: {words}. An entry in a .bib or .json file needs no network"
        raise Unanswered(message) from None
    time.sleep(seconds)
    return _ask(question, tries - 1)


def _once(question: Question) -> bytes:
    if urlsplit(question.address).scheme not in ("http", "https"):
        raise Unanswered(f"{question.address} is no address of a web service")
    seconds = _seconds()
    request = Request(question.address, headers={"Accept": question.accept, "User-Agent": _identity()})
    with urlopen(request, timeout=seconds) as response:
        return _body(response, question, time.monotonic() + seconds)


def _body(response: HTTPResponse, question: Question, until: float) -> bytes:
    """The whole answer; one that trickles is given up, and one without end, too."""
    body = bytearray()
    while part := response.read1(2**16):
        body += part
        if time.monotonic() > until:
            raise TimeoutError("timed out")
        if len(body) > _LARGEST:
            raise Unanswered(f"{question.host} was asked for {question.what}, and its answer is too long to be one")
    return bytes(body)


def _seconds() -> float:
    try:
        return max(0.1, float(os.environ.get("KB_TIMEOUT", _TIMEOUT)))
    except ValueError:
        return _TIMEOUT


def _identity() -> str:
    """Who asks: services give better answers to those who say it."""
    mailto = "".join(os.environ.get("KB_MAILTO", "").split())
    return f"kb/{version('paperkb')} (paperkb{f'; mailto:{mailto}' if mailto else ''})"


def absent(question: Question) -> Unanswered:
    """There is no such thing."""
    return Unanswered(f"{question.host} has no entry for {question.what}", absent=True)


def _asked_to_wait(refusal: HTTPError) -> float | None:
    """The seconds after which a service may be asked again; None where its refusal is no matter of time."""
    if refusal.code not in (429, 503):
        return None
    asked = (refusal.headers.get("Retry-After") or "").strip()
    if asked.isdigit():
        return float(asked)
    with suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    return _USUAL_WAIT


def _told(refusal: HTTPError, seconds: float | None, question: Question) -> Unanswered:
    if refusal.code in (404, 410):
        return absent(question)
    if seconds is not None:
        again = f"try again in {seconds:.0f} s" if seconds > _LONGEST_WAIT else "try again later"
        return Unanswered(f"{question.host} has too much to do just now ({refusal.code}): {again}")
    if refusal.code == 406:
        return Unanswered(f"{question.host} gives {question.what} in no form that kb reads")
    return Unanswered(f"{question.host} was asked for {question.what} and answers {refusal.code} {refusal.reason}")
