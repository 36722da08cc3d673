"""kb init and kb new: what they write, and what they refuse."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
import yaml

from kb.cli import parser

CASES = Path(__file__).parent / "cases" / "starting"
OF_ONES_OWN = sorted(CASES.glob("*.yml"))


@pytest.mark.parametrize(("environment", "language"), [("zh_CN.UTF-8", "zh"), ("en_US.UTF-8", "en"), ("C", "en")])
def test_init_speaks_the_language_of_the_locale(environment, language, tmp_path, kb):
    done = kb("init", cwd=tmp_path, env={"LC_ALL": environment})
    assert done.returncode == 0, done.stderr
    assert f"language: {language}" in (tmp_path / "mkdocs.yml").read_text(encoding="utf-8")
    heading = {"zh": "#### 面临问题", "en": "#### Problem"}[language]
    for path in ("templates/card.md", "notes/Simonyan2015ICLR.md"):
        assert heading in (tmp_path / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_new_knowledge_base_has_nothing_to_report_and_builds_without_measuring(language, tmp_path, kb):
    assert kb("init", tmp_path / "base", "--lang", language).returncode == 0
    check = kb("check", "--strict", cwd=tmp_path / "base")
    assert (check.returncode, check.stdout) == (0, "")
    build = kb("build", "--locked", "--strict", cwd=tmp_path / "base")
    assert build.returncode == 0, build.stderr
    assert "4 figures tested (4 agree)" in build.stdout


def test_measuring_again_gives_the_lock_that_init_wrote(starter, kb):
    def lock() -> dict[str, bytes]:
        files = [starter / "reference_models" / "measured.yml", *sorted(starter.glob("reference_models/measured/*"))]
        return {path.name: path.read_bytes() for path in files}

    before = lock()
    done = kb("measure", "--again", cwd=starter)
    assert done.returncode == 0, done.stderr
    assert lock() == before


def test_init_touches_no_file_that_exists(tmp_path, kb):
    (tmp_path / "mkdocs.yml").write_text("site_name: mine\n", encoding="utf-8")
    done = kb("init", cwd=tmp_path)
    assert done.returncode == 0
    assert "mkdocs.yml is there already" in done.stderr
    assert (tmp_path / "mkdocs.yml").read_text(encoding="utf-8") == "site_name: mine\n"


def test_init_writes_settings_like_those_of_the_repository(starter, root):
    """All but names and language: what the pages need stands in both."""

    def settings(folder: Path) -> list[str]:
        text = (folder / "mkdocs.yml").read_text(encoding="utf-8")
        varying = r"\s*(#|site_name:|site_description:|language:|repo_url:).*"
        return [line for line in text.splitlines() if line and not re.match(varying, line)]

    assert settings(starter) == settings(root)


def test_init_touches_nothing_in_a_folder_that_has_files(tmp_path, kb):
    mine = {"README.md": "# mine\n", ".gitignore": "*.log\n", ".vscode/settings.json": "{}\n", "notes/a.txt": "a\n"}
    for path, text in mine.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    done = kb("init", cwd=tmp_path)
    assert done.returncode == 0
    assert {path: (tmp_path / path).read_text(encoding="utf-8") for path in mine} == mine
    for path in (".gitignore", ".vscode/settings.json", "README.md"):
        assert f"kb: {path} is there already and stays as it is\n" in done.stderr


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_readme_says_what_to_do_next(language, tmp_path, kb):
    assert kb("init", "--lang", language, cwd=tmp_path).returncode == 0
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^kb .*?(?=\s{2,}#|$)", text, re.MULTILINE)
    assert {command.split()[1] for command in commands} >= {"new", "check", "build", "serve", "status", "diff"}
    for command in commands:
        parser().parse_args(command.split()[1:])
    paths = re.findall(r"`([\w.-]+/[\w./-]*|mkdocs\.yml)`", text)
    missing = [path for path in paths if not (tmp_path / path).exists()]
    assert [path for path in missing if path not in ("notes/Zhang2018CVPR.md", "site/")] == []


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("https://github.com/a/b", [".github"]),
        ("git@gitlab.example.org:a/b.git", [".gitlab-ci.yml"]),
        ("ssh://example.org/b", [".github", ".gitlab-ci.yml"]),
        ("", [".github", ".gitlab-ci.yml"]),
    ],
)
def test_init_writes_the_workflows_that_the_repository_can_use(address, there, tmp_path, kb):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    if address:
        subprocess.run(["git", "remote", "add", "origin", address], cwd=tmp_path, check=True)
    done = kb("init", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.glob(".git[hl]*")) == there


def test_init_below_the_top_of_a_repository_says_where_workflows_belong(tmp_path, kb):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert "workflows are read at the top of a repository alone" in kb("init", "papers", cwd=tmp_path).stderr


# ---------------------------------------------------------------------------------------------- templates to change


def test_eject_copies_a_template_out_and_the_site_follows_it(starter, kb):
    done = kb("init", "--eject", "templates/pages/cards.md.j2", cwd=starter)
    assert (done.returncode, done.stdout.strip()) == (0, str(starter / "templates/pages/cards.md.j2"))
    template = starter / "templates" / "pages" / "cards.md.j2"
    template.write_text(template.read_text(encoding="utf-8") + "\nA line of my own.\n", encoding="utf-8")
    assert kb("build", "--locked", cwd=starter).returncode == 0
    assert "A line of my own." in (starter / "site" / "cards" / "index.html").read_text(encoding="utf-8")


def test_what_is_ejected_is_what_kb_uses(starter, root, kb):
    names = ["templates/theme/styles/base.css", "templates/theme/main.html", "templates/pages/home.md.j2"]
    done = kb("-C", starter, "init", *(word for name in names for word in ("--eject", name)))
    assert done.returncode == 0, done.stderr
    assert [(starter / name).read_bytes() for name in names] == [(root / name).read_bytes() for name in names]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_card_template_is_ejected_as_init_writes_it(language, tmp_path, kb):
    assert kb("init", "--lang", language, cwd=tmp_path).returncode == 0
    paths = [tmp_path / name for name in ("templates/card.md", ".vscode/kb.code-snippets")]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
        assert kb("init", "--eject", path.relative_to(tmp_path), cwd=tmp_path).returncode == 0
    assert [path.read_bytes() for path in paths] == before


def test_eject_replaces_nothing(starter, kb):
    done = kb("init", "--eject", "templates/card.md", cwd=starter)
    assert (done.returncode, done.stderr) == (4, "kb: templates/card.md: is there already and stays as it is\n")


@pytest.mark.parametrize("name", ["templates/pages/crad.md.j2", "../mkdocs.yml", "templates", ""])
def test_eject_names_what_there_is(name, starter, root, kb):
    done = kb("init", "--eject", name, cwd=starter)
    assert done.returncode == 2
    listed = [line.strip() for line in done.stderr.splitlines()[1:]]
    files = [path for path in (root / "templates").rglob("*") if path.is_file()]
    assert listed == sorted([".vscode/kb.code-snippets", *(path.relative_to(root).as_posix() for path in files)])
    assert ("did you mean templates/pages/card.md.j2?" in done.stderr) == ("crad" in name)


# --------------------------------------------------------------------------------------- a template of one's own


@pytest.fixture(params=OF_ONES_OWN, ids=lambda path: path.stem)
def own(request) -> dict:
    """A template of one's own, and a card that is written with it."""
    return yaml.safe_load(request.param.read_text(encoding="utf-8")) | {"file": request.param.with_suffix(".md")}


