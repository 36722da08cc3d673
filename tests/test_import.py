"""Notes that exist are taken in: a file per card, to the letter, with all it needs, and nothing written over.

A case is a folder: `in/` with the notes, `out/` with what comes of them, and `report.txt` with what is said; what is
imported if not `in` stands in `arguments.txt`.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import run_kb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kb
from kb.check import check
from kb.import_report import format_report
from kb.importing import import_files

CASES = Path(__file__).parent / "cases" / "import"
FOLDERS = sorted(path for path in CASES.glob("*/*") if path.is_dir())


@pytest.fixture
def base(tmp_path):
    """An empty knowledge base."""
    (tmp_path / "mkdocs.yml").write_text("site_name: Papers\ntheme: {name: material, language: zh}\n", encoding="utf-8")
    return tmp_path


def files_in(folder):
    """The files of a folder by their relative paths."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def elsewhere(card):
    """The card without where it stands: its lines count from its heading."""
    lines = {"line": 0, "end_line": card.end_line - card.line, "intro_line": card.intro_line - card.line}
    moved = {name: tuple(replace(each, line=each.line - card.line) for each in getattr(card, name)) for name in PARTS}
    return replace(card, path="", status="", results=(), **lines, **moved)


PARTS = ("sections", "equations", "models", "claims")


@pytest.fixture
def brought(base, tmp_path):
    """A case brought to the base, and what to import of it; running it gives what is said, without the base's path."""

    def run(case, *more):
        shutil.copytree(case, tmp_path / "case", dirs_exist_ok=True)
        options = case / "arguments.txt"
        arguments = options.read_text(encoding="utf-8").split() if options.exists() else ["in"]
        done = run_kb("-C", base, "import", *arguments, *more, cwd=tmp_path / "case")
        assert done.returncode in (0, 1), done.stderr
        return (done.stdout + done.stderr).replace(f"{base}/", "")

    return run


def name_of(case):
    return f"{case.parent.name}/{case.name}"


@pytest.mark.parametrize("case", FOLDERS, ids=name_of)
def test_case(case, base, brought):
    """What comes of a case; nothing of it in a rehearsal; the same the second time; and a base that has no errors."""
    would = brought(case, "--dry-run")
    assert not (base / "notes").exists()
    assert brought(case) == (case / "report.txt").read_text(encoding="utf-8")
    written = files_in(base / "notes")
    assert written == files_in(case / "out")
    assert would.count(" would be written to ") == len(list((base / "notes").glob("*.md")))
    again = brought(case)
    assert files_in(base / "notes") == written
    assert " written to " not in again
    problems = check(kb.load(base))
    assert [
        found for found in problems if found.severity == "error" and found.code not in MISSING.get(case.name, ())
    ] == []


# Cases whose notes have a mistake of their own, which an import of cards leaves to `kb check`.
MISSING = {"one": ("K304",)}


@pytest.mark.parametrize("case", sorted(CASES.glob("cards/*")), ids=name_of)
def test_cards_are_the_same_cards(case, base):
    report = import_files([case / "in"], base)
    before = [card for path in sorted((case / "in").glob("*.md")) for card in kb.parse(path)]
    after = [card for each in report.imported for card in kb.parse(each.target)]
    if case.name in ("many", "one"):
        assert [elsewhere(card) for card in after] == [elsewhere(card) for card in before]
    assert len(after) == len(report.imported) > 0


def test_a_second_time_nothing_changes(base):
    import_files([CASES / "cards" / "many" / "in"], base)
    files = files_in(base / "notes")
    report = import_files([CASES / "cards" / "many" / "in"], base)
    assert {each.outcome for each in report.imported} == {"unchanged"}
    assert files_in(base / "notes") == files


def test_no_file_is_written_over_unless_asked(base):
    note = base / "notes" / "He2016CVPR.md"
    note.parent.mkdir()
    note.write_text("mine\n", encoding="utf-8")
    report = import_files([CASES / "cards" / "many" / "in"], base)
    assert [each.outcome for each in report.imported] == ["kept", "written"]
    assert note.read_text(encoding="utf-8") == "mine\n"
    report = import_files([CASES / "cards" / "many" / "in"], base, force=True)
    assert [each.outcome for each in report.imported] == ["overwritten", "unchanged"]
    assert "Deep Residual Learning" in note.read_text(encoding="utf-8")


