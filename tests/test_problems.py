"""How problems are printed: text in a terminal and in a pipe, JSON, annotations for GitHub."""

from __future__ import annotations

import json

import pytest

from kb.problems import CODES, format_problems, in_order, problem
from kb.records import Place

ERROR = problem("K402", Place("notes/a.md", 31, 3), "there is no model `tinny`", "did you mean `tiny()`?")
WARNING = problem("K205", Place("notes/a.md", 1, 5), "the citekey does not follow the pattern")
FINDING = problem("K501", Place("notes/a,b.md", 40, 12), "4.2 M is printed: 50% more")
HOSTILE = problem("K303", Place("notes/\x1b[31m.md", 1, 1), "`[[\x1b]0;title\x07\u202e]]` leads\nto no card")


def test_text():
    assert format_problems([ERROR, WARNING, FINDING]) == (
        "notes/a.md:31:3: K402 there is no model `tinny`\n"
        "    did you mean `tiny()`?\n"
        "notes/a.md:1:5: K205 warning: the citekey does not follow the pattern\n"
        "notes/a,b.md:40:12: K501 finding: 4.2 M is printed: 50% more\n"
    )


def test_colours_change_nothing_but_colours():
    coloured = format_problems([ERROR, WARNING, FINDING], colour=True)
    assert "\x1b[31mK402\x1b[0m" in coloured
    for code in ("\x1b[31m", "\x1b[33m", "\x1b[35m", "\x1b[1m", "\x1b[2m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == format_problems([ERROR, WARNING, FINDING])


def test_nothing_in_a_note_steers_the_terminal():
    printed = format_problems([HOSTILE])
    assert printed == "notes/\\u001b[31m.md:1:1: K303 `[[\\u001b]0;title\\u0007\\u202e]]` leads to no card\n"


def test_json():
    assert json.loads(format_problems([ERROR, WARNING], "json")) == [
        {
            "path": "notes/a.md",
            "line": 31,
            "column": 3,
            "code": "K402",
            "severity": "error",
            "message": "there is no model `tinny`",
            "hint": "did you mean `tiny()`?",
        },
        {
            "path": "notes/a.md",
            "line": 1,
            "column": 5,
            "code": "K205",
            "severity": "warning",
            "message": "the citekey does not follow the pattern",
            "hint": "",
        },
    ]
    assert json.loads(format_problems([], "json")) == []


def test_github():
    assert format_problems([ERROR, FINDING, HOSTILE], "github") == (
        "::error file=notes/a.md,line=31,col=3,title=K402::there is no model `tinny`%0Adid you mean `tiny()`?\n"
        "::warning file=notes/a%2Cb.md,line=40,col=12,title=K501::4.2 M is printed: 50%25 more\n"
        "::error file=notes/\x1b[31m.md,line=1,col=1,title=K303::`[[\x1b]0;title\x07\u202e]]` leads%0Ato no card\n"
    )


def test_order():
    assert in_order([ERROR, WARNING, FINDING, WARNING]) == [FINDING, WARNING, ERROR]


@pytest.mark.parametrize("code", CODES)
def test_codes_are_documented(code):
    assert CODES[code].severity in ("error", "finding", "warning", "note")
    assert CODES[code].meaning
