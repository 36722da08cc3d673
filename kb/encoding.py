"""Reading text files that people wrote: bytes to text, and the likely encoding of those that are not UTF-8."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

from kb.problems import problem
from kb.records import Place, Problem

_LIKELY = ("gb18030", "big5", "shift_jis", "euc_kr")
_NAMES = {"gb18030": "GBK", "big5": "Big5", "shift_jis": "Shift-JIS", "euc_kr": "EUC-KR", "cp1252": "Windows-1252"}
_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# Characters that every longer text in one of these languages holds.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主年动这個為會來時們國與種學過後のはをがでにたしてとい는을이의에가"
)


def read_text(root: Path, path: str, limit: int | None = None) -> str | Problem:
    """The text of a file below the root, line ends and byte order mark as they are; no more bytes than the limit."""
    try:
        with (root / path).open("rb") as file:
            data = file.read() if limit is None else file.read(limit + 1)
    except OSError as error:
        return problem("K101", Place(path), f"the file cannot be read: {error.strerror}")
    if limit is not None and len(data) > limit:
        return beyond("the note", "note", limit, Place(path), "split it, one card per file")
    return decode(data, path)


def beyond(what: str, name: str, limit: int, place: Place, remedy: str) -> Problem:
    """The problem that something is larger than a limit of the settings."""
    size = f"{limit // 1024} KB" if limit % 1024 == 0 else f"{limit} bytes"
    hint = f"{remedy}, or raise `extra.kb.limits.{name}` in mkdocs.yml"
    return problem("K108", place, f"{what} is larger than the limit of {size}", hint)


def decode(data: bytes, path: str, encoding: str = "utf-8") -> str | Problem:
    """The text in these bytes, or the problem that they are not in this encoding."""
    try:
        text = data.decode(encoding)
    except LookupError:
        return problem("K102", Place(path), f"there is no encoding `{encoding}`", "for example: gbk, big5, utf-16")
    except UnicodeDecodeError as error:
        guess = likely_encoding(data)
        hint = f"it looks like {_NAMES.get(guess, guess)}: convert it, `iconv -f {guess} -t utf-8`" if guess else ""
        place = _place(data, error.start, path)
        return problem("K102", place, f"the file is not {encoding.upper()}", hint or "save it as UTF-8")
    if "\0" in text:
        place = _place(data, data.find(b"\0"), path)
        return problem("K102", place, "the file is not a text: it holds zero bytes", "save it as UTF-8")
    return text


def likely_encoding(data: bytes) -> str:
    """The encoding in which these bytes hold most common characters; "" where none fits."""
    if data.startswith(_UTF16):
        return "utf-16"
    scores = {encoding: _score(data, encoding) for encoding in _LIKELY}
    best = max(scores, key=lambda encoding: scores[encoding])
    if scores[best]:
        return best
    return "" if b"\0" in data or re.search(rb"[\x80-\x9f]{3}", data) else "cp1252"


def _score(data: bytes, encoding: str) -> int:
    try:
        return sum(letter in _COMMON for letter in data.decode(encoding))
    except UnicodeDecodeError:
        return 0


def _place(data: bytes, position: int, path: str) -> Place:
    before = re.split(rb"\r\n|\r|\n", data[:position])
    return Place(path, len(before), len(before[-1].decode("utf-8", errors="replace")) + 1)


def without_marks(text: str) -> str:
    """The text as the parser sees it: no byte order mark, lines that end in `\\n`."""
    return re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends, counted as CommonMark counts them: `\\r\\n`, `\\n` or `\\r` ends one."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)


def with_marks(text: str, original: str) -> str:
    """The text with the byte order mark and the line ends of the original; a new line takes the end used most."""
    ends = Counter(_LINE_END.findall(original))
    usual = max(ends, key=lambda end: ends[end], default="\n")
    mark = "\ufeff" if original.startswith("\ufeff") else ""
    if len(ends) < 2:
        return mark + text.replace("\n", usual)
    raw, new = split_lines(original.removeprefix("\ufeff")), split_lines(text)
    matcher = SequenceMatcher(None, split_lines(without_marks(original)), new, autojunk=False)
    parts = (
        raw[first:end] if tag == "equal" else [line.replace("\n", usual) for line in new[start:stop]]
        for tag, first, end, start, stop in matcher.get_opcodes()
    )
    return mark + "".join(line for part in parts for line in part)