def test_other_encodings_are_named_and_can_be_given(base, tmp_path):
    old = tmp_path / "old.md"
    old.write_bytes((CASES / "cards" / "many" / "in" / "notes.md").read_text(encoding="utf-8").encode("gbk"))
    report = import_files([old], base)
    assert [(found.code, "GBK" in found.hint) for found in report.problems] == [("K102", True)]
    report = import_files([old], base, encoding="gbk")
    assert [each.outcome for each in report.imported] == ["written", "written"]
    assert kb.parse(base / "notes" / "He2016CVPR.md")[0].citation.title.startswith("Deep Residual")


def test_two_cards_with_one_key_are_not_mixed_up(base, tmp_path):
    note = (CASES / "cards" / "one" / "in" / "mine.md").read_text(encoding="utf-8")
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(note, encoding="utf-8")
    report = import_files([tmp_path / "a.md", tmp_path / "b.md"], base)
    assert [each.outcome for each in report.imported] == ["written", "refused"]
    assert "K206" in [found.code for found in report.problems]


@pytest.mark.parametrize("key", ["../../evil2020CVPR", "a/b", "..", "x\u202ey2020CVPR"])
def test_a_key_that_is_no_file_name_writes_nothing(base, tmp_path, key):
    note = tmp_path / "note.md"
    note.write_text(f"# Evil: {key}\n\n> 架构\n\n## 问题\n\n一\n", encoding="utf-8")
    before = files_in(tmp_path.parent)
    report = import_files([note], base)
    assert [each.outcome for each in report.imported] == ["refused"]
    assert files_in(tmp_path.parent) == before


def test_images_outside_are_not_taken(base, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    note = tmp_path / "in" / "note.md"
    note.write_text("# A: Author2020CVPR\n\n> 架构\n\n## 问题\n\n![](../secret.png)\n", encoding="utf-8")
    report = import_files([note], base)
    assert [found.code for found in report.problems] == ["K305"]
    assert [path for path in files_in(base / "notes") if path.endswith(".png")] == []


def test_a_file_that_is_not_there(base, tmp_path):
    report = import_files([tmp_path / "gone.md"], base)
    assert [found.code for found in report.problems] == ["K101"]
    assert report.imported == ()


LINES = [
    "#### 面临问题：",
    "#### Method",
    "text [link] and [^a], $x$",
    "[link]: https://example.org",
    "[^a]: a note",
    "    that goes on",
    "---",
    "```",
    "- item",
    "",
    "| a | Params |\n|---|---|\n| b | 1 M |",
    "### Second: Other2021CVPR",
    "> 架构",
    "## Chapter",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=14), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_card_survives(tmp_path_factory, lines, end, last):
    folder = tmp_path_factory.mktemp("base")
    (folder / "mkdocs.yml").write_text("site_name: Papers\ntheme: {name: material, language: zh}\n", encoding="utf-8")
    note = folder / "in.md"
    text = "\n".join(["### First: Author2020CVPR", "", "> 架构", "", *lines]) + "\n" * last
    note.write_bytes(text.replace("\n", end).encode())
    report = import_files([note], folder)
    written = [each for each in report.imported if each.target]
    before = {card.citekey: elsewhere(card) for card in reversed(kb.parse(note))}
    after = {each.card.citekey: elsewhere(kb.parse(each.target)[0]) for each in written}
    assert after == before


# A line of a note; `@` stands for a word that no other line has.
OF_NOTES = [
    "# @ one two three",
    "## Problem",
    "## Why @",
    "### @ deeper",
    "# Method",
    "## Results",
    "## Results @",
    "Results @\n---------",
    "@\n===",
    "**Problem**",
    "**Method:** @ text",
    "**@** and more",
    "**会议**: @ 2025",
    "- Venue: @",
    "- @: value",
    "Year:: 2019",
    "arXiv: 1704.04861",
    "Title: @ {braces} *stars*",
    "> @ et al. A title of it, CVPR 2018",
    "> 架构",
    "> [!note] @\n> in a callout",
    "See [[@]] and [[other|@]] and [[#Problem|@]].",
    "![[@.png|300]] ![[@.pdf]] ![@|20](x.png)",
    "[@](gone.md) and [x](gone.md#@) and [@]",
    "[@]: https://example.org/@",
    "[^@]: a footnote",
    "%% @ %% and %%@",
    "@ ^block-id",
    "$@ ^a$ and `= this.@`",
    "$$\n@ ^b\n$$",
    "```dataview\n# @ [[x]] %%y%%\n```",
    "- @\n  - nested @",
    "| @ | Params |\n|---|---|\n| [[@\\|a]] | 1 M |",
    "<details> @ </details>",
    "---",
    "###### @",
    "",
    "",
]
PROPERTIES = [
    "title: @ two three",
    "authors: ['[[@]]', Some Body]",
    "year: @",
    "year: 2017",
    "type: @",
    "status: @",
    "url: [@, b]",
    "own_@: {a: @}",
    "tags: [@]",
    "citekey: Key@2017CVPR",
    "aliases: @",
]


def with_words(lines):
    """The lines as one text, each `@` a word of its own, and these words."""
    parts = "\n".join(lines).split("@")
    words = [f"q{chr(97 + number // 26 % 26)}{chr(97 + number % 26)}z" for number in range(len(parts) - 1)]
    return "".join(part + word for part, word in zip(parts, [*words, ""], strict=True)), words


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(PROPERTIES), max_size=4, unique_by=lambda line: line.partition(":")[0]),
    st.lists(st.sampled_from(OF_NOTES), max_size=16),
    st.booleans(),
)
def test_nothing_of_a_note_is_lost(tmp_path_factory, properties, lines, vault):
    folder = tmp_path_factory.mktemp("base")
    (folder / "mkdocs.yml").write_text("site_name: Papers\ntheme: {name: material, language: zh}\n", encoding="utf-8")
    front = ["---", *properties, "---"] if properties else []
    text, words = with_words([*front, *lines])
    (folder / "in").mkdir()
    (folder / "in" / "He2016CVPR.md").write_text(text, encoding="utf-8")
    if vault:
        (folder / "in" / ".obsidian").mkdir()
        (folder / "in" / ".obsidian" / "app.json").write_text("{}")
    report = import_files([folder / "in"], folder)
    written = "".join(path.read_text(encoding="utf-8") for path in (folder / "notes").glob("*.md"))
    said = format_report(report) + "".join(found.message for found in report.problems)
    assert report.imported or report.left_out
    if any(each.target for each in report.imported):
        assert [word for word in words if word not in written and word not in said] == []
        assert [card for each in report.imported for card in kb.parse(each.target)]
    assert {each.outcome for each in import_files([folder / "in"], folder).imported} <= {"unchanged"}


