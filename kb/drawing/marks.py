"""Numbers and boxes as SVG writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from markupsafe import Markup

COLOURS = 8  # --kb-1 to --kb-8

_FAR = Decimal("1e6")  # nothing is drawn further out than this
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def number(value: float | Decimal, places: int = 1) -> str:
    """A coordinate: rounded, without zeros that say nothing."""
    text = f"{max(-_FAR, min(Decimal(value), _FAR)):.{places}f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short in ("-0", "") else short


def rectangles(boxes: Iterable[tuple[float, float, float, float]]) -> str:
    """Many rectangles (x, y, width, height) as the data of one path: far fewer bytes than as many elements."""
    return "".join(f"M{number(x)} {number(y)}h{number(w)}v{number(h)}h{number(-w)}z" for x, y, w, h in boxes)


def link(href: str, body: Markup) -> Markup:
    """A link within a picture.

    The older name of its attribute is meant: Material writes each page's `[href]` anew when one moves to it, and in a
    picture that cannot be written. The role says to what knows only the newer name that it is a link all the same.
    """
    return Markup('<a xlink:href="{}" role="link">{}</a>').format(href, body)


def printable(text: str) -> str:
    """A text without the characters that no XML file may hold."""
    return _NOT_IN_XML.sub("\ufffd", text)
