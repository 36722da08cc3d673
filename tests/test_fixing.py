"""Notes are mended as far as they say the same afterwards, and a second time there is nothing to mend.

In `cases/fix` a case is a note before and after `kb fix`; they are mended together, by the command. That nothing is
said otherwise is looked into here by other means than the command's own.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from case_files import read_cases
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb.bodies import BodyContext, render
from kb.fixing import coloured_diff, diff, fix
from kb.mendings import MENDINGS
from kb.notes import parse_note
from kb.schema import default_schema
from kb.serialise import card_data
from kb.settings import Settings

CASES = Path(__file__).parent / "cases" / "fix"
FILES = sorted(CASES.glob("*.md"))
SCHEMA = default_schema()
SETTINGS = Settings(Path(), language="zh")
UNTIDY = "###ResNet_He2016CVPR\n>架构类文章\n\n####面临问题\n一 \n"
TIDY = "### ResNet: He2016CVPR\n> 架构类文章\n\n#### 面临问题：\n一\n"


@pytest.fixture
def base(tmp_path):
    """A knowledge base in Chinese, without a note."""
    (tmp_path / "mkdocs.yml").write_text("site_name: P\ntheme: {name: material, language: zh}\n", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    return tmp_path


def write(base, name, text):
    path = base / "notes" / name
    path.write_bytes(text.encode("utf-8"))
    return path


def read(path):
    return path.read_bytes().decode("utf-8")


# ------------------------------------------------------------------------------------------------------ the command


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_cases(file, base, kb):
    cases = read_cases(file)
    paths = [write(base, f"{number:02}.md", f"{case.source}\n") for number, case in enumerate(cases)]
    done = kb("fix", cwd=base)
    assert done.returncode == 0, done.stderr
    mended = [(case.title, read(path)) for case, path in zip(cases, paths, strict=True)]
    assert mended == [(case.title, f"{case.expected.rstrip()}\n") for case in cases]
    again = kb("fix", cwd=base)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_every_kind_of_mending_has_a_case(base, kb):
    for file in FILES:
        for number, case in enumerate(read_cases(file)):
            write(base, f"{file.stem}-{number}.md", f"{case.source}\n")
    told = kb("fix", "--dry-run", cwd=base).stderr
    assert [kind.name for kind in MENDINGS if f"{kind.name} (" not in told] == []


def test_help_explains_every_kind(kb):
    said = kb("fix", "--help").stdout
    assert [kind.name for kind in MENDINGS if f"\n  {kind.name} " not in said] == []


def test_the_diff_is_shown_and_the_note_is_mended(base, kb):
    path = write(base, "a.md", UNTIDY)
    done = kb("fix", cwd=base)
    assert done.returncode == 0
    assert done.stdout == (CASES / "diff.txt").read_text(encoding="utf-8")
    assert done.stderr == (
        "notes/a.md: heading marks (2), card heading (1), section heading (1), blockquote (1), spaces at ends (1)\n"
    )
    assert read(path) == TIDY


def test_a_dry_run_shows_the_same_and_writes_nothing(base, kb):
    path = write(base, "a.md", UNTIDY)
    done = kb("fix", "--dry-run", cwd=base)
    assert (done.returncode, read(path)) == (1, UNTIDY)
    assert done.stdout == (CASES / "diff.txt").read_text(encoding="utf-8")
    assert kb("fix", cwd=base).stdout == done.stdout
    assert kb("fix", "--dry-run", cwd=base).returncode == 0


def test_in_a_terminal_a_diff_is_coloured_and_nothing_in_a_note_steers_it():
    shown = coloured_diff(diff("a\n\x1b[31mb\n", "c\n\x1b[31mb\n", "a.md"))
    assert shown == (
        "\x1b[1m--- a/a.md\x1b[0m\n\x1b[1m+++ b/a.md\x1b[0m\n\x1b[36m@@ -1,2 +1,2 @@\x1b[0m\n"
        "\x1b[31m-a\x1b[0m\n\x1b[32m+c\x1b[0m\n \\u001b[31mb\n"
    )


def test_a_note_without_an_end_of_line_gets_one(base, kb):
    write(base, "a.md", TIDY.rstrip())
    assert kb("fix", cwd=base).stdout.endswith("-一\n\\ No newline at end of file\n+一\n")


def test_only_the_notes_that_are_named_are_mended(base, kb, tmp_path):
    first, second = write(base, "a.md", UNTIDY), write(base, "b.md", UNTIDY)
    outside = tmp_path / "outside.md"
    outside.write_text(UNTIDY, encoding="utf-8")
    assert kb("fix", "notes/b.md", outside, cwd=base).returncode == 0
    assert (read(first), read(second), read(outside)) == (UNTIDY, TIDY, TIDY)


def test_line_ends_and_byte_order_mark_stay(base, kb):
    windows = write(base, "a.md", "\ufeff" + UNTIDY.replace("\n", "\r\n"))
    mixed = write(base, "b.md", UNTIDY.replace("\n", "\r\n", 1) + "二\r三\n")
    kb("fix", cwd=base)
    assert read(windows) == "\ufeff" + TIDY.replace("\n", "\r\n")
    assert read(mixed) == TIDY + "二\r三\n"


def test_what_is_no_text_is_told_and_the_rest_is_mended(base, kb):
    path = write(base, "b.md", UNTIDY)
    (base / "notes" / "a.md").write_bytes("### 深度".encode("gbk"))
    done = kb("fix", cwd=base)
    assert done.returncode == 1
    assert "notes/a.md:1:5: K102" in done.stderr
    assert read(path) == TIDY


def test_what_would_change_the_meaning_is_left_and_told(base, kb):
    """A heading of two marks would end the card, and its other sections would be in none."""
    text = TIDY + "\n##解决方法\n\n二\n\n#### 实验：\n\n三\n"
    path = write(base, "a.md", text)
    done = kb("fix", cwd=base)
    assert (done.returncode, done.stdout, read(path)) == (0, "", text)
    assert done.stderr == "notes/a.md:7: heading marks: left, as it would change what is said\n"


def test_the_notes_of_the_repository_are_in_order(root, kb):
    done = kb("fix", "--dry-run", cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---------------------------------------------------------------------------------- whatever the note, it says the same


def html(markdown, card):
    context = BodyContext(1, card.definitions, "", lambda link: f"/{link.kind}/{link.target}")
    return render(markdown, context)


def said(text):
    """What the cards of a note say: all their data but lines and spelling of headings, Markdown as HTML."""
    return [told(card) for card in parse_note(text, "notes/a.md", SCHEMA, SETTINGS).cards]


def told(card):
    data = card_data(card)
    for name in ("equations", "models", "results", "claims"):
        data[name] = [{key: value for key, value in each.items() if key != "line"} for each in data[name]]
    bodies = [(each.id, html(each.markdown, card)) for each in card.sections]
    return {**data, "source": None, "intro": html(card.intro, card), "sections": bodies}


def mended(text):
    return fix(text, "notes/a.md", SCHEMA, SETTINGS).after


PIECES = [
    "### ResNet_He2016CVPR",
    "###  A : Author2020CVPR ##",
    "### **B**：Author2021CVPR",
    ">架构类文章",
    ">   He K., et al. Deep Residual Learning for Image Recognition, CVPR 2016  ",
    "> 标签：a，b、c;d",
    "> **arXiv** ：1512.03385",
    "lazy",
    "#### 面临问题 ",
    "####   **Method** :",
    "#### 实验: ###",
    "##### deeper",
    "[toc]",
    "[TOC]: x.md",
    "",
    "",
    "   ",
    "text  ",
    "text with [[Author2020CVPR]] and $x$ ",
    "-   item",
    "    * nested",
    "\t- tab",
    "       deep",
    "1)  one",
    " 2. two",
    "-     code in an item",
    "    ```",
    "```  ",
    "  $$",
    "    indented  ",
    "|Model|Params|",
    "|:-|-:|",
    "| 残差 `a|b` | 4.2 M",
    "  | a\\|b|1|2|3|",
    "- | a | b |",
    "> - quoted",
    "> [!NOTE]  ",
    "---",
    "***",
    "===",
    "<div>  ",
    "<!-- comment",
    "[^a]:   note",
    "    that goes on",
    "text[^a]\\",
    "### {NAME}_{author}{year}{venue}",
    "* * *",
    "+",
    "- [ ]  task",
]
ENDS = st.sampled_from(["\n", "\n", "\n", "\n\n", "\r\n"])


@settings(max_examples=2000)
@given(st.lists(st.tuples(st.sampled_from(PIECES), ENDS), max_size=24), st.booleans())
def test_any_note_says_the_same_and_is_mended_at_once(pieces, headed):
    head = "### ResNet: He2016CVPR\n\n> 架构\n\n" * headed
    text = head + "".join(piece + end for piece, end in pieces)
    after = mended(text)
    assert said(after) == said(text)
    assert mended(after) == after


@settings(max_examples=500)
@given(st.text(alphabet=" \t\n-*+1.)#>|:`$\\[]<!&~=ab中，：", max_size=60))
def test_any_body_says_the_same_and_is_mended_at_once(body):
    text = f"### ResNet: He2016CVPR\n\n> 架构\n\n#### 面临问题：\n\n{body}"
    after = mended(text)
    assert said(after) == said(text)
    assert mended(after) == after


NO_HEADINGS = [
    "###DeepLab_Chen2018TPAMI",
    "####面临问题",
    "＃＃＃＃ 方法：",
    "##Results",
    "#方法",
    "＃＃＃ B：Author2021CVPR",
]
FRONT = st.sampled_from(
    ["", "---\n标签：a，b\nyear: ２０１８\n---\n", "---\naliases: [甲，乙]\ntitle: ：\n---\n", "---\ntags: ＃a\n---\n"]
)


def words(text):
    """All characters of a text that say something, but for `[toc]`."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text.replace("[toc]", "")))


