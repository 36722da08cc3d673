"""Notes in every form that people give them are read into the cards that they meant, and not a byte is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import kb
from kb.encoding import without_marks
from kb.notes import parse_note
from kb.schema import default_schema
from kb.serialise import card_data
from kb.settings import Settings

CASES = Path(__file__).parent / "cases" / "notes"
NOTES = sorted(CASES.glob("*.md"))
SCHEMA = default_schema()


def note_of(text, path="notes/note.md"):
    return parse_note(text, path, SCHEMA, Settings(Path(), language="zh"))


def read(path):
    """A file's text, line ends as they are."""
    return path.read_bytes().decode("utf-8")


def differences(expected, found, where):
    """Where what was found is not what a case file says; what it does not mention may be anything."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from differences(value, found.get(key, "nothing"), f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (value, item) in enumerate(zip(expected, found, strict=True)):
            yield from differences(value, item, f"{where}[{index}]")
    elif expected != found:
        yield f"{where}: {found!r} instead of {expected!r}"


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.name)
def test_cards(path):
    expected = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))
    cards = [card_data(card) for card in kb.parse(path)]
    assert list(differences(expected["cards"], cards, "cards")) == []


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.name)
def test_slices_and_problems(path):
    expected = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))
    note = note_of(read(path))
    assert [problem.code for problem in note.problems] == expected.get("problems", [])
    assert [each.kind for each in note.slices] == expected.get("slices", [each.kind for each in note.slices])
    assert_lossless(read(path))


def assert_lossless(text):
    """Slices joined are the file; the parts of a card joined are its slice."""
    note = note_of(text)
    assert "".join(each.text for each in note.slices) == text
    lines = [0, *(len(each.text) for each in note.slices)]
    assert all(each.text for each in note.slices), lines
    cards = [each for each in note.slices if each.kind == "card"]
    for card, each in zip(note.cards, cards, strict=True):
        parts = [card.head, card.intro, *(section.head + section.markdown for section in card.sections)]
        assert "".join(parts).rstrip("\n") == without_marks(each.text).rstrip("\n")
        assert card.line == each.line


def elsewhere(card):
    """The card as it would be read from another place."""
    return replace(card, path="", line=0, end_line=0)


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: "\ufeff" + text.replace("\n", "\r\n").removesuffix("\r\n"),
        lambda text: text.removesuffix("\n"),
    ],
    ids=["CRLF", "CR", "BOM", "BOM and CRLF, no end of line", "no end of line"],
)
def test_marks_and_line_ends_make_no_difference(path, disguise):
    text = read(path)
    assert note_of(disguise(text)).cards == note_of(text).cards
    assert_lossless(disguise(text))


PIECES = [
    "### ResNet: He2016CVPR",
    "#### 面临问题：",
    "#### Method",
    "##### Results",
    "# Title",
    "> 架构类文章",
    "> He K., et al. Deep Residual Learning for Image Recognition, CVPR 2016",
    "> [!NOTE]",
    "---",
    "***",
    "```",
    "- item",
    "  - nested\titem $x$",
    "$$",
    "| Model | Params |",
    "|---|---|",
    "| a | 4.2 M |",
    "[^a]: note",
    "[toc]",
    "### {NAME}: {author}{year}{venue}",
    "<!-- comment",
    "",
    "",
    "text\u2028with\x0bodd\x85breaks",
    "    indented",
    "key: value",
]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["\n", "\r\n", "\r", "\n\n"])), max_size=30),
    st.booleans(),
    st.sampled_from(PIECES),
)
def test_nothing_is_ever_lost(pieces, mark, last):
    assert_lossless("\ufeff" * mark + "".join(piece + end for piece, end in pieces) + last)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_note(text):
    assert_lossless(text)


def test_the_language_of_a_card():
    text = "# ResNet: He2016CVPR\n\n> 架构\n\n## 问题\n\n一\n"
    assert [note_of(text, path).cards[0].lang for path in ("a.md", "a.en.md", "a.EN.md", "a.v2.md")] == [
        "zh",
        "en",
        "en",
        "zh",
    ]
    assert note_of(f"---\nlang: en\n---\n{text}").cards[0].lang == "en"


def test_a_rule_at_the_top_is_no_front_matter():
    note = note_of("---\n\n# ResNet: He2016CVPR\n\n## 问题\n\n一\n\n---\n")
    assert [card.citekey for card in note.cards] == ["He2016CVPR"]
    assert note.problems == ()


@pytest.mark.parametrize("heading", ["Net{2}: Own-Key", "<img onerror=f(){}>: Payload2020n6"])
def test_braces_in_a_name_make_no_template_of_a_card(heading):
    """Its card would be left out without a word."""
    note = note_of(f"### {heading}\n\n> 架构\n> Author A. A Network, CVPR 2020\n\n#### 面临问题\n\n一\n")
    assert [(each.kind, bool(note.cards)) for each in note.slices] == [("card", True)]


def test_a_note_without_a_card_says_so():
    assert [problem.code for problem in note_of("Just some text.\n").problems] == ["K209"]
    assert note_of("### {NAME}: {author}{year}{venue}\n\n> 架构\n\n#### 问题\n").problems == ()
