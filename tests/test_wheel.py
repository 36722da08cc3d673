"""The wheel alone: in an empty environment without Node and torch, it starts and builds a knowledge base."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    """The wheel of this checkout."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = target.glob("paperkb-*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(root, wheel, tmp_path_factory) -> Path:
    """The programs of an environment that holds the wheel and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    programs = folder / SCRIPTS
    command = [programs / "python", "-m", "pip", "install", "--quiet", "--constraint", root / "constraints.txt", wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return programs


def test_the_wheel_holds_all_that_it_needs_and_nothing_more(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "kb/templates/card.md",
        "kb/templates/pages/card.md.j2",
        "kb/templates/theme/assets/kb.js",
        "kb/frontend/mathjax/tex-chtml.js",
        "kb/starter/shared/mkdocs.yml",
        "kb/starter/shared/.github/workflows/site.yml",
        "kb/starter/shared/.gitignore",
        "kb/starter/shared/reference_models/measured.yml",
        "kb/serving.js",
        "kb/texts/zh.yml",
        "kb/schemas/card.schema.json",
    ):
        assert needed in names
    assert [name for name in names if not name.startswith(("kb/", "paperkb-"))] == []
    assert [name for name in names if "__pycache__" in name] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_knowledge_base_is_started_and_built_without_node_and_torch(language, environment, tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        kb = environment / "kb"
        alone = {"PATH": str(environment), "HOME": str(tmp_path), "LANG": "C.UTF-8"}
        return subprocess.run([kb, *arguments], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)

    assert run("init", "base", "--lang", language).returncode == 0
    done = run("-C", "base", "build", "--strict")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 card, 4 figures tested (4 agree): ")
    site = tmp_path / "base" / "site"
    for page in ("index.html", "cards/Simonyan2015ICLR.html", "models.html", "search/search_index.json"):
        assert (site / page).is_file(), page
    assert (site / "assets" / "mathjax" / "tex-chtml.js").stat().st_size > 100_000

    model = tmp_path / "base" / "reference_models" / "vgg.py"
    model.write_text(model.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    stale = run("-C", "base", "build")
    assert stale.returncode == 3
    assert "pip install 'paperkb[models]'" in stale.stderr
    assert (site / "index.html").is_file()
