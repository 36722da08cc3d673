"""The wheel alone: in an empty environment without Node and torch, it starts and builds a knowledge base."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

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
        "kb/frontend/mathjax/startup.js",
        "kb/starter/shared/mkdocs.yml",
        "kb/starter/shared/.github/workflows/site.yml",
        "kb/starter/shared/.github/workflows/measure.yml",
        "kb/starter/shared/.gitignore",
        "kb/starter/shared/.gitlab-ci.yml",
        "kb/starter/shared/.vscode/tasks.json",
        "kb/starter/zh/README.md",
        "kb/starter/shared/reference_models/measured.yml",
        "kb/serving.js",
        "kb/texts/zh.yml",
        "kb/codes/K301.yml",
        "kb/templates/pages/code.md.j2",
        "kb/schemas/card.schema.json",
        "kb/schemas/front-matter.schema.json",
        "kb/schemas/settings.schema.json",
        "kb/measured/timm-1.0.31.csv",
        "kb/measured/torchvision-0.28.0.csv",
    ):
        assert needed in names
    assert [name for name in names if not name.startswith(("kb/", "paperkb-"))] == []
    assert [name for name in names if "__pycache__" in name or "axe.min" in name] == []


@pytest.fixture
def run(environment, tmp_path) -> Run:
    """Run kb in that environment: `run("build", "--locked")`."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        kb = environment / "kb"
        alone = {"PATH": str(environment), "HOME": str(tmp_path), "LANG": "C.UTF-8", **more}
        return subprocess.run([kb, *arguments], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_knowledge_base_is_started_and_built_without_node_and_torch(language, run, tmp_path):
    assert run("init", "base", "--lang", language).returncode == 0
    done = run("-C", "base", "build", "--strict")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 card, 4 figures tested (4 agree): ")
    site = tmp_path / "base" / "site"
    for page in ("index.html", "cards/Simonyan2015ICLR.html", "models.html", "search/index.js"):
        assert (site / page).is_file(), page
    assert (site / "assets" / "mathjax" / "core.js").stat().st_size > 100_000

    model = tmp_path / "base" / "reference_models" / "vgg.py"
    model.write_text(model.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    stale = run("-C", "base", "build")
    assert stale.returncode == 3
    assert "pip install 'paperkb[models]'" in stale.stderr
    assert (site / "index.html").is_file()


RESULTS = """
| Network | Params | MACs |
|---|---|---|
| ResNet-50, `torchvision.models:resnet50()` | 25.6 M | 4.1 G |
| ViT-B/16, `timm.create_model("vit_base_patch16_224")` | 86.6 M | 17.6 G |
"""


@pytest.fixture
def of_packages(run, tmp_path) -> Path:
    """A knowledge base whose card names models of torchvision and timm, of which nothing is installed."""
    assert run("init", "base", "--lang", "en").returncode == 0
    settings = tmp_path / "base" / "mkdocs.yml"
    text = settings.read_text(encoding="utf-8")
    assert "packages: []" in text
    settings.write_text(text.replace("packages: []", "packages: [timm, torchvision]"), encoding="utf-8")
    [note] = (tmp_path / "base" / "notes").glob("*.md")
    note.write_text(note.read_text(encoding="utf-8") + RESULTS, encoding="utf-8")
    return note


@pytest.mark.parametrize("arguments", [["--locked", "--strict"], []])
def test_models_of_packages_show_their_numbers_where_they_are_not_installed(arguments, run, of_packages, tmp_path):
    assert run("-C", "base", "check").stdout == ""
    done = run("-C", "base", "build", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 card, 8 figures tested (8 agree): ")
    page = (tmp_path / "base" / "site" / "cards" / f"{of_packages.stem}.html").read_text(encoding="utf-8")
    for shown in ("25,557,032", "4,089,184,256", "86,567,656", "timm 1.0.31, torchvision 0.28.0"):
        assert shown in page


def test_the_version_that_was_measured_is_named_also_beside_another(run, of_packages, tmp_path):
    """A torchvision without torch runs nothing: what kb brings along is shown, with the version that it is of."""
    metadata = tmp_path / "other" / "torchvision-99.1.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 99.1\n", encoding="utf-8")
    done = run("-C", "base", "build", "--locked", PYTHONPATH=str(metadata.parent.parent))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "base" / "site" / "cards" / f"{of_packages.stem}.html").read_text(encoding="utf-8")
    assert "torchvision 0.28.0" in page


def test_a_packages_model_that_kb_does_not_know_is_named(run, of_packages):
    text = of_packages.read_text(encoding="utf-8")
    of_packages.write_text(text.replace("models:resnet50()", "models:resnet5()"), encoding="utf-8")
    done = run("-C", "base", "build")
    assert done.returncode == 3
    assert "`torchvision.models:resnet5()` is not measured as it is now" in done.stderr
    assert "did you mean `torchvision.models:resnet50()`?" in done.stderr
    assert "pip install 'paperkb[models]'" in done.stderr
