"""What editors are given: problems at their lines, schemas that say what kb says, a snippet of the template."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from kb import heads
from kb.editors import schemas, snippets
from kb.notes import parse_note
from kb.schema import default_schema, parse_schema
from kb.settings import Settings, load_settings

CASES = Path(__file__).parent / "cases"
VALIDATORS = {name: jsonschema.Draft202012Validator(json.loads(text)) for name, text in schemas().items()}


# ----------------------------------------------------------------------------------------------- problem matcher


def matcher(starter: Path) -> tuple[re.Pattern[str], dict]:
    """The regular expression of the task `kb check`, and what its groups are."""
    tasks = json.loads((starter / ".vscode/tasks.json").read_text(encoding="utf-8"))["tasks"]
    [check] = [task for task in tasks if task["command"] == "kb check"]
    pattern = check["problemMatcher"]["pattern"]
    return re.compile(pattern["regexp"]), pattern


def test_the_problem_matcher_reads_what_kb_check_prints(starter, kb):
    note = starter / "notes" / "Simonyan2015ICLR.md"
    text = note.read_text(encoding="utf-8").replace("> Architecture", "> Architektur").replace("| 133 |", "| 132 |")
    note.write_text(text, encoding="utf-8")
    kb("new", "A: b", "Qin2024ECCV", cwd=starter)
    found = json.loads(kb("check", "--format", "json", cwd=starter).stdout)
    lines = [line for line in kb("check", cwd=starter).stdout.splitlines() if not line.startswith(" ")]
    regexp, group = matcher(starter)
    read = [regexp.match(line) for line in lines]
    assert {each["severity"] for each in found} == {"error", "finding", "warning"}
    for match, each in zip(read, found, strict=True):
        named = {name: match[group[name]] for name in ("file", "line", "column", "code", "message")}
        told = {"file": each["path"], **{name: str(each[name]) for name in ("line", "column", "code", "message")}}
        assert named == told
        assert (match[group["severity"]] or "error") == each["severity"]


@pytest.mark.parametrize("path", sorted((CASES / "check").glob("K*.txt")), ids=lambda path: path.stem)
def test_the_problem_matcher_reads_every_kind_of_problem_and_no_hint(path, starter_template):
    regexp, _ = matcher(starter_template)
    for line in path.read_text(encoding="utf-8").splitlines():
        assert bool(regexp.match(line)) == (not line.startswith(" ")), line


# ------------------------------------------------------------------------------------------------------- schemas


def test_the_schemas_are_valid_and_published(starter, kb):
    for validator in VALIDATORS.values():
        validator.check_schema(validator.schema)
    assert kb("build", "--locked", cwd=starter).returncode == 0
    published = {path.name: path.read_text(encoding="utf-8") for path in (starter / "site/schemas").iterdir()}
    assert published == schemas()
    names = ("card", "front-matter", "models", "settings", "tables")
    assert sorted(published) == [f"{name}.schema.json" for name in names]


def test_a_new_knowledge_base_names_its_schemas(starter):
    settings = json.loads((starter / ".vscode/settings.json").read_text(encoding="utf-8"))
    first = (starter / "mkdocs.yml").read_text(encoding="utf-8").splitlines()[0]
    named = [*settings["yaml.schemas"], first.removeprefix("# yaml-language-server: $schema=")]
    for path in named:
        assert (starter / path).read_text(encoding="utf-8") == schemas()[Path(path).name]


def as_editors_read(text: str) -> object:
    """YAML with MkDocs' tag left out, as editors read it that are told of `!ENV sequence`."""
    return yaml.safe_load(text.replace("!ENV ", ""))


def test_the_settings_of_a_new_knowledge_base_and_of_the_repository_are_valid(starter, root):
    for folder in (starter, root):
        data = as_editors_read((folder / "mkdocs.yml").read_text(encoding="utf-8"))
        assert list(VALIDATORS["settings.schema.json"].iter_errors(data)) == []


