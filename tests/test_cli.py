"""The command line as its users meet it: exit codes, formats, what is loaded and what is printed where."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kb import cli

COMMANDS = ("init", "new", "import", "parse", "export", "check", "fix", "measure", "explain", "audit")
COMMANDS += ("build", "serve", "diff", "status")
MODEL = "reference_models/vgg.py"
NOTE = "notes/Simonyan2015ICLR.md"


def loaded_by(*arguments: str, cwd: Path) -> set[str]:
    """The top-level modules that a command loads."""
    program = (
        "import sys, json; from kb.cli import main; main(sys.argv[1:]);"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=cwd, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_names_every_command_and_loads_nothing_for_it(starter, kb):
    done = kb("--help")
    assert done.returncode == 0
    assert all(f"    {name} " in done.stdout for name in COMMANDS)
    assert loaded_by("--help", cwd=starter).isdisjoint({"torch", "mkdocs", "markdown_it", "yaml", "jinja2", "dask"})


def test_new_loads_what_reads_a_note_and_no_more(starter):
    """Neither what measures, judges and builds, nor the other cards: a card is begun in an instant."""
    loaded = loaded_by("new", "MobileNetV4", "Qin2024ECCV", cwd=starter)
    assert loaded.isdisjoint({"torch", "mkdocs", "material", "jinja2", "nh3", "pygments", "dask", "distributed"})


def test_check_loads_neither_torch_nor_mkdocs(starter):
    assert loaded_by("check", cwd=starter).isdisjoint({"torch", "mkdocs", "material", "jinja2", "nh3", "jieba"})


def test_a_locked_build_loads_no_torch(starter):
    loaded = loaded_by("build", "--locked", cwd=starter)
    assert "mkdocs" in loaded
    assert "torch" not in loaded


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, kb):
    done = kb(name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: kb {name}")


def test_each_readme_shows_every_command(root):
    readmes = sorted(root.glob("README*.md"))
    assert len(readmes) == 2, "one in English and one in Chinese"
    for readme in readmes:
        text = readme.read_text(encoding="utf-8")
        assert [name for name in COMMANDS if f"kb {name}" not in text] == [], readme.name


def test_both_names_of_the_command_are_installed():
    for name in ("kb", "paperkb"):
        done = subprocess.run(
            [Path(sys.executable).with_name(name), "--version"], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith("kb ")


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["parse"], ["parse", "x.md", "--format", "xml"], ["new", "X"]])
def test_what_cannot_be_understood_is_a_usage_error(arguments, starter, kb):
    done = kb(*arguments, cwd=starter)
    assert done.returncode == 2
    assert "usage: kb" in done.stderr


@pytest.mark.parametrize("command", [["check"], ["build"], ["measure"], ["serve"], ["new", "X", "Qin2024ECCV"]])
@pytest.mark.parametrize("where", [[], ["-C", "."]])
def test_a_folder_without_settings_is_no_knowledge_base(command, where, tmp_path, kb):
    done = kb(*where, *command, cwd=tmp_path)
    assert done.returncode == 2
    assert "kb init" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["-C", "base", "check"], ["check", "-C", "base"]])
def test_the_knowledge_base_can_be_named(arguments, starter, kb):
    done = kb(*arguments, cwd=starter.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_command_works_from_any_folder_below(starter, kb):
    (starter / NOTE).write_text("# nothing\n", encoding="utf-8")
    done = kb("check", cwd=starter / "reference_models")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{NOTE}:1:1: K209 ")


def test_a_file_that_is_not_there_is_an_error_of_input(starter, kb):
    done = kb("parse", "nowhere.md", cwd=starter)
    assert done.returncode == 4
    assert "nowhere.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_an_error_of_output(starter, kb):
    (starter / "build").write_text("a file where a folder ought to be", encoding="utf-8")
    done = kb("build", "--locked", cwd=starter)
    assert done.returncode == 4
    assert "build" in done.stderr
    assert "Traceback" not in done.stderr


def failing(_: object) -> int:
    raise ZeroDivisionError("by accident")


def test_a_bug_of_ours_is_said_to_be_one(monkeypatch, capsys):
    monkeypatch.delenv("KB_DEBUG", raising=False)
    assert cli.guarded(failing, None) == 70
    said = capsys.readouterr().err
    assert "bug in kb" in said
    assert "KB_DEBUG=1" in said
    assert "Traceback" not in said
    monkeypatch.setenv("KB_DEBUG", "1")
    assert cli.guarded(failing, None) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error(root):
    command = [sys.executable, "-m", "kb", "parse", "notes/Howard2017arxiv.md", "--format", "json"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


def test_an_interrupt_is_quiet(starter):
    command = [sys.executable, "-m", "kb", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=starter, env=environment, **pipes) as process:
        assert b"http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert b"Traceback" not in said


# ----------------------------------------------------------------------------------------------------- kb measure


def test_measure_gives_json_in_the_order_asked(starter, kb):
    calls = ['vgg(configuration="E")', "vgg(classes=10)"]
    done = kb("measure", *calls, "--format", "json", cwd=starter)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert [each["call"] for each in data] == calls
    first = data[0]
    assert list(first)[:6] == ["call", "input", "params", "macs", "flops", "activations"]
    # 16 convolutions put out 2 × 64 × 224², 2 × 128 × 112², 4 × 256 × 56², 4 × 512 × 28², 4 × 512 × 14² = 14,852,096
    # elements, the linear layers 4096 + 4096 + 1000
    assert first["activations"] == 14_852_096 + 9_192
    assert first["arithmetic_intensity"] == 39_264_124_928 / (4 * (143_667_240 + 14_861_288))
    assert (first["params"], first["macs"], first["flops"]) == (143_667_240, 19_632_062_464, 39_264_124_928)
    assert first["input"] == "1×3×224×224"
    assert sum(kind["macs"] for kind in first["by_kind"].values()) == first["macs"]
    assert sum(layer["params"] for layer in first["layers"]) == first["params"]


def test_measure_prints_a_table_with_units_and_no_progress_in_a_pipe(starter, kb):
    done = kb("measure", "vgg()", "vgg(resolution=32)", cwd=starter, env={"PYTHONUTF8": "1"})
    # 32×32 does not fit the dense layers: the other call is measured all the same.
    assert done.returncode == 1
    assert "K407" in done.stderr
    assert "\r" not in done.stderr
    assert done.stdout.splitlines() == [
        "call   input         params     MACs    FLOPs  activations",
        "vgg()  1×3×224×224  138.4 M  15.47 G  30.94 G      13.56 M",
        "",
        "kind     params             MACs",
        "conv    14.71 M  10.6 %  15.35 G  99.2 %",
        "linear  123.6 M  89.4 %  123.6 M   0.8 %",
        "",
        "parameters   weights 138.3 M, biases 13.42 k, normalisation 0",
        "memory       25.07 MiB of activations alive at once at most; the largest has 3.211 M elements",
        "intensity    50.9 FLOPs per byte, as if each parameter and activation moved once, at 32 bits",
        "classifier   38",
        "not in MACs  activation 13.56 M, pooling 6.121 M elements",
    ]


def test_measure_of_several_calls_prints_a_line_for_each(starter, kb):
    done = kb("measure", "vgg()", 'vgg(configuration="E")', cwd=starter, env={"PYTHONUTF8": "1"})
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["call", "vgg()", 'vgg(configuration="E")']
    assert kb("measure", "vg()", cwd=starter).stdout == ""


def test_measure_gives_csv_with_exact_numbers(starter, kb):
    done = kb("measure", "vgg()", "--format", "csv", cwd=starter)
    [row] = csv.DictReader(io.StringIO(done.stdout))
    assert (row["call"], row["params"], row["macs"]) == ("vgg()", "138357544", "15470264320")


@pytest.mark.parametrize(
    ("call", "code", "hint"), [("vg()", "K402", "vgg"), ("vgg(widht=1)", "K403", ""), ("vgg(", "K401", "")]
)
def test_measure_says_what_is_wrong_with_a_call(call, code, hint, starter, kb):
    done = kb("measure", call, cwd=starter)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"kb: {code} ")
    assert hint in done.stderr


def test_measure_without_calls_measures_what_the_notes_name_and_updates_the_lock(starter, kb):
    lock = starter / "reference_models" / "measured.yml"
    before = lock.read_bytes()
    lock.unlink()
    done = kb("measure", cwd=starter)
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[0] for line in done.stdout.splitlines()[1:]] == [
        "vgg()",
        'vgg(configuration="A")',
        'vgg(configuration="B")',
        'vgg(configuration="E")',
    ]
    assert lock.read_bytes() == before


UNKNOWN_OPERATOR = """import torch
from torch import nn


