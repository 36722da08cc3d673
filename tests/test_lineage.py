"""Papers that name each other: what is found in a text and what is not, what becomes a link, and who builds on whom."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from case_files import read_cases

import kb
from kb.base import Base, reread
from kb.check import check
from kb.pages import pages

CASES = Path(__file__).parent / "cases" / "lineage"
READER = "Reader2023x"
NOTE = """\
### Reader: {key}

> architecture
> Reader R. A Paper That Reads Others, X 2023
{head}
#### Problem

{text}

#### Method

None.

#### Experiments

None.
"""


@pytest.fixture
def root(tmp_path) -> Path:
    return Path(shutil.copytree(CASES / "base", tmp_path / "base"))


@pytest.fixture(scope="module")
def base() -> Base:
    return kb.load(CASES / "base")


@pytest.fixture(scope="module")
def staged(base) -> dict[str, str | bytes]:
    return pages(base)


def with_reader(root: Path, text: str, head: str = "") -> Base:
    """The base with one more card, of this text."""
    note = NOTE.format(key=READER, head=head, text=text)
    (root / "notes" / f"{READER}.md").write_text(note, encoding="utf-8")
    return kb.load(root)


def named(base: Base) -> list[tuple[str, bool]]:
    return [(each.target, each.has_card) for each in base.links if each.source == READER]


def links_made(base: Base) -> list[tuple[str, str]]:
    """The mentions that became links on the reader's page: the card that each leads to, and its text."""
    html = str(pages(base)[f"bodies/cards/{READER}/problem.html"])
    return re.findall(r'<a href="(\w+)\.html" class="kb-mention">([^<]*)</a>', html)


@pytest.mark.parametrize("case", read_cases(CASES / "mentions.md"), ids=str)
def test_what_a_text_names(case, root):
    """A false link misleads, a missing one hides what one wanted to find."""
    base = with_reader(root, case.source)
    expected = [line.partition(" ")[::2] for line in case.expected.strip().split("\n") if line]
    assert {*named(base)} == {(target.rstrip("?"), not target.endswith("?")) for target, _ in expected}
    assert sorted(links_made(base)) == sorted(pair for pair in expected if pair[1] != "-")


@pytest.mark.parametrize("case", read_cases(CASES / "sentences.md"), ids=str)
def test_the_sentence_that_names_a_paper(case, root):
    """Without its sentence a mention says nothing; with half of it, something else."""
    base = with_reader(root, case.source)
    assert [each.sentence for each in base.links if each.source == READER] == [case.expected.strip()]


def test_a_reference_says_where_it_stands(base):
    """Whoever exports links, or writes a query over them, needs place and kind."""
    found = next(each for each in base.links if each.source == "Sandler2018CVPR" and each.lang == "en")
    assert (found.target, found.kind, found.section, found.line) == ("Howard2017arxiv", "wiki", "problem", 9)
    assert found.sentence == (
        "It goes on from MobileNetV1, which costs D_K × D_K per output (cf. Fig. 3 of MobileNetV1)."
    )


def test_names_can_stay_text(root):
    """An author who means the common word must be able to say so, once for a card."""
    assert links_made(with_reader(root, "Adam and VGG.", "> no links: Adam\n")) == [("Simonyan2015ICLR", "VGG")]
    assert links_made(with_reader(root, "Adam and VGG.", "> 不链接: 全部\n")) == []


def test_a_card_never_links_to_itself(staged):
    body = str(staged["bodies/cards/Simonyan2015ICLR/problem.html"])
    assert "Simonyan2015ICLR" not in body
    assert 'href="Kingma2015ICLR.html"' in body


def test_links_stay_in_the_language_of_the_card(staged):
    """Who reads in Chinese goes on in Chinese where that is possible."""
    assert 'href="Sandler2018CVPR.html"' in str(staged["bodies/zh/cards/Howard2017arxiv/method.html"])
    assert 'href="../../cards/Simonyan2015ICLR.html"' in str(staged["bodies/zh/cards/Howard2017arxiv/experiments.html"])
    assert 'href="Howard2017arxiv.html"' in str(staged["bodies/zh/cards/Sandler2018CVPR/problem.html"])


def relations(staged) -> set[tuple[str, str]]:
    return {(each["source"], each["target"]) for each in json.loads(str(staged["pages/links.json"]))["builds_on"]}


def test_what_builds_on_what(staged):
    """Earlier papers named outside the experiments; what a card says itself goes before; of one year, not both ways."""
    assert relations(staged) == {
        ("Sandler2018CVPR", "He2016CVPR"),  # its Chinese card says so, and names nothing else
        ("He2016CVPR", "Simonyan2015ICLR"),
        ("Simonyan2015ICLR", "Kingma2015ICLR"),
    }


def test_a_card_without_a_word_of_its_own_builds_on_what_it_names(root):
    note = root / "notes" / "Sandler2018CVPR.zh.md"
    note.write_text(note.read_text("utf-8").replace("> 基于: ResNet\n", ""), encoding="utf-8")
    assert {to for of, to in relations(pages(kb.load(root))) if of == "Sandler2018CVPR"} == {
        "Howard2017arxiv",
        "He2016CVPR",
    }


