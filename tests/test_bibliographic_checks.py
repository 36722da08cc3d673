"""Cards against a bibliography, and against each other: the paper that is not listed, the paper that has two cards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

BASE = Path(__file__).parent / "cases" / "check" / "base"
LISTED = """\
@inproceedings{he:residual,
  title = {Deep Residual Learning for Image Recognition},
  author = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian},
  booktitle = {CVPR},
  year = {2016}
}

@inproceedings{Sandler2018CVPR,
  title = {{MobileNetV2}: Inverted Residuals and Linear Bottlenecks},
  author = {Sandler, Mark and others},
  booktitle = {CVPR},
  year = {2018},
  eprint = {1801.04381},
  archiveprefix = {arXiv}
}
"""
CARD = """\
### {name}

> architecture
> {citation}
{more}
#### Problem

One of {name}.

#### Method

Two of {name}.

#### Experiments

Three of {name}.
"""


@pytest.fixture
def base(tmp_path):
    """A small knowledge base of one card, on the residual network."""
    return Path(shutil.copytree(BASE, tmp_path / "base"))


@pytest.fixture
def checked(base, kb):
    """What `kb check` prints of the base, with another card in it."""

    def run(name="", citation="", more=""):
        if name:
            text = CARD.format(name=name, citation=citation, more=more)
            (base / "notes" / "other.md").write_text(text, encoding="utf-8")
        return kb("check", cwd=base).stdout

    return run


def test_nothing_is_listed_where_there_is_no_bibliography(checked):
    assert checked("Other: Author2020CVPR", "Author A., et al. Some Other Paper, CVPR 2020") == ""


@pytest.mark.parametrize(
    ("name", "citation", "more"),
    [
        ("By its key: Sandler2018CVPR", "Sandler M., et al. Inverted Bottlenecks, CVPR 2018", ""),
        (
            "By its old key: Sandler2018arxiv",
            "Sandler M., et al. Bottlenecks, arxiv 2018",
            "> aliases: sandler2018cvpr\n",
        ),
        ("By its number: Sandler2018arxiv", "Sandler M., et al. Bottlenecks, arxiv 2018", "> arXiv: 1801.04381v2\n"),
        (
            "By its title: Sandler2018arxiv",
            "Sandler M. Mobilenetv2 – inverted residuals and linear bottlenecks, arxiv 2018",
            "",
        ),
    ],
)
def test_a_paper_is_listed_under_key_number_or_title(name, citation, more, base, checked):
    (base / "references.bib").write_text(LISTED, encoding="utf-8")
    assert checked(name, citation, more) == ""


def test_a_paper_that_is_not_listed(base, checked):
    (base / "references.bib").write_text(LISTED, encoding="utf-8")
    assert checked("V3: Howard2019ICCV", "Howard A., et al. Searching for MobileNetV3, ICCV 2019") == (
        "notes/other.md:1:1: K212 warning: the paper of `Howard2019ICCV` is not in references.bib\n"
        "    add it there under the key `Howard2019ICCV`\n"
    )
    assert checked("V2: Sandler2019CVPR", "Sandler M. MobileNetV2: Inverted Residuals and Bottlenecks, CVPR 2019") == (
        "notes/other.md:1:1: K212 warning: the paper of `Sandler2019CVPR` is not in references.bib\n"
        "    the nearest entry is `Sandler2018CVPR` at references.bib:8, “MobileNetV2: Inverted Residuals and Linear"
        " Bottlenecks”; if it is this one, make one like the other\n"
    )
    assert "the nearest entry is `Sandler2018CVPR`" in checked("V2: Sandler2018CVPRa", "Sandler M. A Net, CVPR 2018")


def test_the_settings_name_the_bibliography(base, checked):
    (base / "references.bib").write_text("@misc{no}\n", encoding="utf-8")
    (base / "papers").mkdir()
    (base / "papers" / "mine.bib").write_text(LISTED, encoding="utf-8")
    (base / "papers" / "more.json").write_text('[{"id": "Author2020CVPR", "title": "More"}]', encoding="utf-8")
    settings = (base / "mkdocs.yml").read_text(encoding="utf-8")

    def listed(bibliography):
        (base / "mkdocs.yml").write_text(f"{settings}    bibliography: {bibliography}\n", encoding="utf-8")
        return checked("Other: Author2020CVPR", "Author A., et al. Some Other Paper, CVPR 2020")

    assert listed("[papers/mine.bib, papers/more.json]") == ""
    assert " K212 " in listed("papers/mine.bib")
    assert listed("papers/none.bib").startswith(
        "mkdocs.yml:8:19: K601 `extra.kb.bibliography` must be a file in the knowledge base, and `papers/none.bib`"
        " is none\n"
    )
    assert " K601 `extra.kb.bibliography` must be a file in the knowledge base" in listed(__file__)
    assert " K601 `extra.kb.bibliography` must be a path, or a list of paths" in listed("{a: b}")


def test_a_bibliography_that_cannot_be_read_is_no_reason_to_stop(base, checked, kb):
    (base / "references.bib").write_text(f"{LISTED}\n@article{{open, title = {{x\n", encoding="utf-8")
    assert checked().startswith("references.bib:17:1: K107 warning: ")
    assert kb("check", cwd=base).returncode == 0
    (base / "references.bib").write_bytes(LISTED.replace("Kaiming", "Käiming").encode("latin-1"))
    assert "references.bib:3:18: K102 warning: the file is not UTF-8" in checked()


@pytest.mark.parametrize(
    ("citation", "more"),
    [
        ("Goodfellow I., et al. Deep Residual Learning for Image Recognition, MIT Press 2016", ""),  # another's
        ("He K., et al. Deep Residual Learning for Image Segmentation, ICCV 2017", ""),
        ("Howard A., et al. Searching for MobileNetV3, ICCV 2019", "> url: https://example.org/1801.04381\n"),
        ("Hé K., et al. Another Paper, ICCV 2017", ""),  # too short to tell
        ("He K.-M., et al. Another Paper, ICCV 2017", ""),
        ("Kaiming He, Xiangyu Zhang. Another Paper, ICCV 2017", ""),
    ],
)
def test_what_is_alike_and_not_the_same(citation, more, checked):
    assert checked("Other: Author2020CVPR".replace("2020", citation[-4:]), citation, more) == ""


def test_a_build_looks_at_the_bibliography(starter, kb):
    def built():
        done = kb("build", "--locked", cwd=starter)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert "up to date" not in built()
    assert "up to date" in built()
    (starter / "references.bib").write_text(LISTED, encoding="utf-8")
    assert " K212 warning: the paper of `Simonyan2015ICLR` " in built()


def test_one_paper_in_two_languages_has_one_key(base, checked):
    note = (base / "notes" / "He2016CVPR.md").read_text(encoding="utf-8")
    (base / "notes" / "He2016CVPR.zh.md").write_text(note, encoding="utf-8")
    assert checked() == ""