def in_order(wanted, found):
    rest = iter(found)
    return all(any(each == other for other in rest) for each in wanted)


@settings(max_examples=500)
@given(FRONT, st.lists(st.tuples(st.sampled_from([*NO_HEADINGS * 3, *PIECES[:24]]), ENDS), max_size=16))
@example("", [("### A: Li2020CVPR", "\n"), ("> 标签：a", "\n"), ("＃＃＃ B：Li2021CVPR", "\n"), ("#### 实验:", "\n")])
def test_where_more_is_read_than_before_nothing_is_lost(front, pieces):
    text = front + "".join(piece + end for piece, end in pieces)
    after = mended(text)
    assert in_order([card["citekey"] for card in said(text)], [card["citekey"] for card in said(after)])
    assert in_order(sections(text), sections(after))
    assert words(after) == words(text)
    assert mended(after) == after


def sections(text):
    return [section for card in said(text) for section, _ in card["sections"]]


# ----------------------------------------------------------------- a tidy card made untidy is the tidy card again

WORDS = st.sampled_from(["残差", "ResNet", "参数量", "`a|b`", "$x_1$", "[[Foo2020CVPR]]", "**强**", "25.6 M", "a\\|b"])
TEXTS = st.lists(WORDS, min_size=1, max_size=2).map(" ".join)
ITEMS = st.recursive(
    st.tuples(TEXTS, st.just([])), lambda below: st.tuples(TEXTS, st.lists(below, max_size=2)), max_leaves=5
)
CELLS = TEXTS.map(lambda text: text if "`" in text or "\\" in text else text.replace("|", "\\|"))
TABLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=2, max_size=3)
)
BLOCKS = st.one_of(
    TEXTS.map(lambda text: ("text", text)),
    st.lists(ITEMS, min_size=1, max_size=2).map(lambda items: ("list", items)),
    TABLES.map(lambda rows: ("table", rows)),
)
TAGS = st.lists(st.sampled_from(["检测", "轻量级网络", "CNN"]), min_size=1, unique=True)
CARDS = st.fixed_dictionaries(
    {"tags": TAGS, "sections": st.lists(st.lists(BLOCKS, max_size=3), min_size=3, max_size=3)}
)
SECTIONS = ("面临问题：", "解决方法：", "实验：")