def test_a_template_of_ones_own_is_all_that_it_takes(own, starter, kb):
    """Other sections, kinds, languages and citekeys: new, check, build, the page's anchors follow the one file."""
    (starter / "templates" / "card.md").write_bytes(own["file"].read_bytes())
    (starter / "notes" / "Simonyan2015ICLR.md").unlink()
    made = kb("new", own["name"], own["citekey"], cwd=starter)
    assert made.returncode == 0, made.stderr
    note = Path(made.stdout.strip())
    check = kb("check", cwd=starter)
    assert check.returncode == 0
    assert {line.split()[1] for line in check.stdout.splitlines() if line[0] != " "} == {"K202", "K208"}

    text = note.read_text(encoding="utf-8")
    for empty, full in own["filled"].items():
        assert empty in text
        text = text.replace(empty, full)
    note.write_text(text, encoding="utf-8")
    strict = kb("check", "--strict", cwd=starter)
    assert (strict.returncode, strict.stdout) == (0, "")
    [card] = json.loads(kb("parse", note, "--format", "json", cwd=starter).stdout)
    assert (card["citekey"], card["kind"], card["extra"]) == (own["citekey"], own["kind"], own["extra"])
    assert [section["id"] for section in card["sections"]] == own["sections"]

    built = kb("build", "--locked", "--strict", cwd=starter)
    assert built.returncode == 0, built.stderr
    page = html.unescape((starter / "site" / "cards" / f"{own['citekey']}.html").read_text(encoding="utf-8"))
    assert [name for name in own["sections"] if f'id="{name}"' not in page] == []
    assert [name for name in own["shown"] if name not in page] == []

    code, removed, message = own["without"]
    note.write_text(text.replace(removed, ""), encoding="utf-8")
    assert f" {code} {message}\n" in kb("check", cwd=starter).stdout