class Odd(nn.Module):
    def forward(self, x):
        return torch.linalg.svdvals(x)


def odd() -> nn.Module:
    return Odd()


def example_inputs():
    return (torch.zeros(1, 4, 4),)
"""


def test_measure_fails_where_an_operator_is_not_counted_unless_told_otherwise(starter, kb):
    (starter / "reference_models" / "odd.py").write_text(UNKNOWN_OPERATOR, encoding="utf-8")
    done = kb("measure", "odd()", cwd=starter)
    assert done.returncode == 1
    assert "svd" in done.stdout + done.stderr
    assert kb("measure", "odd()", "--allow-incomplete", cwd=starter).returncode == 0


# ------------------------------------------------------------------------------------------------------- kb check


def test_check_reports_in_each_format(starter, kb):
    note = starter / NOTE
    note.write_text(note.read_text(encoding="utf-8").replace("> Architecture", "> Architectur"), encoding="utf-8")
    text, data, github = (kb("check", "--format", form, cwd=starter) for form in ("text", "json", "github"))
    assert {text.returncode, data.returncode, github.returncode} == {1}
    [found] = json.loads(data.stdout)
    assert (found["code"], found["path"], found["line"], found["severity"]) == ("K203", NOTE, 3, "error")
    assert text.stdout.startswith(f"{NOTE}:3:3: K203 ")
    assert "\x1b" not in text.stdout
    assert github.stdout.startswith(f"::error file={NOTE},line=3,col=3")


def test_check_can_be_limited_to_some_notes(starter, kb):
    (starter / "notes" / "other").mkdir()
    (starter / "notes" / "other" / "x.md").write_text("# nothing\n", encoding="utf-8")
    (starter / NOTE).write_text("# nothing\n", encoding="utf-8")
    done = kb("check", "notes/other", cwd=starter)
    assert [line.split(":")[0] for line in done.stdout.splitlines() if " K209 " in line] == ["notes/other/x.md"]


def test_strict_takes_warnings_for_errors(starter, kb):
    kb("new", "MobileNetV4", "Qin2024ECCV", cwd=starter)
    lenient, strict = kb("check", cwd=starter), kb("check", "--strict", cwd=starter)
    assert (lenient.returncode, strict.returncode) == (0, 1)
    assert lenient.stdout == strict.stdout != ""
