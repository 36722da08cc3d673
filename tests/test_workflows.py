"""The workflows: YAML that says what it ought to, safe as it is, and whose commands do what they are there for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from edits import edit, git

from kb.cli import parser

NOTE = "notes/Simonyan2015ICLR.md"
ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT / "kb" / "starter" / "shared"
WORKFLOWS = sorted([*(SHARED / ".github/workflows").glob("*.yml"), *(ROOT / ".github/workflows").glob("*.yml")])
SITES = [path for path in WORKFLOWS if path.name == "site.yml"]


def read(path: Path) -> dict:
    """A workflow; YAML 1.1 takes its key `on` for true."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in data.items()}


def steps(data: dict) -> Iterator[dict]:
    """The steps of a workflow's jobs, or of an action."""
    for part in (*data.get("jobs", {}).values(), data.get("runs", {})):
        yield from part.get("steps", [])


# -------------------------------------------------------------------------------------------------- safe as it is


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_workflow_can_read_and_knows_no_secrets(path):
    data = read(path)
    assert data["permissions"] == {"contents": "read"}
    assert not {"pull_request_target", "workflow_run"} & set(data["on"])
    assert "secrets." not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_others_write_is_pasted_into_a_script(path):
    for step in steps(read(path)):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_who_publishes_checks_nothing_out_and_runs_nothing(path):
    jobs = read(path)["jobs"]
    assert [name for name, job in jobs.items() if "write" in job.get("permissions", {}).values()] == ["publish"]
    publish = jobs["publish"]
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == ["actions/deploy-pages"]
    assert publish["if"].startswith("github.ref == 'refs/heads/main' && ")
    assert "!github.event.repository.private && !github.event.repository.fork" in publish["if"]


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_clone_holds_what_a_comparison_needs_and_no_credentials(path):
    [checkout] = [step for step in steps(read(path)) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"] == {"fetch-depth": 2, "persist-credentials": False}


def test_models_run_only_where_a_stranger_cannot_push():
    for path in (SHARED / ".github/workflows").glob("*.yml"):
        data = read(path)
        runs = [step["run"] for step in steps(data) if "run" in step]
        if any("kb measure" in run or "[models]" in run for run in runs):
            assert set(data["on"]) == {"push", "workflow_dispatch"}
        builds = [run for run in runs if "kb build" in run]
        assert all("--locked" in run for run in builds)
    assert "--locked" in (ROOT / "action.yml").read_text(encoding="utf-8")


def test_gitlab_measures_no_fork_and_publishes_what_was_built():
    data = read(SHARED / ".gitlab-ci.yml")
    first = data["measure"]["rules"][0]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_PATH != $CI_PROJECT_PATH" in first["if"]
    assert first["when"] == "never"
    assert [name for name, job in data.items() if "kb measure" in str(job)] == ["measure"]
    assert all("--locked" in line for line in data["site"]["script"] if "kb build" in line)
    pages = data["pages"]
    assert pages["variables"]["GIT_STRATEGY"] == "none"
    assert pages["rules"] == [{"if": '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $KB_PUBLISH != "no"'}]
    assert not any("kb" in line or "pip" in line for line in pages["script"])


def test_they_install_this_version(starter, kb):
    version = kb("--version").stdout.split()[1]
    for path in (".github/workflows/site.yml", ".github/workflows/measure.yml", ".gitlab-ci.yml"):
        installs = re.findall(r"pip install .*", (starter / path).read_text(encoding="utf-8"))
        assert installs
        assert all(f"=={version}" in line for line in installs)


# ------------------------------------------------------------------------------------------- what their commands do


@pytest.fixture
def proposed(starter, tmp_path, kb) -> Path:
    """A pull request's state, as CI clones it: one commit, merged into another."""
    git(starter, "init", "--quiet", "--initial-branch=main")
    git(starter, "add", "--all")
    git(starter, "commit", "--quiet", "--message", "before")
    git(starter, "checkout", "--quiet", "-b", "proposal")
    edit(starter, f"in {NOTE}: | A | 133 | => | A | 132 |", kb)
    git(starter, "commit", "--quiet", "--all", "--message", "proposal")
    git(starter, "checkout", "--quiet", "main")
    git(starter, "merge", "--quiet", "--no-ff", "--message", "merged", "proposal")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=2", starter.as_uri(), str(clone))
    return clone


def shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step's script as CI does: with bash, stopping at the first failure, `kb` being on the path."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": path, "PYTHONUTF8": "1", "HOME": str(folder), "GITHUB_WORKSPACE": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def runs(path: Path, *containing: str) -> list[str]:
    """The scripts of steps that hold these words, in their order."""
    return [step["run"] for step in steps(read(path)) if any(word in step.get("run", "") for word in containing)]


ANNOTATION = f"::warning file={{}}{NOTE},line=25,col=7,title=K501::A: 132 M params printed"
SUMMARY = "- `Simonyan2015ICLR`, A, 133 M → 132 M params: ✓ agrees → ≠ unexplained\n"


def test_the_workflow_annotates_lines_and_says_what_changed(proposed, tmp_path):
    build, summary = runs(proposed / ".github/workflows/site.yml", "kb build", "kb diff")
    built = shell(build, proposed)
    assert built.returncode == 1
    assert built.stdout.startswith(ANNOTATION.format(""))
    page = tmp_path / "summary.md"
    assert shell(summary, proposed, GITHUB_STEP_SUMMARY=str(page)).returncode == 0
    assert SUMMARY in page.read_text(encoding="utf-8")


def test_the_action_does_so_in_a_folder_of_a_repository(proposed, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    shutil.copytree(proposed, repository / "papers", ignore=shutil.ignore_patterns(".git"))
    (repository / "papers" / NOTE).write_text(
        (repository / "papers" / NOTE).read_text(encoding="utf-8").replace("| A | 132 |", "| A | 133 |"),
        encoding="utf-8",
    )
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "before")
    shutil.copy(proposed / NOTE, repository / "papers" / NOTE)
    git(repository, "commit", "--quiet", "--all", "--message", "after")

    build, summary = runs(ROOT / "action.yml", "kb -C")
    page = tmp_path / "summary.md"
    given = {"FOLDER": "papers", "STRICT": "true", "BASE": "HEAD^", "GITHUB_STEP_SUMMARY": str(page)}
    built = shell(build, repository, **given)
    assert built.returncode == 1
    assert built.stdout.startswith(ANNOTATION.format("papers/"))
    assert shell(build, repository, **given | {"STRICT": "false"}).returncode == 0
    assert shell(summary, repository, **given).returncode == 0
    assert SUMMARY in page.read_text(encoding="utf-8")
    page.unlink()
    for base in ("", "nowhere"):
        assert shell(summary, repository, **given | {"BASE": base}).returncode == 0
        assert not page.exists()


@pytest.mark.parametrize("script", ["github", "gitlab"])
def test_measuring_fails_where_the_committed_measurements_are_others(script, proposed, kb):
    if script == "github":
        lines = runs(proposed / ".github/workflows/measure.yml", "kb measure", "git diff")
    else:
        lines = [line for line in read(proposed / ".gitlab-ci.yml")["measure"]["script"] if "pip" not in line]
    commands = "\n".join(lines)
    same = shell(commands, proposed)
    assert same.returncode == 0, same.stderr
    edit(proposed, "in reference_models/vgg.py: classes: int = 1000 => classes: int = 2000", kb)
    git(proposed, "commit", "--quiet", "--all", "--message", "another model")
    other = shell(commands, proposed)
    assert other.returncode == 1
    assert "-    params: 138357544\n" in other.stdout
    assert "+    params: 142454544\n" in other.stdout


def test_gitlab_says_what_changed(proposed):
    job = read(proposed / ".gitlab-ci.yml")["site"]
    build = "\n".join(line for line in job["script"] if "pip" not in line)
    assert shell(build, proposed).returncode == 1
    said = shell("\n".join(job["after_script"]), proposed)
    assert SUMMARY in said.stdout
    assert (proposed / "changes.md").read_text(encoding="utf-8") == said.stdout


# --------------------------------------------------------------------------------------------------- pre-commit


def test_the_hook_checks_the_notes_of_a_commit(starter, kb):
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    names = [NOTE, "papers/notes/deep/a.md", "README.md", "notes/a.txt", "mynotes/a.md", "notes.md"]
    assert [bool(re.search(hook["files"], name)) for name in names] == [True, True, False, False, False, False]
    command, *arguments = hook["entry"].split()
    assert command == "kb"
    kb("new", "ShuffleNet", "Zhang2018CVPR", cwd=starter)
    edit(starter, f"in {NOTE}: > Architecture => > Architektur", kb)
    assert kb(*arguments, "notes/Zhang2018CVPR.md", cwd=starter).returncode == 0
    done = kb(*arguments, "-C", "base", f"base/{NOTE}", cwd=starter.parent)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{NOTE}:3:3: K203 ")


# ---------------------------------------------------------------------------------------------- what docs say of it


@pytest.fixture(params=["docs/ci.md", "docs/ci.zh.md"])
def page(request) -> str:
    return (ROOT / request.param).read_text(encoding="utf-8")


def test_the_commands_of_the_page_are_some(page):
    commands = re.findall(r"`kb ([a-z][^`]*)`", page)
    assert {command.split()[0] for command in commands} >= {"build", "check", "diff", "init", "measure"}
    for command in commands:
        if " " in command:  # else it is spoken of by name
            parser().parse_args([word for word in command.split() if word != "…"])


def test_the_yaml_of_the_page_is_yaml_and_its_links_lead_somewhere(page):
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)]
    [action] = [step for block in blocks for step in block if isinstance(step, dict) and "kb@" in step.get("uses", "")]
    assert set(action["with"]) <= set(read(ROOT / "action.yml")["inputs"])
    for target in re.findall(r"\]\(([\w.]+\.md)", page):
        assert (ROOT / "docs" / target).is_file()
    for name in ("KB_PUBLISH", "SITE_URL"):
        assert name in page
        assert name in (SHARED / ".github/workflows/site.yml").read_text(encoding="utf-8")
