"""Runnable figures: functions of `figures/*.py`, beside the reference models, that return what is to be drawn.

They are found by reading the source, as factories are: a public function annotated `-> Figure` that needs no argument.
What a function returned lies beside it, as `NAME.json`, with a fingerprint of the code it came from, and drawn as
`NAME.svg`; pages draw it anew from the data, so they need no torch.
"""

from __future__ import annotations

import ast
import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from kb.drawing.plots import Plot, PlotError, plot_from
from kb.factories import ModelFile, read_model_files
from kb.fingerprints import same_line_ends, sources
from kb.problems import nearest, problem
from kb.records import Place, Problem

FOLDER = "figures"
SCHEME = "figure:"
ANNOTATION = "Figure"
VERSION = "1"  # to be raised whenever what is kept of a figure changes
FORMAT = 1
_NUMBERS = re.compile(r"\[\s+([^\[\]{}\"]*?)\s+\]")


@dataclass(frozen=True, slots=True)
class Runnable:
    """A function that returns a figure, and where it stands."""

    name: str
    path: str
    line: int

    @property
    def data(self) -> str:
        """The file of what it returned."""
        return (PurePosixPath(self.path).parent / f"{self.name}.json").as_posix()

    @property
    def drawing(self) -> str:
        """The file of its drawing."""
        return (PurePosixPath(self.path).parent / f"{self.name}.svg").as_posix()


def find_runnables(root: Path, models_dir: str) -> tuple[dict[str, Runnable], list[Problem]]:
    """All runnable figures by name, and what is wrong with their files."""
    files, problems = read_model_files(root, f"{models_dir}/{FOLDER}")
    found: dict[str, Runnable] = {}
    for file in files.values():
        for function in filter(_is_runnable, file.functions):
            runnable = Runnable(function.name, file.path, function.lineno)
            problems += _mistakes(runnable, function, found.get(function.name))
            found.setdefault(function.name, runnable)
    return found, problems


def _is_runnable(function: ast.FunctionDef) -> bool:
    annotation = function.returns
    named = annotation.value if isinstance(annotation, ast.Constant) else annotation and ast.unparse(annotation)
    return not function.name.startswith("_") and named == ANNOTATION


def _mistakes(runnable: Runnable, function: ast.FunctionDef, earlier: Runnable | None) -> Iterator[Problem]:
    place = Place(runnable.path, function.lineno, function.col_offset + 1)
    if earlier:
        message = f"there is a figure `{earlier.name}` already, at {earlier.path}:{earlier.line}"
        yield problem("K422", place, message, "give one of them another name")
    arguments = function.args
    required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    if required or None in arguments.kw_defaults:
        yield problem("K422", place, f"the figure `{runnable.name}` needs arguments", "give each of them a default")


def figure_name(target: str, note: str, models_dir: str) -> str | None:
    """The figure that an image of a note names: `figure:NAME`, or the path of its drawing; None for another image."""
    if target.startswith(SCHEME):
        return target.removeprefix(SCHEME).strip()
    path = PurePosixPath(posixpath.normpath(posixpath.join(posixpath.dirname(note), unquote(target))))
    return path.stem if path.suffix == ".svg" and path.parent == PurePosixPath(models_dir, FOLDER) else None


def unknown(name: str, known: Mapping[str, Runnable], place: Place) -> Problem:
    """The problem of an image that names no figure."""
    hint = nearest(name, known) or f"a function annotated `-> {ANNOTATION}` in reference_models/{FOLDER}/ makes one"
    return problem("K421", place, f"there is no figure `{name}`", hint)


# ------------------------------------------------------------------------------------------------- what is kept


def fingerprint_of(runnable: Runnable, root: Path, models_dir: str) -> str:
    """SHA-256 over a figure's name and the code it comes from: its file, and all files of the folders it imports."""
    digest = hashlib.sha256(f"{VERSION}\n{runnable.name}\n".encode())
    for path in code_of(runnable, root, models_dir):
        digest.update(f"{path}\n".encode())
        digest.update(same_line_ends((root / path).read_bytes()))
    return digest.hexdigest()


def code_of(runnable: Runnable, root: Path, models_dir: str) -> list[str]:
    """The files that a figure comes from, sorted: its own, its siblings that it imports, and reference models."""
    own = sources(runnable.path, root)
    files, _ = read_model_files(root, f"{models_dir}/{FOLDER}", models_dir)
    models = {path for each in own for path in _models_of(files.get(PurePosixPath(each).stem), root, models_dir)}
    return sorted({*own, *models})


def _models_of(file: ModelFile | None, root: Path, models_dir: str) -> Iterator[str]:
    for stem in sorted({name for pair in (file.imports.values() if file else ()) for name in pair}):
        yield from sources(f"{models_dir}/{stem}.py", root)


def read_plot(runnable: Runnable, root: Path) -> tuple[str, Plot | None]:
    """The fingerprint of what is kept of a figure, and the figure; none where it cannot be used."""
    try:
        data = json.loads((root / runnable.data).read_text(encoding="utf-8"))
        return str(data["fingerprint"]), plot_from(data["figure"]) if data["format"] == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, PlotError, RecursionError):
        return "", None


def is_stale(runnable: Runnable, root: Path, models_dir: str) -> bool:
    """Whether a figure was never drawn, or its code has changed since."""
    kept, plot = read_plot(runnable, root)
    drawn = plot is not None and (root / runnable.drawing).is_file()
    return not drawn or kept != fingerprint_of(runnable, root, models_dir)


def data_text(figure: object, fingerprint: str) -> str:
    """What is kept of a figure: lists of numbers on one line each, so that a change shows where it is."""
    text = json.dumps({"format": FORMAT, "fingerprint": fingerprint, "figure": figure}, ensure_ascii=False, indent=1)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def unused_files(runnables: Mapping[str, Runnable], root: Path, models_dir: str) -> list[Path]:
    """Drawings whose figure is gone: data of ours that no function makes any more, and what was drawn from it."""
    kept = {each.data for each in runnables.values()}
    folder = root / models_dir / FOLDER
    gone = [path for path in sorted(folder.glob("*.json")) if path.relative_to(root).as_posix() not in kept]
    ours = [path for path in gone if '"fingerprint"' in path.read_text(encoding="utf-8", errors="replace")]
    return [each for path in ours for each in (path, path.with_suffix(".svg")) if each.exists()]
