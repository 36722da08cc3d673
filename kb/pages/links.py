"""The addresses that a card gives for its paper and code; only what is plainly an address becomes a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from kb.records import Card
from kb.texts import Texts

_ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_BARE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s<>\"']*)?", re.IGNORECASE)
_HOSTS = {"arxiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}


def of_card(card: Card, texts: Texts) -> Iterator[tuple[str, str]]:
    """A card's links as label and href."""
    for name, value in card.links.items():
        href = address(name, value)
        if href:
            yield _label(name, value, texts), href


def _label(name: str, value: str, texts: Texts) -> str:
    """What a link is called; arXiv's with the number, since arXiv is a venue beside it, too."""
    label = texts.named("link", name)
    return f"{label}:{value}" if name == "arxiv" and not _ADDRESS.fullmatch(value) else label


def address(name: str, value: str) -> str | None:
    """The href for a link of a card; None for what is no address."""
    value = value.strip()
    if _ADDRESS.fullmatch(value):
        return value
    if name in _HOSTS:
        number = re.sub(rf"^{name}:\s*", "", value, flags=re.IGNORECASE)
        return _HOSTS[name] + quote(number, safe="/().;-_") if number else None
    return f"https://{value}" if _BARE.fullmatch(value) else None