def test_a_snippet_follows_the_template(own, tmp_path, kb):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "card.md").write_bytes(own["file"].read_bytes())
    assert kb("init", cwd=tmp_path).returncode == 0
    snippet = json.loads((tmp_path / ".vscode/kb.code-snippets").read_text(encoding="utf-8"))["Card"]
    assert snippet["body"][:4] == own["snippet"]
    stops = re.findall(r"\$\{?(\d+)", "\n".join(snippet["body"]))
    assert stops == [str(number) for number in range(1, len(stops) + 1)]


def test_new_writes_a_draft_that_builds_as_it_is(starter, kb):
    made = kb("new", "MobileNetV4", "Qin2024ECCV", cwd=starter, env={"SOURCE_DATE_EPOCH": "1730000000"})
    assert made.returncode == 0, made.stderr
    note = Path(made.stdout.strip())
    assert note == starter / "notes" / "Qin2024ECCV.md"
    assert note.read_text(encoding="utf-8").startswith(
        "---\nstatus: draft\ndate: 2024-10-27\n---\n\n### MobileNetV4: Qin2024ECCV\n"
    )
    [card] = json.loads(kb("parse", note, "--format", "json", cwd=starter).stdout)
    assert (card["name"], card["citekey"], card["status"]) == ("MobileNetV4", "Qin2024ECCV", "draft")
    build = kb("build", "--locked", cwd=starter)
    assert build.returncode == 0, build.stderr
    assert (starter / "site" / "cards" / "Qin2024ECCV.html").is_file()
    feed = json.loads((starter / "site" / "feed.json").read_text(encoding="utf-8"))  # or it would stay empty for ever
    assert [item["date_published"][:10] for item in feed["items"]] == ["2024-10-27"]


def test_a_new_card_has_the_day_that_it_is_made_on(starter, kb):
    before = datetime.now().astimezone().date()
    template = starter / "templates" / "card.md"
    text = template.read_text(encoding="utf-8").replace("status: draft", "创建日期:\nstatus: draft")
    template.write_text(text, encoding="utf-8")
    kb("new", "MobileNetV4", "Qin2024ECCV", cwd=starter)
    [card] = json.loads(kb("parse", "notes/Qin2024ECCV.md", "--format", "json", cwd=starter).stdout)
    assert before <= date.fromisoformat(card["date"]) <= datetime.now().astimezone().date()


def test_new_reads_the_template_of_the_knowledge_base(starter, kb):
    template = starter / "templates" / "card.md"
    text = template.read_text(encoding="utf-8").replace("status: draft", "status: draft\ntags: [待读]")
    template.write_text(text.replace("#### Method\n", "#### Key ideas\n"), encoding="utf-8")
    assert kb("new", "A: B", "Qin2024ECCV", cwd=starter).returncode == 0
    note = (starter / "notes" / "Qin2024ECCV.md").read_text(encoding="utf-8")
    assert "tags:\n- 待读\n" in note
    assert "### A: B: Qin2024ECCV\n" in note
    assert "#### Key ideas\n" in note


@pytest.mark.parametrize(
    ("name", "citekey", "code"),
    [
        ("VGG again", "Simonyan2015ICLR", "K206"),
        ("VGG again", "simonyan2015iclr", "K206"),
        ("Hidden", "Qin\u200b2024ECCV", "K204"),
        ("Outside", "../Qin2024ECCV", "K204"),
        ("Outside", "/tmp/Qin2024ECCV", "K204"),
        ("Template", "{author}2024ECCV", "K204"),
        ("", "", "K204"),
    ],
)
def test_new_refuses_a_key_that_cannot_be_one(name, citekey, code, starter, kb):
    before = sorted(starter.parent.rglob("*"))
    done = kb("new", name, citekey, cwd=starter)
    assert done.returncode == 1
    assert f" {code} " in done.stderr
    assert sorted(starter.parent.rglob("*")) == before


def test_new_never_replaces_a_file(starter, kb):
    path = starter / "notes" / "Qin2024ECCV.md"
    path.write_text("# something else\n", encoding="utf-8")
    done = kb("new", "MobileNetV4", "Qin2024ECCV", cwd=starter)
    assert done.returncode == 4
    assert "notes/Qin2024ECCV.md" in done.stderr
    assert path.read_text(encoding="utf-8") == "# something else\n"


def test_the_starting_model_runs_for_real(starter):
    sys.path.insert(0, str(starter))
    try:
        import torch

        from reference_models.vgg import example_inputs, vgg

        assert vgg("A", classes=7).eval()(*example_inputs()).shape == torch.Size([1, 7])
    finally:
        sys.path.remove(str(starter))
        for name in [name for name in sys.modules if name.split(".")[0] == "reference_models"]:
            del sys.modules[name]
