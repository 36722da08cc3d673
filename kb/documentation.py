"""What each code means, why it is reported, an example, and how it is silenced: read from `codes/CODE.yml`.

A file says in each language why a code is reported and how to mend it, in Markdown; `zh` has its meaning, too, whose
English is in `problems.CODES`. `wrong` is an example that gives this code and no other, `right` the same when mended: a
piece of a card's text, a whole note, or several files by path. `command` is what reports it, else `check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import indent, wrap

import yaml

from kb.problems import CODES
from kb.records import Severity
from kb.texts import Texts

WIDTH = 88  # of a text in the terminal

Example = Mapping[str, str]  # texts by the path of their file, "" for a piece of a note


@dataclass(frozen=True, slots=True)
class Documentation:
    """A code's documentation in one language."""

    code: str
    severity: Severity
    meaning: str
    why: str
    mend: str
    wrong: Example
    right: Example
    command: str
    can_be_silenced: bool

    @property
    def group(self) -> str:
        """The first letters of its code, which codes of one kind share."""
        return self.code[:2]


def documented() -> set[str]:
    """The codes that have a file."""
    return {path.name.removesuffix(".yml") for path in files("kb").joinpath("codes").iterdir()}


@cache
def documentation(code: str, language: str) -> Documentation:
    """What a code's file says in a language."""
    data = yaml.safe_load(files("kb").joinpath("codes", f"{code}.yml").read_text(encoding="utf-8"))
    words, known = data[language], CODES[code]
    return Documentation(
        code,
        known.severity,
        words.get("meaning", known.meaning),
        words["why"],
        words["mend"],
        _example(data.get("wrong", {})),
        _example(data.get("right", {})),
        data.get("command", "check"),
        known.can_be_silenced,
    )


def _example(data: Mapping[str, str] | str) -> Example:
    return {"": data} if isinstance(data, str) else data


def all_documentation(language: str) -> tuple[Documentation, ...]:
    """What the files of all codes say, in the order of the codes."""
    return tuple(documentation(code, language) for code in sorted(CODES))


def as_text(found: Documentation, texts: Texts) -> str:
    """The documentation for a terminal."""
    return "\n\n".join(_parts(found, texts)) + "\n"


def _parts(found: Documentation, texts: Texts) -> Iterator[str]:
    yield f"{found.code} {found.severity}: {found.meaning}"
    yield from ("\n".join(wrap(words, WIDTH)) for words in (found.why, found.mend))
    for title, example in (("wrong", found.wrong), ("right", found.right)):
        for path, text in example.items():
            yield f"{texts(f'codes.{title}')}{path and f' ({path})'}:\n\n{indent(text.rstrip(), '    ')}"
    if found.command != "check":
        yield texts("codes.command", command=found.command)
    yield "\n".join(
        wrap(texts("codes.silence" if found.can_be_silenced else "codes.no_silence", code=found.code), WIDTH)
    )
