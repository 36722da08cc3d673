"""How large a picture is, read from the beginning of its file: what a page needs to keep its place free."""

from __future__ import annotations

import re
import struct
from pathlib import Path

Size = tuple[int, int]

_HEAD = 1 << 18  # bytes in which the size stands, whatever cameras write before it
_TURNED = range(5, 9)  # orientations in which width and height change places
_SVG = re.compile(rb"<svg\b[^>]*>")
_SVG_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_SVG_LENGTH = rb"\s%s\s*=\s*[\"']\s*([\d.]+)\s*(?:px)?\s*[\"']"
_SVG_BOX = re.compile(rb"\sviewBox\s*=\s*[\"']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)")


def image_size(path: Path) -> Size | None:
    """Width and height of a picture in pixels; None where its file does not say."""
    with path.open("rb") as file:
        return size_of(file.read(_HEAD))


def size_of(data: bytes) -> Size | None:
    """The same of a picture's first bytes: PNG, GIF, JPEG, WebP, AVIF or SVG."""
    try:
        width, height = _read(data)
    except (struct.error, ValueError, IndexError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _read(data: bytes) -> Size:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _pair(">II", data, 16)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _pair("<HH", data, 6)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return _avif(data) if data[4:8] == b"ftyp" else _svg(data)


def _pair(form: str, data: bytes, at: int) -> Size:
    width, height = struct.unpack_from(form, data, at)
    return width, height


def _jpeg(data: bytes) -> Size:
    """The size in the frame's header; the segments before it are passed, but for the camera's orientation."""
    at, turned = 2, False
    while data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _pair(">HH", data, at + 5)
            return (height, width) if turned else (width, height)
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            turned = _orientation(data[at + 10 : at + 2 + _pair(">HH", data, at + 2)[0]]) in _TURNED
        at += 1 if marker == 0xFF else 2 + _pair(">HH", data, at + 2)[0]
    raise ValueError


def _orientation(exif: bytes) -> int:
    order = "<" if exif.startswith(b"II") else ">"
    start = struct.unpack_from(f"{order}I", exif, 4)[0]
    count = struct.unpack_from(f"{order}H", exif, start)[0]
    for at in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from(f"{order}H", exif, at)[0] == 0x0112:
            return int(struct.unpack_from(f"{order}H", exif, at + 8)[0])
    return 1


def _webp(data: bytes) -> Size:
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data[12:16] == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = _pair("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _avif(data: bytes) -> Size:
    """The largest of the sizes that it has for itself, its tiles and its transparency."""
    return max(_pair(">II", data, found.end() + 4) for found in re.finditer(b"ispe", data))


def _svg(data: bytes) -> Size:
    root = _SVG.search(_SVG_COMMENT.sub(b"", data))
    if not root:
        raise ValueError
    lengths = [re.search(_SVG_LENGTH % name, root[0]) for name in (b"width", b"height")]
    box = _SVG_BOX.search(root[0])
    if all(lengths):
        return _whole(*(found[1] for found in lengths if found))
    if box:
        return _whole(box[1], box[2])
    raise ValueError


def _whole(width: bytes, height: bytes) -> Size:
    return round(float(width)), round(float(height))
