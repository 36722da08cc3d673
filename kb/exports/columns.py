"""The columns of the tables, as kb/schemas/tables.schema.json describes them for readers and for Datasette."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from kb.resources import PACKAGE

TABLES = ("cards", "results", "measurements", "links")
SECTIONS = "The cards' sections, as Markdown. The search finds any three characters or more, in whatever language."
FACETS = {"cards": ["kind", "venue", "year", "lang"], "results": ["metric", "verdict", "card"]}


@cache
def _schema() -> Mapping[str, Any]:
    found = json.loads((PACKAGE / "schemas" / "tables.schema.json").read_text(encoding="utf-8"))
    return dict(found["$defs"])


@cache
def _in_chinese() -> Mapping[str, Mapping[str, str]]:
    found = yaml.safe_load((PACKAGE / "texts" / "columns.zh.yml").read_text(encoding="utf-8"))
    return dict(found)


def described(table: str, language: str = "en") -> dict[str, str]:
    """What each column of a table holds, in the order of the columns."""
    columns = _schema()[table]["properties"]
    chinese = _in_chinese()[table] if language == "zh" else {}
    return {name: chinese.get(name, column["description"]) for name, column in columns.items()}


def datasette_metadata(title: str, licence: str = "") -> str:
    """What Datasette shows of the database (`datasette kb.sqlite -m datasette.json`)."""
    tables: dict[str, Any] = {
        table: {
            "description": _schema()[table]["description"],
            "columns": described(table),
            **({"facets": FACETS[table]} if table in FACETS else {}),
        }
        for table in TABLES
    }
    tables["cards"]["label_column"] = "name"
    tables["sections"] = {"description": SECTIONS}
    data = {"title": title, **({"license": licence} if licence else {}), "databases": {"kb": {"tables": tables}}}
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
