"""Every code is documented where it is met: in a file of two languages, in the terminal and on the site.

Examples are run. A piece of a card's text is put into a small card, a note or another file into a knowledge base as
`kb init` makes it; `wrong` must give its code and no other, `right` must give nothing.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run_kb

import kb
from kb.cli import main
from kb.documentation import documentation, documented
from kb.pages import pages
from kb.problems import CODES
from kb.texts import LANGUAGES

# Codes without an example in their file: what a file system forbids is no text.
WITHOUT_EXAMPLE = {"K101"}
# Comments that silence are not silenced by another.
NEVER_SILENCED = {"K307", "K308"}

CARD = """### Tiny: Author2020CVPR

> architecture
> Author A., et al. A Tiny Network, CVPR 2020

#### Problem

Networks grow faster than phones do.

#### Method

Fewer layers.

#### Experiments

"""
HOW = (
    "write kb/codes/{code}.yml after the pattern of kb/codes/K301.yml: for en and zh `why` and `mend` (for zh the "
    "`meaning`, too), then `wrong` and `right`, and `command` where it is not `kb check` that reports the code"
)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_documented(code):
    assert code in documented(), HOW.format(code=code)
    for language in LANGUAGES:
        found = documentation(code, language)
        assert all((found.meaning, found.why, found.mend)), f"kb/codes/{code}.yml has a gap in `{language}`"
    assert bool(found.wrong) != (code in WITHOUT_EXAMPLE), f"kb/codes/{code}.yml has no example: `wrong`, `right`"


def test_no_documentation_is_left_of_a_code_that_is_gone():
    assert documented() - set(CODES) == set()


@pytest.mark.parametrize("code", CODES)
def test_what_is_no_error_in_a_note_can_be_silenced(code):
    in_notes = documentation(code, "en").command == "check" and code not in NEVER_SILENCED
    if CODES[code].severity != "error" and in_notes:
        assert CODES[code].can_be_silenced, f"give {code} `can_be_silenced=True` in kb/problems.py"


@pytest.mark.parametrize("code", [code for code in CODES if code not in WITHOUT_EXAMPLE])
def test_the_wrong_example_gives_its_code_and_no_other(code, starter, capfd):
    found = documentation(code, "en")
    assert codes_given(found.wrong, found.command, code, starter, capfd) == {code}


@pytest.mark.parametrize("code", [code for code in CODES if documentation(code, "en").right])
def test_the_right_example_gives_nothing(code, starter, capfd):
    found = documentation(code, "en")
    assert codes_given(found.right, found.command, code, starter, capfd) == set()


def codes_given(example, command, code, base, capfd) -> set[str]:
    """The codes that a command prints where these files are a knowledge base's."""
    for path, text in example.items():
        file = base / (path or "notes/example.md")
        file.parent.mkdir(parents=True, exist_ok=True)
        note = text if re.search(r"^#{1,3} |^---", text) or not file.match("notes/*.md") else CARD + text
        file.write_text(note, encoding="gb18030" if code == "K102" else "utf-8")
    name, *arguments = shlex.split(command)
    files = [str(base / each) if Path(each).suffix and "(" not in each else each for each in arguments]
    main(["-C", str(base), name, *files])
    printed = capfd.readouterr()
    return set(re.findall(r"^\S+ (K\d{3}) ", printed.out + printed.err, re.MULTILINE))


@pytest.mark.parametrize("code", CODES)
def test_the_terminal_explains_a_code(code, capsys):
    assert main(["check", "--explain", code.lower()]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{code} {CODES[code].severity}: {CODES[code].meaning}\n")
    assert (f"Write `<!-- kb: ignore {code} -->`" in told) == CODES[code].can_be_silenced
    assert (f"{code} cannot be silenced" in told) != CODES[code].can_be_silenced


def test_only_a_terminal_is_told_of_the_explanations(starter):
    (starter / "notes" / "example.md").write_text(CARD + "As in [[No such card]].\n", encoding="utf-8")
    ours, theirs = pytest.importorskip("pty").openpty()
    command = [sys.executable, "-m", "kb", "check"]
    done = subprocess.run(command, cwd=starter, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    told = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)
    assert (done.returncode, done.stderr) == (1, b"")
    assert told[-1] == "kb check --explain K303 says more of a code, and how to silence it for one line"
    done = subprocess.run(command, cwd=starter, capture_output=True, text=True, check=False)
    assert "--explain" not in done.stdout + done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_page_that_the_conventions_lead_to(language, starter):
    settings = (starter / "mkdocs.yml").read_text(encoding="utf-8").replace("language: en", f"language: {language}")
    (starter / "mkdocs.yml").write_text(settings, encoding="utf-8")
    files = pages(kb.load(starter))
    assert 'href="codes/index.html"' in str(files["pages/conventions.md"])
    for code in CODES:
        page = str(files[f"pages/codes/{code}.md"])
        assert f'href="{code}.html"' in str(files["pages/codes/index.md"])
        assert documentation(code, language).why in page
        assert (f"`<!-- kb: ignore {code} -->`" in page) == CODES[code].can_be_silenced


def test_a_code_that_is_none_is_a_usage_error(tmp_path):
    done = run_kb("check", "--explain", "K999", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no code K999" in done.stderr