def test_a_card_shows_its_relations_with_sentences_that_lead_to_their_sections(staged):
    page = str(staged["pages/cards/Howard2017arxiv.md"])
    assert '<a href="Sandler2018CVPR.html#problem">It goes on from MobileNetV1, which costs D_K × D_K' in page
    assert '<a href="Zhang2018CVPR.html#problem">Groups, unlike MobileNetV1.</a>' in page
    chinese = str(staged["pages/zh/cards/Howard2017arxiv.md"])
    assert '<a href="Sandler2018CVPR.html#problem">在MobileNetV1的基础上改进。</a>' in chinese
    assert "It goes on from" not in chinese


def test_nothing_kept_from_the_site_is_told(staged):
    for path, text in staged.items():
        if not path.startswith("cards/"):
            assert b"Secret" not in (text if isinstance(text, bytes) else text.encode()), path


def test_papers_without_a_card_are_listed_to_be_read(staged):
    """What one meant to read is found again: with who names it, what the bibliography knows, and how to begin."""
    page = str(staged["pages/to-read.md"])
    listed = re.findall(r'<div id="([^"]+)">\n<dt>(?:<a[^>]*>)?([^<]+?) ?<', page)
    assert listed == [
        ("paper-vaswani2017nips", "Vaswani2017NIPS"),
        ("paper-a-paper-of-which-only-the-title-is-known", "A Paper of Which Only the Title Is Known"),
        ("paper-arxiv-1610-02357", "arXiv:1610.02357"),
    ]
    assert "Vaswani, Shazeer, Parmar et al. Attention Is All You Need" in page  # one paper, by key and by number
    assert "see also Vaswani2017NIPS." in page
    assert "Attention (arXiv:1706.03762v5) is another matter." in page
    assert "<code>kb new --from arXiv:1610.02357</code>" in page


def test_a_link_to_a_paper_without_a_card_leads_to_the_list(staged, base):
    body = str(staged["bodies/cards/Sandler2018CVPR/method.html"])
    assert 'href="../to-read.html#paper-vaswani2017nips"' in body
    told = [(found.code, found.severity) for found in check(base) if found.code != "K212"]
    assert told == [("K303", "note")], "a paper to be read is no mistake"


def test_a_key_like_another_is_a_slip_unless_it_is_listed(root):
    def told(base: Base) -> list[str]:
        return [found.severity for found in check(base) if found.code == "K303" and READER in found.place.path]

    assert told(with_reader(root, "See [[He2015CVPR]].")) == ["error"]
    assert told(with_reader(root, "See [[He2015CVPR]].", "> to read: He2015CVPR\n")) == ["note"]


def test_the_drawing_has_every_paper_and_line_once_for_each_width(staged):
    drawing = str(staged["bodies/lineage/chart.html"])
    wide, narrow = re.findall(r"<svg.*?</svg>", drawing, re.DOTALL)
    for svg in (wide, narrow):
        assert len(re.findall(r'<a xlink:href="cards/\w+\.html"', svg)) == 8
        assert svg.count('class="kb-chart__edge"') == 3
    years = [int(year) for year in re.findall(r'class="kb-chart__year"[^>]*>(\d+)', wide)]
    assert years == sorted(years, reverse=True)


def test_very_many_papers_are_drawn_in_part_and_counted(root):
    """At a thousand cards a drawing of all would be black, and a page of all too heavy."""
    for number in range(1000):
        name = f"Net{number}x"
        text = f"It follows Net{number // 2}x." if number % 3 == 0 else "Nothing."
        note = NOTE.format(key=f"Author{1990 + number // 30}V{number}", head="", text=text)
        note = note.replace("### Reader", f"### {name}").replace("X 2023", f"X {1990 + number // 30}")
        (root / "notes" / f"n{number}.md").write_text(note, encoding="utf-8")
    staged = pages(kb.load(root))
    drawing = str(staged["bodies/lineage/chart.html"])
    assert len(drawing) < 250_000
    assert 100 <= drawing.count("<rect") / 2 <= 120
    assert re.search(r'xlink:href="by/year.html#\d+"><text[^>]*>\+\d+<', drawing)
    assert str(staged["pages/lineage.md"]).count('<th scope="row">') == 300


def test_an_edit_that_changes_no_name_reads_no_other_card_again(root):
    """Who edits a card waits for that card alone."""
    before = kb.load(root)
    other = next(each for each in before.links if each.source == "He2016CVPR")
    note = root / "notes" / "Zhang2018CVPR.md"
    note.write_text(note.read_text("utf-8").replace("Shuffle.", "Shuffle, as in R-CNN."), encoding="utf-8")
    after = reread(before, ["notes/Zhang2018CVPR.md"])
    assert next(each for each in after.links if each.source == "He2016CVPR") is other
    assert "Girshick2014CVPR" in {each.target for each in after.links if each.source == "Zhang2018CVPR"}


def test_a_new_name_is_found_in_the_other_cards(root):
    before = kb.load(root)
    note = root / "notes" / "Girshick2014CVPR.md"
    note.write_text(note.read_text("utf-8").replace("R-CNN:", "Groups:"), encoding="utf-8")
    after = reread(before, ["notes/Girshick2014CVPR.md"])
    assert "Girshick2014CVPR" not in {each.target for each in before.links}
    assert "Girshick2014CVPR" in {each.target for each in after.links if each.source == "Zhang2018CVPR"}
