"""Cards made wrong: real ones, with bytes, lines and marks changed as accidents and malice change them.

The same seed and number give the same bytes on any machine.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
NOTES = ("notes",)  # most are made of these: one change often leaves them free of errors, so that they are rendered
CASES = ("tests/cases/notes", "tests/cases/check", "tests/cases/tables", "tests/cases/lineage", "templates")
CHANGES_TO_ONE = (1, 1, 1, 2, 2, 3, 6)
LARGEST = 200_000  # bytes, below the limit on a note: what is longer would be refused unread

TEXTS = yaml.safe_load((Path(__file__).parent / "tokens.yml").read_text(encoding="utf-8"))
TOKENS = {name: text.split(" ") if name == "letters" else text.split() for name, text in TEXTS.items()}
NUMBERS = [*TOKENS["numbers"], "9" * 5000, "1." + "3" * 3000]
NOT_UTF8 = (
    b"\xed\xa0\x80",
    b"\xff",
    b"\xfe\xff",
    b"\xc0\xaf",
    b"\xf8\x88\x80\x80\x80",
    b"\xe4\xb8",
    b"\x80",
    b"\xa1\xa1",
)

Change = Callable[[bytes, random.Random], bytes]


@cache
def originals(folders: tuple[str, ...] = NOTES + CASES) -> tuple[bytes, ...]:
    """The cards to begin with."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.md"))
    return tuple(path.read_bytes() for path in paths)


def mutated(seed: int, number: int) -> bytes:
    """One of the seed's cards."""
    rng = random.Random(f"{seed}:{number}")
    content = rng.choice(originals(rng.choice((NOTES, NOTES, CASES))))
    for _ in range(rng.choice(CHANGES_TO_ONE)):
        content = rng.choice(CHANGES)(content, rng)[:LARGEST]
    return content


def between(length: int, rng: random.Random) -> tuple[int, int]:
    """A stretch, mostly a short one."""
    start = rng.randint(0, length)
    return start, min(length, start + rng.choice((1, 2, 5, 20, 200)))


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Some bits changed."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 8) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(content: bytes, rng: random.Random) -> bytes:
    """The end, or a stretch, missing."""
    start, end = between(len(content), rng)
    return content[:start] if rng.random() < 0.3 else content[:start] + content[end:]


def put_in(piece: Callable[[random.Random], bytes]) -> Change:
    """Something inserted, once or many times over, anywhere or on a line of its own."""

    def change(content: bytes, rng: random.Random) -> bytes:
        text = piece(rng) * rng.choice((1, 1, 1, 2, 7, 60))
        ends = [0, *(found.end() for found in re.finditer(rb"\n", content))]
        if rng.random() < 0.5:
            at, text = rng.choice(ends), text + b"\n"
        else:
            at = rng.randint(0, len(content))
        return content[:at] + text + content[at:]

    return change


def a_token(rng: random.Random) -> bytes:
    marks = rng.choice((*TOKENS.values(), NUMBERS))
    return (rng.choice(marks) + rng.choice(("", "", " "))).encode()


def some_tokens(rng: random.Random) -> bytes:
    return b"".join(a_token(rng) for _ in range(rng.randint(2, 12)))


def no_text(rng: random.Random) -> bytes:
    return rng.choice(NOT_UTF8)


def random_bytes(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randint(1, 40))


def of_another_card(rng: random.Random) -> bytes:
    other = rng.choice(originals())
    start = rng.randint(0, len(other))
    return other[start : start + rng.randint(1, 2000)]


def by_lines(change: Callable[[list[bytes], random.Random], object]) -> Change:
    """A change to the lines, in place."""

    def changed(content: bytes, rng: random.Random) -> bytes:
        lines = content.splitlines(keepends=True) or [b""]
        change(lines, rng)
        return b"".join(lines)

    return changed


def repeated(lines: list[bytes], rng: random.Random) -> None:
    start, end = between(len(lines), rng)
    lines[start:end] = lines[start:end] * rng.choice((2, 2, 3, 50))


def swapped(lines: list[bytes], rng: random.Random) -> None:
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def shuffled(lines: list[bytes], rng: random.Random) -> None:
    start, end = between(len(lines), rng)
    lines[start:end] = rng.sample(lines[start:end], end - start)


def indented(lines: list[bytes], rng: random.Random) -> None:
    """Some lines indented, each deeper than the one before, or all alike."""
    start, end = between(len(lines), rng)
    mark = rng.choice((b" ", b"  ", b"\t", b"> ", b"- ", "\u3000".encode(), b"    "))
    deep = rng.choice((1, 1, 4, 40))
    for number in range(start, end):
        lines[number] = mark * (deep if rng.random() < 0.5 else number - start + 1) + lines[number]


def joined(lines: list[bytes], rng: random.Random) -> None:
    start, end = between(len(lines), rng)
    lines[start:end] = [b"".join(line.rstrip(b"\r\n") for line in lines[start:end])]


def other_ends(content: bytes, rng: random.Random) -> bytes:
    """The line ends of another system, on all lines or on some."""
    end = rng.choice((b"\r\n", b"\r", b"\n\n", b"\n\r", "\u2028".encode(), b"\x0b"))
    share = rng.choice((1.0, 0.5, 0.05))
    return re.sub(rb"\n", lambda found: end if rng.random() < share else found[0], content)


def other_encoding(content: bytes, rng: random.Random) -> bytes:
    """All of it, or only its end, in another encoding."""
    encoding = rng.choice(("utf-16", "utf-16-be", "utf-32", "gb18030", "latin-1", "utf-8-sig", "utf-7"))
    start = rng.choice((0, 0, rng.randint(0, len(content))))
    text = content[start:].decode("utf-8", "replace")
    return content[:start] + text.encode(encoding, "replace")


def other_numbers(content: bytes, rng: random.Random) -> bytes:
    """A number become another."""
    found = list(re.finditer(rb"\d+(?:\.\d+)?", content))
    if not found:
        return content
    one = rng.choice(found)
    return content[: one.start()] + rng.choice(NUMBERS).encode() + content[one.end() :]


CHANGES: tuple[Change, ...] = (
    flipped,
    cut,
    put_in(a_token),
    put_in(a_token),
    put_in(some_tokens),
    put_in(some_tokens),
    put_in(no_text),
    put_in(random_bytes),
    put_in(of_another_card),
    by_lines(repeated),
    by_lines(swapped),
    by_lines(shuffled),
    by_lines(indented),
    by_lines(joined),
    other_ends,
    other_encoding,
    other_numbers,
)