@pytest.mark.parametrize(
    "text",
    [
        "site_name: Papers",
        "site_name: 2024",
        "site_name: {a: b}",
        "site_url: {a: b}",
        "repo_url: ~",
        "theme: material",
        "theme: {name: material, language: zh-TW}",
        "theme: [material]",
        "theme: {language: [zh]}",
        "site_name: !ENV [NAME, Papers]",
        "extra: {kb: {packages: [torchvision, timm]}}",
        "extra: {kb: {packages: torchvision}}",
        "extra: {kb: {packages: [1]}}",
        "extra: {kb: {packages: ~}}",
        "extra: {kb: [packages]}",
        "extra: social",
        "unknown: {to: [kb]}",
        "{}",
    ],
)
def test_the_schema_of_settings_accepts_what_kb_accepts(text, tmp_path):
    (tmp_path / "mkdocs.yml").write_text(text, encoding="utf-8")
    _, problems = load_settings(tmp_path)
    assert VALIDATORS["settings.schema.json"].is_valid(as_editors_read(text)) == (problems == [])


def test_the_schema_of_front_matter_knows_every_name_of_a_field():
    properties = VALIDATORS["front-matter.schema.json"].schema["properties"]
    canonical = {name: properties[name].get("$ref", "").removeprefix("#/properties/") for name in properties}
    fields = {name: field if canonical[name] == field else name for name, field in heads._FIELDS.items()}
    assert set(properties) == set(heads._FIELDS)
    assert fields == heads._FIELDS


VALUES = [
    *("a text", "2017", "20x", "zh", "zh-Hant", "中文", "yes", "not a language", ""),
    *(2017, 1899, 1801.5, True, False, None, ["a", "b"], [1, None], [["a"]], {"a": 1}),
]


@pytest.mark.parametrize("name", sorted(heads._NAMES))
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_the_schema_of_front_matter_accepts_what_kb_accepts(name, value):
    above = yaml.safe_dump({name: value}, allow_unicode=True)
    note = f"---\n{above}---\n\n### A: He2016CVPR\n\n> He K., et al. Deep Residual Learning, CVPR 2016\n\n#### Method\n"
    problems = parse_note(note, "notes/a.md", default_schema(), Settings(Path())).problems
    accepted = not any(found.code == "K106" for found in problems)
    assert VALIDATORS["front-matter.schema.json"].is_valid({name: value}) == accepted


# ------------------------------------------------------------------------------------------------------- snippet


def test_a_snippet_filled_in_is_a_card(starter):
    """What an author gets who types a name for each stop, and takes the first of each choice."""
    [snippet] = json.loads((starter / ".vscode/kb.code-snippets").read_text(encoding="utf-8")).values()
    assert snippet["scope"] == "markdown"
    text = "\n".join(snippet["body"])
    typed = {"NAME": "ResNet", "author": "He", "year": "2016", "venue": "CVPR"}
    text = re.sub(r"\$\{\d+\|([^,|]*)[^}]*\|\}", r"\1", text)
    text = re.sub(r"\$\{\d+:([^}]*)\}", lambda stop: typed.get(stop[1], "He K., et al. Deep Residual, CVPR 2016"), text)
    text = re.sub(r"\$\d+", "Something.", text)
    schema = parse_schema((starter / "templates/card.md").read_text(encoding="utf-8"), "templates/card.md")[0]
    note = parse_note(text, "notes/a.md", schema, Settings(Path()))
    [card] = note.cards
    assert note.problems == ()
    assert (card.name, card.citekey, card.kind, card.citation.year) == ("ResNet", "He2016CVPR", "architecture", 2016)
    assert {section.id: section.markdown.strip() for section in card.sections} == dict.fromkeys(
        ("problem", "method", "experiments", "models"), "Something."
    )


def test_what_means_something_in_a_snippet_is_escaped():
    template = (
        "---\nschema:\n  kinds: {}\n  sections: {a: A}\n---\n# NAME: {author}{year}{venue}\n\n> $x \\alpha }\n\n## A\n"
    )
    [snippet] = json.loads(snippets(parse_schema(template, "templates/card.md")[0])).values()
    assert snippet["body"][2] == "> \\$x \\\\alpha \\}"
