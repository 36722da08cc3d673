"""kb init and kb new: what they write, and what they refuse."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest


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


def test_the_workflow_that_init_writes_names_this_version(starter, kb):
    version = kb("--version").stdout.split()[1]
    text = (starter / ".github/workflows/site.yml").read_text(encoding="utf-8")
    assert f"pip install paperkb=={version}\n" in text
    assert "kb build --locked --strict --format github" in text


def test_new_writes_a_draft_that_builds_as_it_is(starter, kb):
    made = kb("new", "MobileNetV4", "Qin2024ECCV", cwd=starter)
    assert made.returncode == 0, made.stderr
    note = Path(made.stdout.strip())
    assert note == starter / "notes" / "Qin2024ECCV.md"
    assert note.read_text(encoding="utf-8").startswith("---\nstatus: draft\n---\n\n### MobileNetV4: Qin2024ECCV\n")
    [card] = json.loads(kb("parse", note, "--format", "json", cwd=starter).stdout)
    assert (card["name"], card["citekey"], card["status"]) == ("MobileNetV4", "Qin2024ECCV", "draft")
    build = kb("build", "--locked", cwd=starter)
    assert build.returncode == 0, build.stderr
    assert (starter / "site" / "cards" / "Qin2024ECCV.html").is_file()


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
