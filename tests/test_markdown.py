"""Our Markdown: all of CommonMark still holds, and what is read off a note is what its author wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from case_files import Case, read_cases
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import rules_block, rules_inline

from kb import markdown
from kb.markdown import make_parser

CASES = Path(__file__).parent / "cases" / "markdown"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.DOTALL | re.MULTILINE)

# Raw HTML passes by a list of tags, and an <img> is no block; a bare address is a link; `[[…]]` leads to a card.
CONTRARY_TO_COMMONMARK = ("bare_url", "wiki_link")


def examples():
    source = (CASES / "commonmark-0.31.2.txt").read_text(encoding="utf-8").replace("→", "\t")
    return [(number, *found.groups()) for number, found in enumerate(EXAMPLE.finditer(source), start=1)]


@pytest.fixture(scope="module")
def commonmark():
    """Our parser without the rules that contradict CommonMark; emphasis, math, tables and all others are on."""
    md = make_parser()
    md.inline.ruler.at("html_inline", rules_inline.html_inline)
    md.block.ruler.at("html_block", rules_block.html_block, {"alt": ["paragraph", "reference", "blockquote"]})
    return md.disable(list(CONTRARY_TO_COMMONMARK))


def test_there_are_652_examples():
    assert len(examples()) == 652


@pytest.mark.parametrize(("number", "source", "expected"), examples(), ids=lambda value: str(value)[:20])
def test_commonmark_holds(commonmark, number, source, expected):
    rendered = commonmark.render(source)
    assert rendered.replace("<blockquote></blockquote>", "<blockquote>\n</blockquote>") == expected, number


def equations(text):
    for equation in markdown.equations(text, 1):
        yield f"{equation.line} {'display' if equation.display else 'inline'} {equation.tex}".replace("\n", "\\n")


def problems(text):
    for problem in markdown.math_problems(text, "notes/a.md", 1):
        assert problem.place.path == "notes/a.md"
        assert problem.hint
        yield f"{problem.place.line}:{problem.place.column} {problem.code}"


def links_and_code(text):
    found = [(link.line, link.column, f'{link.kind} {link.target} "{link.text}"') for link in markdown.links(text, 1)]
    found += [(line, column, f"code {content}") for content, line, column in markdown.code_spans(text, 1)]
    return [f"{line}:{column} {what}" for line, column, what in sorted(found, key=lambda each: each[:2])]


def headings(text):
    return [f"{each.line}-{each.end_line} {each.level} {each.text}" for each in markdown.headings(text)]


def definitions(text):
    for label, source in markdown.definitions(text).items():
        yield label
        yield from (f"  {line}" if line else "" for line in source.split("\n"))


def plain_text(text):
    return [markdown.plain_text(text)]


READERS = {each.__name__: each for each in (equations, problems, links_and_code, headings, definitions, plain_text)}


@pytest.mark.parametrize("case", [case for name in READERS for case in read_cases(CASES / f"{name}.md")], ids=str)
def test_what_is_read(case: Case):
    assert "\n".join(READERS[case.file](case.source)) == case.expected


def test_lines_count_from_the_first_line_of_the_section():
    text = "a\n\n$x$ `y` [[Z2020x]] $\\alpha"
    assert markdown.equations(text, 40)[0].line == 42
    assert markdown.code_spans(text, 40)[0] == ("y", 42, 5)
    assert markdown.links(text, 40)[0].line == 42
    assert markdown.math_problems(text, "a.md", 40)[0].place.line == 42


def test_links_may_be_defined_outside_the_text():
    assert markdown.links("[a][b]", 1) == ()
    assert markdown.links("[a][b]", 1, "[b]: c.md")[0].target == "c.md"


def test_windows_line_ends_do_not_move_lines():
    assert markdown.code_spans("a\r\n\r\n`b`\r\n", 1) == [("b", 3, 1)]
    assert markdown.headings("a\r\n# B\r\n")[0].line == 1


# Pieces that mean something; · is a space, → a tab and ⏎ a line's end.
PIECES = r"""
` `` $ $$ * ** _ ~~ == [ ] ( ) [[ ]] | ⏎ ⏎⏎ >· -· 1.· ·· ···· #· < > <br> <div> </div> <!-- --> \ \alpha { } [^1]
[^1]:· [a]:·b ![ >·[!NOTE]-· --- |---| ``` → 中 ： a b1 5 · [toc] https://a.b/c www. &lt; 👍 -·[·]· " ' = ![[a.png]]
"""
NOTES = st.lists(st.sampled_from(PIECES.split()), max_size=40).map(
    lambda pieces: "".join(pieces).replace("·", " ").replace("→", "\t").replace("⏎", "\n")
)


@given(NOTES)
def test_any_text_can_be_read(text):
    """Nothing that people type makes a reader fail, and what is found stands where it is said to stand."""
    lines = text.split("\n")
    for _, line, column in markdown.code_spans(text, 1):
        assert lines[line - 1][column - 1] == "`"
    for link in markdown.links(text, 1):
        assert 1 <= link.line <= len(lines)
    for equation in markdown.equations(text, 1):
        assert 1 <= equation.line <= len(lines)
    for problem in markdown.math_problems(text, "a.md", 1):
        assert lines[problem.place.line - 1][problem.place.column - 1] == "$"
    markdown.definitions(text)
    markdown.headings(text)
    markdown.plain_text(text)