class Tidy:
    """Writes a card as it ought to be; the methods are the places where another hand may be untidy."""

    def choose(self, *forms):
        return forms[0]

    def card(self, card):
        key = self.choose("He2016CVPR", "He2016\u200bCVPR", "Ｈｅ２０１６ＣＶＰＲ")
        mark = self.choose("### ", "###", "＃＃＃ ", "###   ")
        lines = [mark + "ResNet" + self.choose(": ", "_", "：", " : ", ":") + key + self.choose("", " ###", " "), ""]
        lines += [self.quoted("架构类文章"), self.quoted(f"He K., et al. Deep Residual Learning, CVPR {self.year()}")]
        lines += [self.quoted(f"标签{self.colon()}" + self.choose(", ", "，", "、", ",", "；").join(card["tags"]))]
        lines += [
            self.quoted(f"arXiv{self.colon()}" + self.choose("1512.03385", "１５１２.０３３８５", "1512.０３３８５")),
            "",
        ]
        for name, blocks in zip(SECTIONS, card["sections"], strict=True):
            lines += [self.section(name), ""]
            for block in blocks:
                lines += [*getattr(self, block[0])(block[1]), ""]
        return "\n".join(lines).rstrip() + self.choose("\n", "", "\n\n\n")

    def year(self):
        return self.choose("2016", "２０１６")

    def colon(self):
        return self.choose(": ", "：", "： ", ":", " ： ")

    def quoted(self, text):
        return self.choose("> ", ">", ">   ") + text + self.choose("", " ", "  ")

    def section(self, name):
        bare = name.rstrip("：")
        text = self.choose(name, bare, f"{bare}:", f"**{name}**", f"{bare} ：", f"{name} ####")
        return self.choose("#### ", "####", "＃＃＃＃ ", "####   ") + text

    def text(self, text):
        return [text + self.choose("", " ", "   ")]

    def list(self, items, indent="", depth=0):
        """The items' lines; an untidy hand indents more than an item's text, or leaves more room behind its mark."""
        lines = []
        for text, below in items:
            gap = self.choose(" ", "  ", "   ")
            lines.append(f"{indent}-{gap}{text}" + self.choose("", " "))
            lines += self.list(below, indent + " " * (1 + len(gap)) + self.choose("", " ", "  "), depth + 1)
        return lines

    def table(self, rows):
        widths = [max(3, *(wide(row[column]) for row in rows)) for column in range(len(rows[0]))]
        padded = [[cell + " " * (width - wide(cell)) for cell, width in zip(row, widths, strict=True)] for row in rows]
        padded.insert(1, ["-" * width for width in widths])
        aligned = [f"| {' | '.join(row)} |" for row in padded]
        bare = [f"|{'|'.join(row)}|" for row in rows]
        return self.choose(aligned, [bare[0], "|" + "-|" * len(widths), *bare[1:]])


def wide(text):
    return sum(2 if re.match(r"[\u3400-\u9fff]", letter) else 1 for letter in text)


class Untidy(Tidy):
    """Writes the same card in another of its forms, wherever there are several."""

    def __init__(self, draw):
        self.draw = draw

    def choose(self, *forms):
        return forms[self.draw(st.integers(0, len(forms) - 1))]


@settings(max_examples=250)
@given(CARDS, st.data())
def test_a_tidy_card_written_untidily_is_mended_to_itself(card, data):
    tidy, untidy = Tidy().card(card), Untidy(data.draw).card(card)
    assert mended(tidy) == tidy
    assert mended(untidy) == tidy
