"""Beginnings: a new knowledge base (`kb init`), and files of one's own in it."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path

from kb import resources, writing
from kb.editors import SNIPPETS, schemas, snippets
from kb.plain_yaml import front_matter
from kb.revisions import RevisionError, is_below_top, origin_of
from kb.schema import FILE, Schema, load_schema, parse_schema
from kb.settings import Settings

# What stands for something else in the files that both languages share.
PLACEHOLDERS = {
    "zh": {"SITE_NAME": "论文卡片", "SITE_DESCRIPTION": "数字由模型检验的论文笔记", "LANGUAGE": "zh"},
    "en": {
        "SITE_NAME": "Paper notes",
        "SITE_DESCRIPTION": "Paper notes whose numbers are tested by the model",
        "LANGUAGE": "en",
    },
}


# Of kb's schemas, those for files that people write; a card's is for programs.
EDITED = ("front-matter.schema.json", "settings.schema.json")
# What a repository's service does not read.
NOT_FOR = {"gitlab": (".github/",), "github": (".gitlab-ci.yml",)}


def start(folder: Path, language: str) -> tuple[list[Path], list[Path]]:
    """Write a small knowledge base into `folder`: the files made, and those that were there and stay as they are."""
    made: list[Path] = []
    kept: list[Path] = []
    own = schema_of(folder)
    files = sorted(wanted(starter(language, own), address_of(folder)).items())
    for parent in sorted({(folder / path).parent for path, _ in files}):
        writing.sweep(parent, below=False)
    try:
        for path, content in files:
            (made if writing.create(folder / path, content) else kept).append(folder / path)
    except BaseException:
        for each in made:
            writing.remove(each, folder)
        raise
    return made, kept


def starter(language: str, own: Schema | None = None) -> dict[str, bytes]:
    """The files of a new knowledge base, by path: settings, a card, its model, workflows, what editors need.

    `own` is what the folder's template says, where it has one already.
    """
    folder = resources.starter_dir()
    values = {**PLACEHOLDERS[language], "PAPERKB_VERSION": version("paperkb")}
    files = {path: replaced(data, values) for path, data in _files(folder / "shared").items()}
    files |= _files(folder / language)
    files |= {f".vscode/schemas/{name}": text.encode() for name, text in schemas().items() if name in EDITED}
    files[FILE] = card_template(files.pop("card.md", b""))
    files[SNIPPETS] = snippets(own or parse_schema(files[FILE].decode(), FILE)[0]).encode()
    return files


def schema_of(folder: Path) -> Schema | None:
    """What the template in a folder says; None where there is none."""
    return load_schema(folder)[0] if (folder / FILE).is_file() else None


def wanted(files: Mapping[str, bytes], address: str) -> dict[str, bytes]:
    """The files without the workflows of the service that the repository is not on; all where that is not to tell."""
    left_out = next((others for service, others in NOT_FOR.items() if service in address), ())
    return {path: data for path, data in files.items() if not path.startswith(left_out)}


def address_of(folder: Path) -> str:
    """Where the repository around a folder, which need not be there yet, is kept; "" where there is none."""
    there = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.is_dir())
    try:
        return origin_of(there)
    except RevisionError:
        return ""


def workflows_move(folder: Path) -> bool:
    """Whether the folder is not the top of its repository, where alone workflows are read."""
    try:
        return is_below_top(folder)
    except RevisionError:
        return False


def ejectable(settings: Settings) -> dict[str, bytes]:
    """The files that come with kb until a knowledge base has its own, by the path of its own."""
    files = {f"templates/{path}": data for path, data in _files(resources.templates_dir()).items()}
    card = resources.starter_dir() / settings.language / "card.md"
    files[FILE] = card_template(card.read_bytes() if card.is_file() else b"")
    files[SNIPPETS] = snippets(load_schema(settings.root)[0]).encode()
    return files


def eject(settings: Settings, name: str) -> Path:
    """Copy a file that comes with kb into the knowledge base. Raises LookupError, which lists what there is."""
    files = ejectable(settings)
    path = name.replace("\\", "/").removeprefix("./")
    if path not in files:
        listed = "".join(f"\n    {each}" for each in sorted(files))
        close = get_close_matches(path, files, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise LookupError(f"{name} is no file that comes with kb{meant} There are:{listed}")
    if not writing.create(settings.root / path, files[path]):
        raise FileExistsError(17, "is there already and stays as it is", path)
    return settings.root / path


def replaced(data: bytes, values: Mapping[str, str]) -> bytes:
    """A file with its placeholders filled in."""
    for placeholder, value in values.items():
        data = data.replace(placeholder.encode(), value.encode())
    return data


def card_template(card: bytes) -> bytes:
    """kb's own template; its card is replaced by the given one, in another language, if there is one."""
    template = (resources.templates_dir() / "card.md").read_text(encoding="utf-8")
    if not card:
        return template.encode()
    _, lines = front_matter(template)
    schema = "".join(template.splitlines(keepends=True)[:lines])
    return f"{schema}\n{card.decode()}".encode()


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def language_of_the_locale() -> str:
    """zh where the environment speaks Chinese, else en."""
    variables = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    spoken = next((value for value in variables if value), None) or locale.getlocale()[0] or ""
    return "zh" if spoken.casefold().startswith(("zh", "chinese")) else "en"
