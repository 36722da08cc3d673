"""What README says is true: its commands exist, its card builds, its figures are the ones that kb gives."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest

import kb as library
from kb.cli import parser

READMES = ["README.md", "README.zh.md"]
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
CARD = re.compile(r"^```markdown\n(### .*?)^```", re.DOTALL | re.MULTILINE)
FIGURE = re.compile(
    r"^\| (MobileNetV2.*?)[,，]\s*(params|MAdds|参数量|乘加次数) \| ([\d.]+) M \| ([\d,]+) \| ([≈≠✓])", re.MULTILINE
)
METRICS = {"params": "params", "参数量": "params", "MAdds": "macs", "乘加次数": "macs"}
MARKS = {"✓": "agrees", "≈": "agrees_counting", "≠": "unexplained"}


@pytest.fixture(params=READMES)
def readme(request, root) -> str:
    return (root / request.param).read_text(encoding="utf-8")


def commands(readme: str) -> list[list[str]]:
    """Every command of the shell blocks, as words."""
    lines = [line for block in SHELL.findall(readme) for line in block.splitlines()]
    return [shlex.split(part, comments=True) for line in lines for part in line.split("&&")]


def test_every_kb_command_is_one(readme):
    called = [words[1:] for words in commands(readme) if words and words[0].rpartition("/")[2] == "kb"]
    assert {words[0] for words in called} >= {"build", "check", "init", "measure", "new", "serve"}
    for words in called:
        parser().parse_args(words)


def test_every_make_target_is_one(readme, root):
    targets = [words[1] for words in commands(readme) if words[:1] == ["make"]]
    rules = (root / "Makefile").read_text(encoding="utf-8")
    assert targets
    assert all(re.search(rf"^{target}:", rules, re.MULTILINE) for target in targets)


def test_every_link_to_a_file_leads_to_one(readme, root):
    targets = re.findall(r'(?:\]\(|src=")([\w./-]+)[)"]', readme)
    assert targets
    assert [target for target in targets if not (root / target).is_file()] == []


def test_the_card_builds_and_its_figure_agrees(readme, root, starter, kb):
    (starter / "notes" / "Iandola2016arxiv.md").write_text(CARD.search(readme)[1], encoding="utf-8")
    shutil.copy(root / "reference_models" / "squeezenet.py", starter / "reference_models")
    assert kb("measure", cwd=starter).returncode == 0
    done = kb("check", "--strict", cwd=starter)
    assert (done.returncode, done.stdout) == (0, "")
    card = library.load(starter)["Iandola2016arxiv"]
    assert [verdict.status for verdict in card.results[0].verdicts.values()] == ["agrees"]


def test_the_figures_are_those_of_the_card(readme, root):
    card = library.load(root)["Sandler2018CVPR"]
    first_table = [row for row in card.results if row.table == card.results[0].table]
    given = {
        (row.label, metric): (verdict.printed.printed, f"{verdict.measured:,}", verdict.status)
        for row in first_table
        for metric, verdict in row.verdicts.items()
        if verdict.measured is not None
    }
    said = FIGURE.findall(readme)
    assert len(said) == 4
    for label, metric, printed, measured, mark in said:
        assert given[label, METRICS[metric]] == (printed, measured, MARKS[mark])
