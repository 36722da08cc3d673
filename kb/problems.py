"""Every code that kb can report, and how problems are printed.

K1 files and YAML · K2 cards · K3 text · K4 models · K5 figures · K6 settings and templates · K7 cards in two languages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from kb.records import Place, Problem, Severity


class Code(NamedTuple):
    """One kind of problem: how grave it is, and what it means in a line; `kb/codes/` tells the rest of it."""

    severity: Severity
    meaning: str
    can_be_silenced: bool = False  # for one line of a note: not what makes a page or a number wrong


CODES: dict[str, Code] = {
    "K101": Code("error", "the file cannot be read"),
    "K102": Code("error", "the file is not UTF-8"),
    "K103": Code("error", "the YAML cannot be read"),
    "K104": Code("error", "the YAML is not plain data (a tag, an anchor or an alias)"),
    "K105": Code("error", "a key stands twice in one YAML mapping"),
    "K106": Code("error", "a value in the front matter is of the wrong type"),
    "K107": Code("error", "the bibliography cannot be read"),
    "K108": Code("error", "a note or its YAML is larger or deeper than the limit"),
    "K109": Code("error", "a file's name is lost or taken for another's on some systems"),
    "K201": Code("error", "a section is missing", can_be_silenced=True),
    "K202": Code("error", "a section is empty", can_be_silenced=True),
    "K203": Code("error", "the kind is not one of the template's"),
    "K204": Code("error", "a citekey holds characters that none may hold"),
    "K205": Code("warning", "a citekey does not follow the template's pattern", can_be_silenced=True),
    "K206": Code("error", "two cards have the same citekey, or keys that differ by case or Unicode form alone"),
    "K207": Code("error", "the year in the citekey is not the citation's", can_be_silenced=True),
    "K208": Code("error", "the citation is missing", can_be_silenced=True),
    "K209": Code("error", "the note holds no card", can_be_silenced=True),
    "K210": Code("error", "a section stands twice in one card", can_be_silenced=True),
    "K211": Code("warning", "a section is equal to another card's", can_be_silenced=True),
    "K212": Code("warning", "the paper is in no bibliography", can_be_silenced=True),
    "K213": Code("warning", "two cards are about the same paper", can_be_silenced=True),
    "K214": Code("warning", "an author's name is spelled in two ways", can_be_silenced=True),
    "K215": Code("warning", "a line of the template is still to be filled in", can_be_silenced=True),
    "K216": Code("error", "a name or a link holds letters that cannot be seen"),
    "K301": Code("warning", "a dollar sign around TeX has no partner", can_be_silenced=True),
    "K302": Code("error", "a display formula is not closed"),
    "K303": Code("error", "a link leads to no card", can_be_silenced=True),
    "K304": Code("error", "an image is missing"),
    "K305": Code("error", "a path leads out of the knowledge base"),
    "K306": Code("warning", "a link names a card by an old key", can_be_silenced=True),
    "K307": Code("warning", "a comment silences nothing"),
    "K308": Code("warning", "a comment names a code that it cannot silence"),
    "K401": Code("error", "a call cannot be read"),
    "K402": Code("error", "there is no such model"),
    "K403": Code("error", "the model has no such argument"),
    "K404": Code("error", "an argument is missing"),
    "K405": Code("error", "two reference models have the same name"),
    "K406": Code("error", "a reference model file cannot be read"),
    "K407": Code("error", "the model failed while it was measured"),
    "K408": Code("error", "the model could not be measured completely"),
    "K409": Code("error", "the measurement is stale"),
    "K410": Code("error", "the lock of measurements cannot be used"),
    "K411": Code("error", "the record of witnesses cannot be used"),
    "K421": Code("error", "there is no such figure"),
    "K422": Code("error", "a figure could not be drawn"),
    "K423": Code("error", "the drawing of a figure is stale"),
    "K501": Code("finding", "a printed figure is not explained by any convention", can_be_silenced=True),
    "K502": Code("warning", "a figure in a results table cannot be read", can_be_silenced=True),
    "K503": Code("finding", "a claim does not hold", can_be_silenced=True),
    "K504": Code("error", "an expression cannot be read or computed"),
    "K505": Code("error", "a list of models cannot be read"),
    "K506": Code("warning", "a name stands for no model of the list"),
    "K507": Code("finding", "a printed figure agrees in another unit", can_be_silenced=True),
    "K508": Code(
        "note", "a column holds multiply-adds under the name of FLOPs, or the other way round", can_be_silenced=True
    ),
    "K601": Code("error", "the settings cannot be used"),
    "K602": Code("error", "the card template cannot be used"),
    "K603": Code("error", "a page template failed"),
    "K604": Code("error", "the site builder failed"),
    "K605": Code("error", "the mapping of an import cannot be used"),
    "K701": Code("warning", "the citation is another in the other language", can_be_silenced=True),
    "K702": Code("finding", "a printed figure is another in the other language", can_be_silenced=True),
    "K703": Code("warning", "a formula is another in the other language", can_be_silenced=True),
    "K704": Code("warning", "models or expressions are others in the other language", can_be_silenced=True),
    "K705": Code("warning", "a number in the text is another in the other language", can_be_silenced=True),
}


def problem(code: str, place: Place, message: str, hint: str = "", *, severity: Severity | None = None) -> Problem:
    """A problem of the given code; its severity is the code's unless one is given (a draft's gaps are warnings)."""
    return Problem(place, code, message, hint, severity or CODES[code].severity)


def nearest(name: str, known: Iterable[str], listed: Iterable[str] = ()) -> str:
    """A hint that names the nearest of the known names, or else all of them: as they are, or as they are listed."""
    names = list(known)
    close = get_close_matches(name.casefold(), names, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"there are: {', '.join(f'`{each}`' for each in listed or names)}" if names else ""


def format_problems(problems: Iterable[Problem], form: str = "text", *, colour: bool = False) -> str:
    """Problems as text (`path:line:col: K123 message`, a hint below it), as JSON, or as annotations for GitHub."""
    if form == "json":
        return json.dumps([_data(found) for found in problems], ensure_ascii=False, indent=2) + "\n"
    if form == "github":
        return "".join(f"{_annotation(found)}\n" for found in problems)
    return "".join(f"{_text(found, colour)}\n" for found in problems)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems by file, line and column, each once."""
    by_place = sorted(
        dict.fromkeys(problems), key=lambda found: (found.place.path, found.place.line, found.place.column)
    )
    return list(by_place)


