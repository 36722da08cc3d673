"""Citations of every style are split into their parts, and what cannot be read stays empty."""

from pathlib import Path

import pytest

import kb
from kb.bibliography.writing import bibtex
from kb.citation import read_citation

CASES = Path(__file__).parent / "cases" / "citation"
PARTS = ("authors", "title", "venue", "year")


def cases():
    """Each citation in the case file with its expected parts; lines that begin with # are for readers."""
    text = (CASES / "styles.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for block in "\n".join(lines).split("\n\n"):
        citation, *parts = block.strip("\n").splitlines() or [""]
        if citation:
            yield citation, dict(part.strip().split(": ", 1) for part in parts)


def read(citation):
    """The parts of a citation, as the case file writes them."""
    found = read_citation(citation)
    authors = [*found.authors, *(["et al."] if found.et_al else [])]
    parts = {"authors": "; ".join(authors), "title": found.title, "venue": found.venue, "year": str(found.year or "")}
    return {name: value for name, value in parts.items() if value}


@pytest.mark.parametrize(("citation", "expected"), list(cases()), ids=lambda value: str(value)[:60])
def test_parts(citation, expected):
    assert read(citation) == expected


def test_the_text_is_kept():
    assert read_citation("  Howard A.,  et al. Searching for MobileNetV3, arxiv 2019 ").text == (
        "Howard A., et al. Searching for MobileNetV3, arxiv 2019"
    )


BIBTEX = {
    """### MobileNetV1: Howard2017arxiv

> 架构
> Howard A., et al. MobileNets: 50% fewer & faster, arxiv 2017
> arXiv: 1704.04861

#### 问题

一
""": r"""@misc{Howard2017arxiv,
  author = {Howard, A. and others},
  title = {{MobileNets: 50\% fewer \& faster}},
  howpublished = {arxiv},
  year = {2017},
  eprint = {1704.04861},
  archiveprefix = {arXiv},
}
""",
    """### ResNet: He2016CVPR

> Kaiming He, Xiangyu Zhang. Deep residual learning for image recognition. In CVPR, 2016. doi:10.1109/CVPR.2016.90

#### 问题

一
""": """@inproceedings{He2016CVPR,
  author = {He, Kaiming and Zhang, Xiangyu},
  title = {{Deep residual learning for image recognition}},
  booktitle = {CVPR},
  year = {2016},
  doi = {10.1109/CVPR.2016.90},
}
""",
    """### ResNet综述: Zhou2017JSJXB

> 周飞燕, 金林鹏, 董军. 卷积神经网络研究综述[J]. 计算机学报, 2017, 40(6): 1229-1251.

#### 问题

一
""": """@article{Zhou2017JSJXB,
  author = {周飞燕 and 金林鹏 and 董军},
  title = {{卷积神经网络研究综述}},
  journal = {计算机学报},
  year = {2017},
}
""",
}


@pytest.mark.parametrize(("note", "entry"), list(BIBTEX.items()))
def test_bibtex(note, entry, tmp_path):
    path = tmp_path / "note.md"
    path.write_text(note, encoding="utf-8")
    assert [bibtex(card) for card in kb.parse(path)] == [entry]