ENTRY_LINES = [
    "@article{@, title={@ {N}et \\& $x_1$}, author={@, B. and @ C and others}, year=2019, journal={@},",
    "@misc{@,",
    "  note = {@ 5% <b>@</b>},",
    '  abstract = "@ {\\"o}",',
    "  own = @,",
    "}",
    "title = {@",
    "@string{a = {@}}",
    "@comment{@}",
    "@",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(ENTRY_LINES), max_size=10), st.sampled_from([".bib", ".json"]))
def test_any_bibliography_is_read_or_refused_in_words(tmp_path_factory, lines, ending):
    folder = tmp_path_factory.mktemp("base")
    (folder / "mkdocs.yml").write_text("site_name: Papers\n", encoding="utf-8")
    library = folder / f"refs{ending}"
    library.write_text("\n".join(lines), encoding="utf-8")
    report = import_files([library], folder)
    assert all(kb.parse(each.target) for each in report.imported if each.target)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "{}",
        "[1, null, [], {}]",
        '{"items": [{"itemType": "book", "title": 5, "creators": {}, "tags": "x"}]}',
        "[" * 9999,
    ]
    + [
        '[{"type": "book", "title": "A", "author": "x", "issued": {"date-parts": [[]]}, "note": {"a": 1}}]',
        '{"items": {}}',
    ]
    + [
        '{"items": [{"itemType": "book", "title": "A\\nB: {x}", "citationKey": "../x", "notes": [{}], "attachments": [1]}]}'
    ],
)
def test_odd_json_is_no_bug(base, tmp_path, text):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    done = run_kb("-C", base, "import", tmp_path / "a.json")
    assert done.returncode in (0, 1), done.stderr
    assert all(kb.parse(path) for path in (base / "notes").glob("*.md"))