_COLOURS: Mapping[Severity, str] = {
    "error": "\033[31m",
    "finding": "\033[35m",
    "warning": "\033[33m",
    "note": "\033[36m",
}
_BOLD, _DIM, _END = "\033[1m", "\033[2m", "\033[0m"
_GITHUB: Mapping[Severity, str] = {"error": "error", "finding": "warning", "warning": "warning", "note": "notice"}


def _text(found: Problem, colour: bool) -> str:
    place = f"{found.place.path}:{found.place.line}:{found.place.column}:" if found.place.path else "kb:"
    kind = "" if found.severity == "error" else f"{found.severity}: "
    hint = f"\n    {shown(found.hint)}" if found.hint else ""
    if not colour:
        return f"{shown(place)} {found.code} {kind}{shown(found.message)}{hint}"
    code = f"{_COLOURS[found.severity]}{found.code} {kind}{_END}".replace(f" {_END}", f"{_END} ")
    return f"{_BOLD}{shown(place)}{_END} {code}{shown(found.message)}{_DIM}{hint}{_END if hint else ''}"


def shown(text: str) -> str:
    """A text on one line, with nothing in it that could steer a terminal or hide itself."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in " ".join(text.split()))


def _data(found: Problem) -> dict[str, object]:
    place = {"path": found.place.path, "line": found.place.line, "column": found.place.column}
    told = {"code": found.code, "severity": found.severity, "message": found.message, "hint": found.hint}
    return {**place, **told}


def _annotation(found: Problem) -> str:
    """A workflow command of GitHub Actions."""
    place = {"file": found.place.path, "line": str(found.place.line), "col": str(found.place.column)}
    properties = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in {**place, "title": found.code}.items())
    message = found.message + (f"\n{found.hint}" if found.hint else "")
    return f"::{_GITHUB[found.severity]} {properties}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    escapes = {"%": "%25", "\r": "%0D", "\n": "%0A", **{letter: f"%{ord(letter):02X}" for letter in more}}
    return "".join(escapes.get(letter, letter) for letter in text)
