"""kb serve: the site from its own copy, rebuilt as its sources change, with what is wrong shown on the page.

A page asks `/.kb/state?page=PATH&since=N` and gets an answer when there is news: another version of itself, on which
it loads itself again, or a message, which it shows. The copy lies in `build/serve`; the published site is left alone.

A build makes what has changed and nothing else, so it is what answers an edit, too.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kb import keeping
from kb.building import Say, build
from kb.built import Order, Outcome
from kb.inputs import Seen, seen, snapshot
from kb.pages.site import Site
from kb.problems import format_problems
from kb.records import Problem
from kb.resources import PACKAGE
from kb.settings import FILE, Settings, load_settings

TICK = 0.1  # seconds between two looks at the files
PATIENCE = 25.0  # seconds that a page waits for news before it asks again
COPY = "serve"  # the folder of the copy, below the settings' build folder
SCRIPT = (PACKAGE / "serving.js").read_bytes()
NO_SITE = b"<!doctype html><meta charset='utf-8'><title>kb serve</title><body></body>"


@dataclass(frozen=True, slots=True)
class News:
    """What pages need to know: what keeps the site from being built, remarks by page, and a number for all this."""

    number: int = 0
    message: str = ""
    remarks: Mapping[str, str] = field(default_factory=dict)


class Board:
    """Where the builder posts news and waiting pages read them."""

    def __init__(self) -> None:
        self._news = News()
        self._changed = threading.Condition()

    def read(self) -> News:
        """The latest news."""
        return self._news

    def post(self, *, message: str = "", remarks: Mapping[str, str] | None = None) -> None:
        """Replace the news; pages that wait find out whether they have changed, too."""
        with self._changed:
            before = self._news
            self._news = News(before.number + 1, message, before.remarks if remarks is None else remarks)
            self._changed.notify_all()

    def wait(self, since: int) -> News:
        """The first news after number `since`, or those of now when patience ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._news.number != since, PATIENCE)
            return self._news


class Builder:
    """Keeps the copy as its sources are, and posts how that went; a mistake never ends it."""

    def __init__(self, root: Path, site_url: str, board: Board, say: Say) -> None:
        self.root = root
        self.board = board
        self._order = Order(site=f"build/{COPY}", site_url=site_url, private=True)
        self._say = say
        self._settings = Settings(root)  # as they were looked at last
        self._settings_seen: tuple[Seen, ...] = ()
        self._mistakes: list[Problem] = []  # in them

    def build(self) -> None:
        """Build, and tell the terminal and the pages."""
        started = time.monotonic()
        settings, problems = load_settings(self.root)
        outcome = Outcome(1, tuple(problems)) if problems else build(settings, self._order)
        self._tell(outcome, time.monotonic() - started)

    def _tell(self, outcome: Outcome, seconds: float) -> None:
        if not outcome.unchanged:
            self._say_problems(outcome.problems)
            self._say(f"built in {seconds:.1f} s" if outcome.code == 0 else "not built; the pages stay as they were")
        errors = [found for found in outcome.problems if outcome.code and found.severity == "error"]
        self.board.post(message=format_problems(errors, "text"), remarks=remarks(self.root, outcome.problems))

    def _say_problems(self, problems: Iterable[Problem]) -> None:
        for line in format_problems(problems, "text").splitlines():
            self._say(line)

    def safely(self, act: Callable[[], None]) -> None:
        """Act; what goes wrong in kb itself is a message too."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the server outlives whatever happens to a build
            message = f"{type(error).__name__}: {error}"
            self._say(message)
            self.board.post(message=message)

    def watch(self, before: frozenset[Seen]) -> None:
        """Follow the sources, for ever; `before` is how they were when the site was built."""
        while True:
            time.sleep(TICK)
            if self.look() != before:
                before = self._settled(self.look())
                self.safely(self.build)

    def look(self) -> frozenset[Seen]:
        """The sources as they are, those too that the settings name. Settings with mistakes may name what comes yet."""
        seen_now = tuple(seen([self.root / FILE], self.root))
        if self._mistakes or seen_now != self._settings_seen:
            self._settings_seen = seen_now
            self._settings, self._mistakes = load_settings(self.root)
        return snapshot(self._settings)

    def _settled(self, now: frozenset[Seen]) -> frozenset[Seen]:
        """The files once two looks agree: editors and git write several in a row."""
        while True:
            time.sleep(TICK / 4)
            before, now = now, self.look()
            if before == now:
                return now


def remarks(root: Path, problems: Collection[Problem]) -> Mapping[str, str]:
    """What is to be said of cards that build all the same, by the path of their pages."""
    base, _ = keeping.load(root)
    site = Site(base, private=True)
    said: dict[str, list[Problem]] = {}
    for found in problems:
        if found.severity in ("finding", "warning"):
            said.setdefault(found.place.path, []).append(found)
    return {site.path_of(card): format_problems(said[card.path]) for card in base.cards if card.path in said}


class Handler(SimpleHTTPRequestHandler):
    """Serves the copy, with our script in every page."""

    board: Board
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request."""
        address = urlsplit(self.path)
        if address.path == "/.kb/state":
            self._state(parse_qs(address.query))
        elif address.path == "/.kb/serving.js":
            self._send(SCRIPT, "text/javascript")
        elif (page := self._page()) is not None:
            self._html(page, HTTPStatus.OK)
        elif Path(self.translate_path(self.path)).is_file():
            super().do_GET()
        else:
            self._html(Path(self.directory, "404.html"), HTTPStatus.NOT_FOUND)

    def _page(self) -> Path | None:
        """The HTML file that is asked for, if it is one."""
        path = Path(self.translate_path(self.path))
        page = path / "index.html" if path.is_dir() else path
        return page if page.suffix == ".html" and page.is_file() else None

    def _state(self, query: dict[str, list[str]]) -> None:
        since, path = query.get("since", [""])[0], query.get("page", ["/"])[0]
        news = self.board.wait(int(since)) if since.isdigit() else self.board.read()
        page = Path(self.translate_path(path))
        page = page / "index.html" if page.is_dir() else page
        remarks = news.remarks.get(page.relative_to(self.directory).as_posix(), "")
        data = {"number": news.number, "version": version(page), "message": news.message, "remarks": remarks}
        self._send(json.dumps(data).encode(), "application/json")

    def _html(self, page: Path, status: HTTPStatus) -> None:
        try:
            html = page.read_bytes()
        except OSError:  # there is no site yet, or it is being replaced
            html, status = NO_SITE, HTTPStatus.OK
        script = f'<script src="/.kb/serving.js" data-version="{version(page)}"></script>'.encode()
        self._send(html.replace(b"</body>", script + b"</body>", 1), "text/html; charset=utf-8", status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Let nothing be kept: the files change all the time."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing about requests."""


def version(page: Path) -> str:
    """What tells a page from what it was before; "" where there is none."""
    try:
        return hashlib.sha256(page.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


class Server(ThreadingHTTPServer):
    """Answers every request in a thread that ends with the program; a page that goes away is no event."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about connections that break off."""


def serve(root: Path, host: str, port: int, say: Say, ready: Callable[[str], None]) -> None:
    """Build, serve and watch until interrupted. `ready` is given the address once pages can be asked for."""
    board = Board()
    directory = str(root / "build" / COPY)
    bound = type("BoundHandler", (Handler,), {"board": board})
    with Server((host, port), lambda *args: bound(*args, directory=directory)) as server:
        url = f"http://{host}:{server.server_port}/"
        builder = Builder(root, url, board, say)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sources = builder.look()
        builder.safely(builder.build)
        ready(url)
        builder.watch(sources)
