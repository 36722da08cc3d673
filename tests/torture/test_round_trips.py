"""Cards that are written and read back are the same cards: nothing that somebody wrote may get lost on the way.

A few hundred generated notes each time, thousands with `--long`. They hold all that notes hold, in any order and
wording: front matter with fields and keys of one's own, blockquotes, sections, tables, formulas, footnotes, fences.
"""

from __future__ import annotations

import json
import re
import unicodedata
from codecs import BOM_UTF8
from dataclasses import asdict
from pathlib import Path

import jsonschema
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kb
from kb.citation import read_citation
from kb.editors import schemas
from kb.importers.composing import dump
from kb.importing import import_files
from kb.notes import parse_note
from kb.plain_yaml import as_plain, load_plain
from kb.schema import default_schema
from kb.serialise import card_data, to_json, to_yaml
from kb.settings import Settings

SCHEMA = default_schema()
SETTINGS = Settings(Path())
VALIDATOR = jsonschema.Draft202012Validator(json.loads(schemas()["card.schema.json"]))

# ---------------------------------------------------------------------------------------------------------- notes

LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
WORDS = st.sampled_from(
    [
        "残差",
        "MobileNetV2",
        "参数量",
        "`a|b`",
        "$x_1$",
        "[[Foo2020CVPR|see]]",
        "**强**",
        "25.6",
        "*so*",
        "a\\|b",
        "&lt;",
        "<br>",
        "~~no~~",
        "==mark==",
        "[^a]",
        "[ref]",
        "https://example.org/a_b",
        "é",
        "😀",
        "\u3000",
        "“x”",
        ":",
        "：",
        "#",
        "-",
        ">",
        "|",
        "\\",
        "'",
        '"',
        "{}",
        "![图](a.png)",
        "`kb?",
        "1",
        "=",
        "1`",
        "1%",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join) | st.text(LETTERS, min_size=1, max_size=20)
BLOCKS = st.one_of(
    TEXTS,
    TEXTS.map(lambda text: f"- {text}\n  - {text}\n\n    more"),
    TEXTS.map(lambda text: f"1. {text}  \n   hard break"),
    TEXTS.map(lambda text: f"> [!NOTE]\n> {text}"),
    TEXTS.map(lambda text: f"```python\n{text}\n# no heading\n```"),
    TEXTS.map(lambda text: f"##### {text}"),
    st.sampled_from(
        [
            "$$\ny = \\sum_i w_i x_i \\tag{1}\n$$",
            "| Model | Params (M) | MAdds | Top-1 |\n|---|---|---:|---|\n| A | 4.2[^a] | 569 M | 70.6 |",
            "| 模型 | 参数量 |\n|---|---|\n| 甲 `net()` | 300 万 |",
            "[ref]: https://example.org 'a title'",
            "[^a]: a footnote\n    that goes on",
            "<details><summary>more</summary>\n\nhidden\n\n</details>",
            "\tcode by a tab",
            "- [ ] to do\n- [x] done",
            "---",
            "* * *",
            "<!-- a comment -->",
            "",
        ]
    ),
)
NAMES = st.sampled_from(["Net", "ResNeXt-50 (32×4d)", "C++: a net", "网络", "A_B", "𝒩-Net", "VGG/16"])
VENUES = st.sampled_from(["CVPR", "arxiv", "NeurIPS", "3DV"])
HEADINGS = st.sampled_from(
    ["面临问题：", "Method", "3. 实验", "Experiments:", "**动机**", "Own section", "参考模型", "随想 $x$"]
)
QUOTED = st.one_of(
    st.sampled_from(
        [
            "架构类文章",
            "kind: survey",
            "标签: 检测，轻量级",
            "arXiv: 1704.04861",
            "DOI: 10.1109/CVPR.2018.00474",
            "代码: https://github.com/a/b",
            "我的评分: 5",
            "aliases: Old2016arxiv",
            "阅读状态: 读过",
        ]
    ),
    TEXTS.map(lambda text: f"引用: Howard A., et al. {text}, CVPR 2018"),
    TEXTS.map(lambda text: f"remark: {text}"),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9) | TEXTS | st.dates(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab键", min_size=1), below, max_size=3),
    max_leaves=6,
)
FRONT = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXTS,
        "authors": st.lists(st.sampled_from(["Kaiming He", "Howard, A.", "周飞燕", "van der Maaten L."]), min_size=1),
        "venue": VENUES,
        "year": st.integers(1950, 2030),
        "tags": st.lists(st.sampled_from(["CNN", "轻量级", "a b"])),
        "aliases": st.lists(st.sampled_from(["Old2016arxiv", "MBV2"]), unique=True),
        "date": st.dates(),
        "updated": st.dates().map(str),
        "lang": st.sampled_from(["zh", "en"]),
        "status": st.sampled_from(["draft", "done", "草稿"]),
        "publish": st.booleans(),
        "url": st.just("https://example.org/paper.pdf"),
        "own": VALUES,
        "笔记": VALUES,
    },
)


