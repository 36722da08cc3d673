"""Cases in one file, for people to read: a title, the source and what comes of it, with a line of `.` between them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    """One case; `str(case)` names it in a test's output."""

    file: str
    title: str
    source: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. Lines before the first title that begin with `%` are remarks."""
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if not line.startswith("% ")]
    parts = "\n".join(lines).split("\n.\n")
    assert len(parts) % 3 == 1, f"{path.name}: a case is a title, a source and a result"
    triples = zip(parts[0::3], parts[1::3], parts[2::3], strict=False)
    return [Case(path.stem, title.strip(), source, expected) for title, source, expected in triples]
