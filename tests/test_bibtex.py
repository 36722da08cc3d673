"""BibTeX and CSL-JSON made of cards: what is written is read back as it was, by the readers that imports use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kb
from kb.bibliography import read
from kb.bibliography.fields import plain
from kb.bibliography.writing import bibtex, csl_item, name_parts, plain_citation
from kb.records import Card, Citation

MARKS = " {}%&_#$\\~^\"'`-<>?!,.:@=()[]|/*+"
LETTERS = "abcXYZéüßñøşčŁ中文字あ“”–—…αβ1²"
TEXTS = (
    st.text(alphabet=st.sampled_from(MARKS + LETTERS) | st.characters(exclude_categories=["C"]), max_size=40)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: text and plain(text) == text)  # tags in titles are markup, which readers leave out
)


CARD = kb.load(Path(__file__).parent.parent).card("Sandler2018CVPR")


def entry_of(card: Card):
    library = read(bibtex(card), "made.bib")
    assert not library.problems
    (entry,) = library.entries
    return entry


def with_citation(**parts: object) -> Card:
    return replace(CARD, citation=replace(Citation("", ("A. B",), False, "Title", "CVPR", 2020), **parts))


@settings(max_examples=300)
@given(TEXTS)
@example(r"100% of \foo_1 & {unbalanced #2 }}} $5 --- ``x'' ~^ \"")
@example("$\\alpha$-GAN for $N$ classes, at $5 and $6")
@example("a backslash \\")
def test_any_title_is_read_back(title):
    assert entry_of(with_citation(title=title)).title == title


@settings(max_examples=300)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.booleans())
@example(
    ["van der Maaten L.", "Smith, Jr., John", "{R&D and Co}", "others", "周飞燕", "Jean-Pierre de la Fuente"], True
)
def test_any_names_are_read_back(names, et_al):
    entry = entry_of(with_citation(authors=tuple(names), et_al=et_al))
    parts = [name_parts(name) for name in names]
    assert [(each.family, each.given) for each in entry.authors] == [
        (part.surname, f"{part.given} {part.suffix}".strip()) for part in parts
    ]
    assert entry.et_al == et_al


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Howard A.", "Howard, A."),
        ("Kaiming He", "He, Kaiming"),
        ("van der Maaten L.", "van der Maaten, L."),
        ("Laurens van der Maaten", "van der Maaten, Laurens"),
        ("Smith, Jr., John", "Smith, Jr., John"),
        ("John Smith Jr.", "Smith, Jr., John"),
        ("Smith, J., Jr.", "Smith, Jr., J."),
        ("Google Brain Team", "{Google Brain Team}"),
        ("{Facebook and Friends}", "{Facebook and Friends}"),
        ("OpenAI", "OpenAI"),
        ("周飞燕", "周飞燕"),
        ("d'Alembert J.", "d'Alembert, J."),
    ],
)
def test_names_as_bibtex_sorts_them(name, written):
    assert f"author = {{{written}}}" in bibtex(with_citation(authors=(name,)))


@pytest.mark.parametrize(
    ("venue", "links", "beginning", "lines"),
    [
        ("CVPR", {}, "@inproceedings{", ["booktitle = {CVPR}"]),
        (
            "IEEE Transactions on Image Processing",
            {},
            "@article{",
            ["journal = {IEEE Transactions on Image Processing}"],
        ),
        ("计算机学报", {}, "@article{", ["journal = {计算机学报}"]),
        ("arXiv", {"arxiv": "1704.04861v2"}, "@misc{", ["eprint = {1704.04861}", "archiveprefix = {arXiv}"]),
        ("bioRxiv", {"doi": "10.1101/2020.01_x"}, "@misc{", ["howpublished = {bioRxiv}", "doi = {10.1101/2020.01_x}"]),
        ("CVPR", {"arxiv": "cs.CV/0112017"}, "@inproceedings{", ["eprint = {cs.CV/0112017}"]),
    ],
)
def test_the_venue_makes_the_type_of_the_entry(venue, links, beginning, lines):
    written = bibtex(replace(with_citation(venue=venue), links=links))
    assert written.startswith(beginning)
    for line in lines:
        assert f"  {line},\n" in written


def test_what_is_no_address_stays_out():
    hostile = {"doi": 'javascript:"x"', "arxiv": "1234.5678</script>", "url": "javascript:1"}
    written = bibtex(replace(with_citation(), links=hostile))
    assert not any(word in written for word in ("doi", "eprint", "url"))
    assert "URL" not in csl_item(replace(with_citation(), links=hostile))


def test_a_key_that_bibtex_cannot_read_is_made_one_that_it_can():
    assert bibtex(replace(CARD, citekey="Mu,ller{2020} x")).startswith("@inproceedings{Mu-ller-2020-x,\n")


def test_every_card_is_read_back_from_both_forms(root):
    for card in kb.load(root).cards:
        (item,) = read(json.dumps([csl_item(card)]), "made.json").entries
        for made in (entry_of(card), item):
            cited = card.citation
            assert (made.key, made.title, made.year) == (card.citekey, cited.title, cited.year)
            assert made.venue.casefold() == cited.venue.casefold()
            assert made.arxiv == card.links.get("arxiv", "")
            assert made.doi == card.links.get("doi", "")
            assert [each.family for each in made.authors] == [name_parts(name).surname for name in cited.authors]


def test_a_plain_citation_ends_in_the_best_address():
    links = {"arxiv": "1801.04381", "doi": "10.1109/CVPR.2018.00474"}
    card = replace(CARD, links=links)
    assert plain_citation(card) == f"{CARD.citation.text}. https://doi.org/10.1109/CVPR.2018.00474"
    assert plain_citation(replace(CARD, links={})) == CARD.citation.text
    made = plain_citation(with_citation(et_al=True))
    assert made.startswith("A. B, et al. Title, CVPR 2020. https://")
