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
from kb.importing import Order, import_files, run

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
    return replace(card, path="", status="", results=(), prose=(), **lines, **moved)


PARTS = ("sections", "equations", "models", "claims", "references")


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
    if any(each.target for each in report.imported) and "in no card" not in said:  # which names the first line alone
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


ODD = (CASES.parent / "import-odd" / "items.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", [*ODD, "[" * 9999])
def test_odd_json_is_no_bug(base, tmp_path, text):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    done = run_kb("-C", base, "import", tmp_path / "a.json")
    assert done.returncode in (0, 1), done.stderr
    assert all(kb.parse(path) for path in (base / "notes").glob("*.md"))


MAPPINGS = CASES.parent / "import-mapping"


def test_every_mistake_in_a_mapping_is_named_at_its_place(base, tmp_path):
    shutil.copy(MAPPINGS / "mistakes.yml", tmp_path / "mapping.yml")
    done = run_kb("-C", base, "import", CASES / "notes" / "reviews" / "in", "--mapping", "mapping.yml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, (MAPPINGS / "mistakes.txt").read_text(encoding="utf-8"))
    assert not (base / "notes").exists()


def test_a_mapping_is_proposed_shown_kept_and_used(base, tmp_path):
    notes = CASES / "notes" / "reviews" / "in"
    shutil.copytree(notes, tmp_path / "reviews")
    propose = ("-C", base, "import", "reviews", "--propose", "mapping.yml")
    shown = run_kb(*propose, "--dry-run", cwd=tmp_path)
    assert shown.stdout == (MAPPINGS / "proposed.yml").read_text(encoding="utf-8")
    assert not (tmp_path / "mapping.yml").exists()
    assert run_kb(*propose, cwd=tmp_path).stdout == "mapping.yml: proposed after reading 4 notes\n"
    assert (tmp_path / "mapping.yml").read_text(encoding="utf-8") == shown.stdout
    (tmp_path / "mapping.yml").write_text(shown.stdout.replace("TL;DR: keep", "TL;DR: method"), encoding="utf-8")
    refused = run_kb(*propose, cwd=tmp_path)
    assert (refused.returncode, "--overwrite" in refused.stderr) == (1, True)
    done = run_kb("-C", base, "import", "reviews", "--mapping", "mapping.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    card = kb.parse(base / "notes" / "Sandler2018CVPR.md")[0]
    assert [section.id for section in card.sections] == ["method", "problem", "experiments", ""]
    assert "### What they did" in card.sections[0].markdown


def test_a_folder_in_another_encoding_is_named_and_can_be_given(base, tmp_path):
    note = "# 残差网络\n\n- 会议: CVPR 2016\n\n## 面临问题\n\n网络越深越难训练。\n\n## 解决方法\n\n捷径。\n"
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.md").write_bytes(note.encode("gbk"))
    refused = run_kb("-C", base, "import", tmp_path / "old")
    assert refused.returncode == 1
    assert "old/a.md:1:3: K102" in refused.stderr
    assert "GBK" in refused.stderr
    assert "--encoding" in refused.stderr
    done = run_kb("-C", base, "import", tmp_path / "old", "--encoding", "gbk")
    assert done.returncode == 0, done.stderr
    assert "越深越难" in "".join(path.read_text(encoding="utf-8") for path in (base / "notes").glob("*.md"))


def test_a_card_that_is_there_under_another_file_name_is_not_doubled(base):
    (base / "notes").mkdir()
    mine = "### My ResNet: He2016CVPR\n\n> 架构\n"
    (base / "notes" / "resnet.md").write_text(mine, encoding="utf-8")
    report = import_files([CASES / "cards" / "many" / "in"], base)
    assert [(each.card.citekey, each.outcome) for each in report.imported][:1] == [("He2016CVPR", "kept")]
    assert sorted(path.name for path in (base / "notes").glob("*.md")) == ["Huang2017CVPR.md", "resnet.md"]


def test_all_that_is_brought_along_builds(starter):
    """Every case together, a folder for each, in a new knowledge base: checked and built without a change."""
    for source in ("obsidian/literature", "zotero/library", "notes/reviews", "cards/untidy", "cards/bold"):
        case = CASES / source
        options = case / "arguments.txt"
        arguments = options.read_text(encoding="utf-8").split() if options.exists() else ["in"]
        done = run_kb("-C", starter, "import", *arguments, cwd=case)
        assert "Traceback" not in done.stderr
    checked = run_kb("check", cwd=starter)
    assert checked.returncode == 0, checked.stdout
    built = run_kb("build", "--locked", cwd=starter)
    assert built.returncode == 0, built.stderr
    page = (starter / "site" / "cards" / "Tan2019ICML.html").read_text(encoding="utf-8")
    assert 'href="Sandler2018CVPR.html"' in page
    assert "Compound coefficient" in page


def test_five_thousand_notes(base, tmp_path):
    """One run takes them all, and links every note to the next."""
    vault = tmp_path / "vault"
    (vault / ".obsidian").mkdir(parents=True)
    (vault / ".obsidian" / "app.json").write_text("{}")
    count = 5000
    for number in range(count):
        text = f"---\ncitekey: Author{1900 + number // 50}v{number}\n---\n## Problem\n\n[[n{(number + 1) % count}]]\n"
        (vault / f"n{number}.md").write_text(text, encoding="utf-8")
    report = import_files([vault], base)
    assert len([each for each in report.imported if each.outcome == "written"]) == count
    assert "[[Author1900v1|n1]]" in (base / "notes" / "Author1900v0.md").read_text(encoding="utf-8")


def test_a_terminal_shows_how_far_it_is(base):
    """The line of progress is for terminals, and is gone when the report comes."""
    said = []
    case = CASES / "obsidian" / "literature" / "in"
    run([case], base, Order(say=said.append))
    assert said[0].startswith("reading 0 of 6: ")
    assert said[-1] == ""
    assert "\033" not in run_kb("-C", base, "import", case).stderr
