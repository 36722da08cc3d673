"""doi.org and arXiv on loopback: they answer what `cases/lookups/answers` holds, and remember what they were asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

ANSWERS = Path(__file__).parent / "cases" / "lookups" / "answers"


class Asked(NamedTuple):
    """A request: its path, and its headers."""

    path: str
    headers: HTTPMessage


class Service:
    """What the services were asked, and what they answer first before they answer as they are recorded."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self.first: list[bytes] = []  # whole answers; b"" is none at all
        self.end = threading.Event()

    @property
    def env(self) -> dict[str, str]:
        """The environment in which kb asks here."""
        addresses = {"KB_DOI_URL": f"{self.address}/doi", "KB_ARXIV_URL": f"{self.address}/arxiv"}
        return {**addresses, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


def recorded(target: str) -> bytes:
    """The answer that is recorded for an address."""
    address = urlsplit(target)
    number = "".join(parse_qs(address.query).get("id_list", []))
    name = " ".join(filter(None, [*unquote(address.path).lower().split("/"), number.replace("/", " ")]))
    file = ANSWERS / f"{name}.http"
    return file.read_bytes() if file.exists() else b"HTTP/1.1 404 Not Found\n\n"


@contextmanager
def lookup_service() -> Iterator[Service]:
    """The services, as long as they are needed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append(Asked(self.path, self.headers))
            answer = service.first.pop(0) if service.first else recorded(self.path)
            if not answer:
                service.end.wait(60)
            head, _, body = answer.partition(b"\n\n")
            length = b"" if b" 204 " in head.split(b"\n")[0] else b"\r\nContent-Length: %d" % len(body)
            self.wfile.write(head.replace(b"\n", b"\r\n") + length + b"\r\n\r\n" + body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service = Service(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.end.set()
        server.shutdown()
        server.server_close()
        thread.join()
