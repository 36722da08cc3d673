"""kb export: the cards in other programs' forms, read back by what reads them, and refusals in plain words."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
from conftest import copy_repository, run_kb

import kb
from kb.bibliography import read
from kb.editors import schemas
from kb.exports import TABLES, content, datasette_metadata, described
from kb.model_indexes import read_index
from kb.pages import lineage
from kb.pages.site import Site

SCHEMAS = {name: json.loads(text) for name, text in schemas().items()}
ROWS = {"$defs": SCHEMAS["tables.schema.json"]["$defs"], "type": "array"}


@pytest.fixture(scope="module")
def site(root) -> Site:
    return Site(kb.load(root))


@pytest.fixture(scope="module")
def database(site, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "kb.sqlite"
    path.write_bytes(content("kb.sqlite", site.published))
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def export(root: Path, *arguments: str) -> str:
    done = run_kb("-C", root, "export", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# --------------------------------------------------------------------------------------------- what is in the files


def test_json_is_what_the_published_schema_says(root, site):
    validator = jsonschema.Draft202012Validator(SCHEMAS["card.schema.json"])
    cards = json.loads(export(root, "json"))
    assert sorted(card["citekey"] for card in cards) == sorted(card.citekey for card in site.base.cards)
    for card in cards:
        assert list(validator.iter_errors(card)) == []


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_what_the_published_schema_says(site, table):
    rows = json.loads(content(f"{table}.json", site.published)) if table != "cards" else None
    lines = list(csv.DictReader(str(content(f"{table}.csv", site.published)).splitlines()))
    assert list(lines[0]) == list(described(table))
    if rows is not None:
        validator = jsonschema.Draft202012Validator({**ROWS, "items": {"$ref": f"#/$defs/{table}"}})
        assert list(validator.iter_errors(rows)) == []
        assert [[cell(value) for value in row.values()] for row in rows] == [list(line.values()) for line in lines]


def cell(value: object) -> str:
    """A value as CSV has it."""
    return "" if value is None else str(int(value) if isinstance(value, bool) else value)


def test_every_printed_figure_stands_beside_its_verdict(root, site):
    rows = list(csv.DictReader(export(root, "csv").splitlines()))
    printed = sum(len(row.metrics) for card in site.base.papers for row in card.results)
    assert len(rows) == printed > 300
    (row,) = [row for row in rows if row["label"] == "MobileNetV2 (1.4)" and row["metric"] == "params"]
    assert (row["card"], row["printed"], row["unit"], row["value"]) == ("Sandler2018CVPR", "6.9", "M", "6900000")
    assert (row["verdict"], row["measured"], row["counted"]) == ("unexplained", "6108776", "6060840")


def test_a_bibliography_is_read_back(root, site):
    for form, path in (("bibtex", "all.bib"), ("csl-json", "all.json")):
        library = read(export(root, form), path)
        assert not library.problems
        titles = {entry.key: entry.title for entry in library.entries}
        assert titles == {card.citekey: card.citation.title for card in site.base.cards}


def test_a_model_index_is_what_kb_audit_reads(root, tmp_path):
    text = export(root, "model-index")
    zoo = read_index(text, "model-index.yml", tmp_path)
    assert not zoo.problems
    (entry,) = [each for each in zoo.entries if each.label == "MobileNetV2 (1.4)"]
    assert entry.call == "mobilenet_v2(width=1.4)"
    figures = {column: (found.printed.printed, found.printed.value) for column, found in entry.figures.items()}
    assert figures["params"] == ("6.9", 6_900_000)
    assert figures["macs"] == ("585", 585_000_000)
    assert figures["top1"] == ("74.7", figures["top1"][1])


# ------------------------------------------------------------------------------------------------------- the database


def test_the_database_holds_the_tables_and_every_reference_leads_somewhere(database, site):
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    counts = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
    assert counts["cards"] == len(site.published)
    assert counts["results"] == sum(len(row.metrics) for card in site.base.papers for row in card.results)
    for table in TABLES:
        columns = [row["name"] for row in database.execute(f"PRAGMA table_info({table})")]
        assert [name for name in columns if name != "id"] == list(described(table))


def test_the_database_answers_what_one_would_ask(database):
    names = "SELECT cards.name FROM results JOIN cards USING (card) JOIN measurements USING (call) WHERE verdict = ?"
    assert ("MobileNetV2",) in {tuple(row) for row in database.execute(names, ["unexplained"])}
    builds_on = "SELECT to_card FROM links WHERE card = 'Sandler2018CVPR' AND kind = 'wiki'"
    assert ("Howard2017arxiv",) in {tuple(row) for row in database.execute(builds_on)}
    params = "SELECT sum(params) FROM kinds WHERE call = 'mobilenet_v2()'"
    assert database.execute(params).fetchone()[0] <= 3_504_872


@pytest.mark.parametrize(("words", "card"), [("可分离卷积", "Howard2017arxiv"), ("epthwise", "Howard2017arxiv")])
def test_sections_are_found_by_any_part_of_a_word(database, words, card):
    found = database.execute(
        "SELECT card FROM sections WHERE id IN (SELECT rowid FROM sections_fts WHERE sections_fts MATCH ?)", [words]
    )
    assert card in {row["card"] for row in found}


def test_datasette_is_told_every_column(database):
    tables = json.loads(datasette_metadata("Papers"))["databases"]["kb"]["tables"]
    for name, told in tables.items():
        there = {row["name"] for row in database.execute(f"PRAGMA table_info({name})")}
        assert {*told.get("columns", ()), *told.get("facets", ())} <= there


def test_the_same_cards_give_the_same_bytes(site, root):
    again = Site(kb.load(root))
    for name in ("kb.sqlite", "cards.json", "results.csv"):
        assert content(name, site.published) == content(name, reversed(again.published)), name


# ------------------------------------------------------------------------------------------------- the command line


def test_some_cards_by_key_or_alias_to_a_file(root, tmp_path):
    export(root, "bibtex", "Howard2017arxiv", "Sandler2018CVPR", "-o", str(tmp_path / "two.bib"))
    library = read((tmp_path / "two.bib").read_text(encoding="utf-8"), "two.bib")
    assert [entry.key for entry in library.entries] == ["Howard2017arxiv", "Sandler2018CVPR"]


def test_links_are_the_same_in_every_file(root, site, database):
    """Who counts citations in the CSV and in the database, or beside the drawing, must come to one result."""
    rows = list(csv.DictReader(io.StringIO(export(root, "csv", "--table", "links"))))
    as_json = json.loads(export(root, "json", "--table", "links"))
    assert rows == [{name: "" if value is None else str(value) for name, value in row.items()} for row in as_json]
    named = [tuple(row) for row in database.execute(f"SELECT {', '.join(as_json[0])} FROM links ORDER BY id")]
    assert named == [tuple(row.values()) for row in as_json]
    drawn = json.loads(lineage.data(site))["links"]
    assert sorted(map(str, drawn)) == sorted(map(str, as_json))
    assert len(as_json) == len(site.base.links)
    sentence = next(row["sentence"] for row in as_json if row["kind"] == "mention" and row["to_card"] == "He2016CVPR")
    assert "ResNet" in sentence


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["bibtex", "howard2017arxi"], 1, "there is no card howard2017arxi; did you mean `Howard2017arxiv`?"),
        (["xml"], 2, "invalid choice: 'xml'"),
        (["sqlite", "--table", "cards"], 2, "--table chooses a table of csv and json"),
        (["csv", "-o", "mkdocs.yml/x.csv"], 4, "mkdocs.yml"),
    ],
)
def test_refusals(root, arguments, code, words):
    done = run_kb("export", *arguments, cwd=root)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stdout == ""


def test_a_database_is_not_poured_into_a_terminal(root):
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kb", "export", "sqlite"],
            cwd=root,
            stdout=theirs,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert b"-o kb.sqlite" in done.stderr


def test_drafts_are_exported_and_unpublished_cards_only_by_name(tmp_path):
    root = copy_repository(tmp_path / "base")
    note = root / "notes/Tan2019CVPR.md"
    note.write_text(f"---\npublish: false\n---\n{note.read_text(encoding='utf-8')}", encoding="utf-8")
    assert "Tan2019CVPR" not in export(root, "bibtex")
    assert "@inproceedings{Tan2019CVPR," in export(root, "bibtex", "Tan2019CVPR")


def test_a_draft_that_cites_nothing_yet_is_no_reference(starter, kb):
    """BibTeX would set an entry without fields as an empty line of the bibliography, with a warning for each."""
    kb("new", "MobileNetV4", "Qin2024ECCV", cwd=starter)
    assert kb("export", "bibtex", cwd=starter).stdout.count("@") == 1
    assert [each["id"] for each in json.loads(kb("export", "csl-json", cwd=starter).stdout)] == ["Simonyan2015ICLR"]
    assert "Qin2024ECCV" in kb("export", "json", cwd=starter).stdout


def test_mistakes_in_notes_are_told(tmp_path):
    root = copy_repository(tmp_path / "base")
    (root / "notes/broken.md").write_text("---\ntags: [a\n---\n### A: Author2020CVPR\n", encoding="utf-8")
    done = run_kb("-C", root, "export", "bibtex")
    assert done.returncode == 1
    assert "notes/broken.md" in done.stderr
    assert "@misc{Howard2017arxiv," in done.stdout