@st.composite
def cards(draw, number):
    """The text of a card, its heading of the third level."""
    key = f"Author{2000 + number}{draw(VENUES)}"
    heading = draw(st.sampled_from(["NAME: KEY", "NAME：KEY", "NAME_KEY", "KEY"]))
    lines = [f"### {heading.replace('NAME', draw(NAMES)).replace('KEY', key)}", ""]
    quoted = draw(st.lists(QUOTED, max_size=4))
    lines += [f"> {line}" for line in (quoted or ["架构"])]
    lines += ["", *separated(draw(st.lists(BLOCKS, max_size=2)))]
    for heading in draw(st.lists(HEADINGS, max_size=4, unique=True)):
        lines += [f"#### {heading}", "", *separated(draw(st.lists(BLOCKS, max_size=4)))]
    return "\n".join(lines)


def separated(blocks):
    return [line for block in blocks for line in (block, "")]


@st.composite
def notes(draw):
    """The bytes of a note: front matter, if any, and cards; its letters are composed, as import makes them."""
    front = draw(FRONT)
    above = f"---\n{yaml.safe_dump(front, allow_unicode=True, sort_keys=False)}---\n\n" if front else ""
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    between = draw(st.sampled_from(["\n\n", "\n\n---\n\n", "\n\n[toc]\n\n"]))
    text = (
        above
        + between.join(draw(cards(number)) for number in range(count))
        + draw(st.sampled_from(["", "\n", "\n\n\n"]))
    )
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return (
        mark + unicodedata.normalize("NFC", text).replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))
    ).encode()


def parsed(content):
    return parse_note(content.decode(), "note.md", SCHEMA, SETTINGS).cards


# ----------------------------------------------------------------------------------------------------------- YAML


@given(notes())
def test_yaml_and_json_hold_what_the_card_holds(content):
    """What is written is read back as it was, by any reader of YAML or JSON, and as the published schema says."""
    for card in parsed(content):
        data = card_data(card)
        assert yaml.safe_load(to_yaml(card)) == data
        assert load_plain(to_yaml(card), "card.yml") == (data, [])
        assert json.loads(to_json(card)) == data
        assert list(VALIDATOR.iter_errors(data)) == []


@given(notes())
def test_a_note_written_from_the_yaml_is_the_same_card(content):
    """The YAML is enough: of all that a card says, nothing is in its note alone."""
    for card in parsed(content):
        data = yaml.safe_load(to_yaml(card))
        note = note_of(data)
        [again] = parsed(note.encode())
        assert without_places(card_data(again)) == without_places(data), note


ABOVE = ["lang", "name", "citation", "tags", "aliases", "date", "updated", "status"]
CITED = ["title", "authors", "venue", "year"]


def note_of(data):
    """A note that holds what a card's YAML holds, in the plainest form: what the citation gives, once."""
    cited = asdict(read_citation(data["citation"]))
    front = {name: data[name] for name in ABOVE if data[name]}
    front |= {name: data[name] for name in CITED if data[name] and as_plain(cited[name]) != data[name]}
    parts = [f"---\n{dump(front | data['links'] | data['extra'])}---\n", f"### {data['citekey']}\n"]
    parts += [f"> kind: {data['kind']}"]
    parts += ["", data["intro"], *(f"#### {each['heading']}\n\n{each['markdown']}" for each in data["sections"])]
    return "\n".join(parts)


def without_places(data):
    """A card's data without the lines that it stands on."""
    if isinstance(data, dict):
        return {name: without_places(value) for name, value in data.items() if name not in ("line", "source")}
    return [without_places(each) for each in data] if isinstance(data, list) else data


# --------------------------------------------------------------------------------------------------------- import


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes())
def test_what_is_imported_is_to_the_letter(tmp_path_factory, content):
    """Each card in a note of its own, with every byte of it; imported once more, the notes are the same files."""
    first, second = (base(tmp_path_factory.mktemp("base")) for _ in range(2))
    note = first / "in.md"
    note.write_bytes(content)
    before = {card.citekey: card for card in kb.parse(note)}
    if not before:
        return  # then it is read as a note of another form: tests/test_import.py
    made = {each.card.citekey: Path(each.target) for each in import_files([note], first).imported}
    assert list(made) == list(before)
    for key, path in made.items():
        [card] = kb.parse(path)
        assert said(card) == said(before[key])
        assert slice_of(content, before[key]).removeprefix(BOM_UTF8).rstrip() in path.read_bytes()
    again = import_files(list(made.values()), second).imported
    assert {Path(each.target).name: Path(each.target).read_bytes() for each in again} == {
        path.name: path.read_bytes() for path in made.values()
    }


def base(folder):
    (folder / "mkdocs.yml").write_text("site_name: Papers\ntheme: {name: material, language: zh}\n", encoding="utf-8")
    return folder


def slice_of(content, card):
    """The bytes of a card in its note."""
    lines = re.split(rb"(?<=\n)", content)
    return b"".join(lines[card.line - 1 : card.end_line])


def said(card):
    """What a card says, wherever it stands; one with gaps becomes a draft."""
    return without_places({**card_data(card), "status": ""}), card.publish, card.definitions
