"""Cards as YAML and JSON: what is written is what the published schema says, and is read back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import kb
from kb import quick_yaml
from kb.editors import schemas
from kb.notes import parse_note
from kb.plain_yaml import load_plain
from kb.schema import default_schema
from kb.serialise import card_data, cards_to_json, cards_to_yaml, to_json, to_yaml
from kb.settings import Settings

CASES = Path(__file__).parent / "cases"
FILES = sorted([*(CASES / "notes").glob("*.md"), *(CASES / "tables").glob("*.md"), *Path("notes").glob("*.md")])
VALIDATOR = jsonschema.Draft202012Validator(json.loads(schemas()["card.schema.json"]))
ORDER = (
    "format citekey lang name kind citation title authors et_al venue year tags aliases links date updated status "
    "extra source intro sections equations models results claims"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_schema_holds(path):
    for card in kb.parse(path):
        assert list(VALIDATOR.iter_errors(json.loads(to_json(card)))) == []
        assert list(VALIDATOR.iter_errors(yaml.safe_load(to_yaml(card)))) == []
        assert " ".join(yaml.safe_load(to_yaml(card))) == ORDER


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_written_is_read_back(path):
    cards = kb.parse(path)
    data = [card_data(card) for card in cards]
    assert yaml.safe_load(cards_to_yaml(cards)) == data
    assert json.loads(cards_to_json(cards)) == data
    read, problems = load_plain(cards_to_yaml(cards), "cards.yml")
    assert (read, problems) == (data, [])


def test_the_schema_is_strict():
    (card, *_) = kb.parse(CASES / "notes" / "front_matter.md")
    data = card_data(card)
    assert not VALIDATOR.is_valid({**data, "surprise": 1})
    assert not VALIDATOR.is_valid({name: value for name, value in data.items() if name != "equations"})
    assert not VALIDATOR.is_valid({**data, "year": "2016"})


TEXTS = st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\r"))
LINES = st.lists(
    st.sampled_from(["text  ", "  indented", "", "\ttab", "- item", "# no", ": x", "é\u2028x", "😀", " ", "'\"`"])
)


@settings(deadline=None)
@given(TEXTS | LINES.map("\n".join))
def test_any_markdown_is_written_and_read_back(text):
    note = f"### A: Author2020CVPR\n\n> 架构\n\n#### 问题\n\n{text}\n"
    for card in parse_note(note, "note.md", default_schema(), Settings(Path())).cards:
        assert yaml.safe_load(to_yaml(card)) == card_data(card)
        assert json.loads(to_json(card)) == card_data(card)


def test_markdown_reads_well(tmp_path):
    path = tmp_path / "note.md"
    path.write_text(
        "### A: Author2020CVPR\n\n> 架构\n> note: yes\n\n#### 问题\n\n- one  \n  two\n\n- three: `x`\n\n#### 方法\n",
        encoding="utf-8",
    )
    (card,) = kb.parse(path)
    printed = to_yaml(card)
    assert "    markdown: |\n      - one  \n        two\n\n      - three: `x`\n  - id: method\n" in printed
    assert "extra:\n  note: 'yes'\n" in printed


SCALARS = st.one_of(
    st.text(
        st.sampled_from("ab: #-\n\t '\"\\,[]{}?|>&*!%@`~=<1.e卷，：\x85\u2028\ufeff🙂") | st.characters(), max_size=12
    ),
    st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
)
MAPPINGS = st.dictionaries(st.text(max_size=6), SCALARS, max_size=4)
DATA = st.dictionaries(st.text("abc 1:", max_size=6), SCALARS | MAPPINGS | st.lists(SCALARS | MAPPINGS, max_size=3))


@settings(max_examples=500, deadline=None)
@given(DATA)
def test_the_quick_writer_writes_what_the_library_does(data):
    assert quick_yaml.dump(data) == quick_yaml.dump_anything(data)
