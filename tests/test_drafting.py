"""kb new --from: a card's draft from an entry of a bibliography, a DOI or an arXiv number.

doi.org and arXiv are asked on loopback; their answers stand in `cases/lookups/answers`, the drafts in
`cases/lookups/out`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lookup_service import lookup_service

DAY = "1730000000"  # seconds: 2024-10-27
OUT = Path(__file__).parent / "cases" / "lookups" / "out"
LIBRARY = """\
@inproceedings{Ma2018ECCV,
  title = {{ShuffleNet} {V2}: Practical Guidelines for Efficient {CNN} Architecture Design},
  author = {Ma, Ningning and Zhang, Xiangyu and Zheng, Hai-Tao and Sun, Jian},
  booktitle = {Computer Vision -- ECCV 2018},
  year = {2018},
  doi = {10.1007/978-3-030-01264-9_8}
}

@misc{howard2019searching_v3,
  title = {Searching for {MobileNetV3}},
  author = {Howard, Andrew and others},
  booktitle = {Proceedings of the IEEE/CVF International Conference on Computer Vision},
  year = {2019},
  eprint = {1905.02244},
  archiveprefix = {arXiv}
}
"""
ITEM = {
    "id": "http://zotero.org/users/1/items/ABCD",
    "type": "article-journal",
    "title": "ImageNet classification with deep convolutional neural networks",
    "author": [{"family": "Krizhevsky", "given": "Alex"}, {"family": "Sutskever", "given": "Ilya"}],
    "container-title": "Communications of the ACM",
    "issued": {"date-parts": [[2017, 5]]},
    "DOI": "10.1145/3065386",
}


@pytest.fixture
def service():
    with lookup_service() as running:
        yield running


@pytest.fixture
def new(starter, service, tmp_path, kb):
    """`kb new --from …` in a small knowledge base, with the services on loopback and a cache of its own."""

    def run(*arguments, **env):
        return kb(
            "new",
            "--from",
            *arguments,
            cwd=starter,
            env=service.env | {"XDG_CACHE_HOME": tmp_path / "cache", "SOURCE_DATE_EPOCH": DAY} | env,
        )

    return run


@pytest.fixture
def library(tmp_path):
    """A bibliography of two entries."""
    (tmp_path / "some.bib").write_text(LIBRARY, encoding="utf-8")
    return tmp_path / "some.bib"


def only_card(done, kb):
    """The card that a command has made and named."""
    assert done.returncode == 0, done.stderr
    [card] = json.loads(kb("parse", done.stdout.strip(), "--format", "json").stdout)
    return card


# ------------------------------------------------------------------------------------------------------ look-ups


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("10.1109/CVPR.2018.00474", "Sandler2018CVPR.doi.md"),  # doi.org leads to the agency that knows
        ("1801.04381", "Sandler2018CVPR.arxiv.md"),  # a preprint that says where it was published
        ("1704.04861", "Howard2017arxiv.md"),
        ("10.1145/3065386", "Krizhevsky2017CACM.md"),
        ("10.1007/978-3-030-01264-9_8", "Ma2018ECCV.md"),
    ],
)
def test_a_number_is_looked_up(source, out, new, starter):
    done = new(source)
    key = out.partition(".")[0]
    assert (done.returncode, done.stdout) == (0, f"{starter}/notes/{key}.md\n"), done.stderr
    assert (starter / "notes" / f"{key}.md").read_text(encoding="utf-8") == (OUT / out).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "source",
    [
        "arXiv:1704.04861",
        "1704.04861v1",
        "https://arxiv.org/abs/1704.04861",
        "http://www.arxiv.org/pdf/1704.04861v1.pdf",
        "arxiv.org/abs/1704.04861",
        "https://arxiv.org/pdf/1704.04861?download=1",
        "10.48550/arXiv.1704.04861",
        "https://doi.org/10.48550/arXiv.1704.04861",
    ],
)
def test_an_arxiv_number_in_every_form(source, new, service):
    done = new(source)
    assert done.stdout.endswith("/Howard2017arxiv.md\n"), done.stderr
    assert [asked.path for asked in service.asked] == ["/arxiv?id_list=1704.04861&max_results=1"]


@pytest.mark.parametrize(
    "source",
    [
        "doi:10.1145/3065386",
        "https://doi.org/10.1145/3065386",
        "http://dx.doi.org/10.1145%2F3065386",
        "https://dl.acm.org/doi/abs/10.1145/3065386?cid=1",
    ],
)
def test_a_doi_in_every_form(source, new, service):
    done = new(source)
    assert done.stdout.endswith("/Krizhevsky2017CACM.md\n"), done.stderr
    [asked] = service.asked
    assert asked.path == "/doi/10.1145/3065386"
    assert asked.headers["Accept"] == "application/vnd.citationstyles.csl+json"


def test_who_asks_says_so(new, service, kb):
    version = kb("--version").stdout.split()[1]
    new("10.1145/3065386")
    new("1704.04861", KB_MAILTO="me@example.org")
    names = [asked.headers["User-Agent"] for asked in service.asked]
    assert names == [f"kb/{version} (paperkb)", f"kb/{version} (paperkb; mailto:me@example.org)"]


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("10.1000/missing", 1, "has no entry for the DOI 10.1000/missing"),
        ("2999.99999", 1, "has no entry for the arXiv number 2999.99999"),
        ("1234.0000", 1, "has no entry for the arXiv number 1234.0000"),
        ("10.1000/page", 4, "its answer cannot be read: it is no JSON"),
        ("10.1000/nothing", 4, "its answer cannot be read: it is no JSON"),
        ("10.1000/list", 4, "its answer cannot be read: it is no CSL-JSON item"),
        ("10.1000/untitled", 4, "its answer cannot be read: it gives no title"),
        ("10.1000/other-form", 4, "gives the DOI 10.1000/other-form in no form that kb reads"),
        ("10.1000/broken", 4, "answers 500 Internal Server Error"),
        ("2000.00001", 4, "its answer cannot be read: it is no XML (no element found"),
        ("2000.00002", 4, "its answer cannot be read: it is no Atom feed"),
        ("what.md", 2, "'what.md' is no .bib or .json file, no DOI and no arXiv number"),
        ("gone.bib", 4, "gone.bib: No such file or directory"),
    ],
)
def test_what_gives_no_card(source, code, told, new, starter):
    before = sorted(starter.rglob("*"))
    done = new(source)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(starter.rglob("*")) == before


def test_no_network(new):
    done = new("10.1145/3065386", KB_DOI_URL="http://127.0.0.1:9/")
    assert done.returncode == 4
    assert done.stderr == (
        "kb: 127.0.0.1:9 cannot be reached: Connection refused. An entry in a .bib or .json file needs no network\n"
    )


def test_a_service_that_does_not_answer(new, service):
    service.first = [b""]
    done = new("10.1145/3065386", KB_TIMEOUT="0.3")
    assert (done.returncode, done.stdout) == (4, "")
    assert "cannot be reached: timed out" in done.stderr


BUSY = b"HTTP/1.1 %d Busy\nRetry-After: %s\n\n"


@pytest.mark.parametrize("busy", [BUSY % (429, b"0"), BUSY % (503, b"Sun, 06 Nov 1994 08:49:37 GMT")])
def test_a_busy_service_is_asked_once_more(busy, new, service):
    service.first = [busy]
    assert new("10.1145/3065386").returncode == 0
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("first", "requests", "told"),
    [
        ([BUSY % (503, b"0")] * 2, 2, "has too much to do just now (503): try again later"),
        ([BUSY % (429, b"3600")], 1, "has too much to do just now (429): try again in 3600 s"),
    ],
)
def test_a_service_that_stays_busy_is_left_in_peace(first, requests, told, new, service):
    service.first = first
    done = new("10.1145/3065386")
    assert done.returncode == 4
    assert told in done.stderr
    assert len(service.asked) == requests


@pytest.mark.parametrize("source", ["10.1145/3065386", "1704.04861"])
def test_an_answer_is_kept_for_a_month(source, new, service, starter, tmp_path):
    def again():
        for note in starter.glob("notes/[HK]*.md"):
            note.unlink()
        assert new(source).returncode == 0
        return len(service.asked)

    assert [again(), again()] == [1, 1]
    [kept] = (path for path in (tmp_path / "cache" / "kb" / "lookups").iterdir())
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(kept, (long_ago, long_ago))
    assert [again(), again()] == [2, 2]
    kept.write_bytes(b"{")
    assert [again(), again()] == [3, 3]


def test_what_is_not_there_is_asked_for_again(new, service, tmp_path):
    for source in ("2999.99999", "10.1000/missing", "10.1000/page") * 2:
        new(source)
    assert len(service.asked) == 6
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_is_none(new, tmp_path):
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    assert new("10.1145/3065386").returncode == 0


# -------------------------------------------------------------------------------------------------- bibliographies


def test_an_entry_that_is_picked(new, library, kb):
    card = only_card(new(library, "--key", "Ma2018ECCV"), kb)
    assert (card["name"], card["citekey"], card["status"]) == ("ShuffleNet V2", "Ma2018ECCV", "draft")
    assert (card["venue"], card["year"]) == ("ECCV", 2018)
    assert card["authors"] == ["Ningning Ma", "Xiangyu Zhang", "Hai-Tao Zheng", "Jian Sun"]
    assert card["links"] == {"doi": "10.1007/978-3-030-01264-9_8"}
    assert card["kind"] == ""


def test_several_entries_are_asked_about(new, library, starter):
    before = sorted(starter.rglob("*"))
    done = new(library)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has 2 entries: --key KEY picks one, --all takes each; there are Ma2018ECCV, howard2019" in done.stderr
    done = new(library, "--key", "Ma2018")
    assert done.returncode == 1
    assert "has no entry Ma2018; there are Ma2018ECCV" in done.stderr
    assert new(library, "NAME", "Ma2018ECCV").returncode == 2
    assert sorted(starter.rglob("*")) == before


def test_all_entries(new, library, starter, kb):
    done = new(library, "--all")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{starter}/notes/{key}.md" for key in ("Ma2018ECCV", "Howard2019ICCV")]
    assert "the citekey Howard2019ICCV is made of author, year and venue" in done.stderr
    [card] = json.loads(kb("parse", starter / "notes" / "Howard2019ICCV.md", "--format", "json").stdout)
    assert card["aliases"] == ["howard2019searching_v3"]
    assert card["links"] == {"arxiv": "1905.02244"}
    assert card["et_al"]
    assert kb("check", cwd=starter).returncode == 0
    again = new(library, "--all")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.count(" K213 ") == 2


def test_the_standard_input(starter):
    for text in (LIBRARY.split("\n\n")[0], json.dumps([ITEM]), json.dumps(ITEM)):
        command = [sys.executable, "-m", "kb", "-C", str(starter), "new", "--from", "-"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=300, check=False)
        made = starter / "notes" / ("Ma2018ECCV.md" if text.startswith("@") else "Krizhevsky2017CACM.md")
        assert (done.returncode, done.stdout.decode()) == (0, f"{made}\n"), done.stderr
        made.unlink()


def test_what_the_command_line_says_wins(new, library, kb):
    card = only_card(new(library, "Shuffled", "Ma2018arXiv", "--key", "Ma2018ECCV"), kb)
    assert (card["name"], card["citekey"], card["aliases"]) == ("Shuffled", "Ma2018arXiv", ["Ma2018ECCV"])


def test_what_is_not_known_is_left_to_the_author(new, tmp_path, starter):
    (tmp_path / "one.json").write_text(json.dumps({"type": "report", "title": "Notes on things"}), encoding="utf-8")
    done = new(tmp_path / "one.json")
    assert done.returncode == 0
    assert "the source says nothing of: authors, venue, year. That is left to you" in done.stderr
    text = (starter / "notes" / "Notes-on-things.md").read_text(encoding="utf-8")
    front = "status: draft\ntitle: Notes on things\ndate: 2024-10-27\n"
    assert text.startswith(f"---\n{front}---\n\n### Notes on things: Notes-on-things\n\n> {{kind")
    assert "> citation: Notes on things\n" in text
    assert new("10.5281/zenodo.1000000").returncode == 0
    text = (starter / "notes" / "Notes-Measurements.md").read_text(encoding="utf-8")
    assert text.startswith(
        "---\nstatus: draft\ntitle: Notes & Measurements\ndoi: 10.5281/zenodo.1000000\ndate: 2024-10-27\n---\n"
    )


def test_an_unreadable_entry_is_told_and_the_others_are_taken(new, library, starter):
    library.write_text(f"{LIBRARY}\n@article{{Broken2020CVPR, title = {{open\n", encoding="utf-8")
    done = new(library, "--all")
    assert done.returncode == 1
    assert f"{library}:18:1: K107 " in done.stderr
    assert len(done.stdout.splitlines()) == 2
    (starter / "notes" / "Ma2018ECCV.md").unlink()
    assert new(library, "--key", "Ma2018ECCV").returncode == 0


def test_a_paper_gets_no_second_card(new, library, starter):
    assert new("10.1109/CVPR.2018.00474").returncode == 0
    before = (starter / "notes" / "Sandler2018CVPR.md").read_bytes()
    again = new("1801.04381")  # another number, the same title and first author
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("notes/Sandler2018CVPR.md:13:1: K213 `Sandler2018CVPR` is the paper's card already")
    assert (starter / "notes" / "Sandler2018CVPR.md").read_bytes() == before
    meant = new("1801.04381", "MobileNetV2", "Sandler2018arXiv")
    assert meant.returncode == 0
    assert "notes/Sandler2018arXiv.md:13:1: K213 warning: " in meant.stderr
    taken = new(library, "ShuffleNet", "sandler2018cvpr", "--key", "Ma2018ECCV")
    assert (taken.returncode, taken.stdout) == (1, "")
    assert " K206 " in taken.stderr


def test_a_key_that_another_paper_has_takes_a_letter(new, tmp_path, starter):
    entry = "@inproceedings{{x, title={{{}}}, author={{He, Kaiming}}, booktitle={{CVPR}}, year={{2016}}}}"
    for title in ("Deep Residual Learning", "Another Paper", "A Third One"):
        (tmp_path / "he.bib").write_text(entry.format(title), encoding="utf-8")
        assert new(tmp_path / "he.bib").returncode == 0
    assert sorted(path.stem for path in starter.glob("notes/He*")) == ["He2016CVPR", "He2016CVPRa", "He2016CVPRb"]


def test_odd_entries_give_cards_that_read_or_a_reason(new, tmp_path, starter, kb):
    titles = ["Plain", "A\0B", "Über $\\alpha$ and *stars*", "{braces} here", "q： 中文", "\u202e", "A: b_c <d> `e`"]
    items = [{"id": f"x {number}", "type": "book", "title": title} for number, title in enumerate(titles)]
    (tmp_path / "odd.json").write_text(json.dumps(items), encoding="utf-8")
    done = new(tmp_path / "odd.json", "--all")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) + done.stderr.count(" K204 ") == len(titles)
    assert [path.stem for path in starter.glob("notes/P*")] == ["Plain"]
    assert kb("check", cwd=starter).returncode == 0


TEMPLATE = """\
---
schema:
  citekey: '[a-z]+\\d{4}[a-z]*'
  kinds: {paper: 论文}
  sections: {summary: {zh: 概述, en: Summary}}
status: 草稿
年份:
tags: [待读]
---

## NAME: {author}{year}{venue}

> 引用: {作者, 题目, 会议 年份}
> arXiv: {编号}
> {doi: 10.…}
> {链接}

### 概述
"""


def test_the_template_says_where_things_go(new, library, starter):
    (starter / "templates" / "card.md").write_text(TEMPLATE, encoding="utf-8")
    done = new(library, "ShuffleNet V2", "ma2018", "--key", "Ma2018ECCV")
    assert done.returncode == 0, done.stderr
    text = (starter / "notes" / "ma2018.md").read_text(encoding="utf-8")
    assert text == (OUT / "template.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "kb new takes NAME and CITEKEY, or --from SOURCE"),
        (["NAME"], "kb new takes NAME and CITEKEY, or --from SOURCE"),
        (["NAME", "He2016CVPR", "--all"], "--key and --all choose among the entries of --from SOURCE"),
    ],
)
def test_what_kb_new_needs(arguments, told, starter, kb):
    done = kb("new", *arguments, cwd=starter)
    assert done.returncode == 2
    assert told in done.stderr
