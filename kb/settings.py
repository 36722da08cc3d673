"""The settings of a knowledge base: the few lines of its mkdocs.yml that kb reads."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import yaml

from kb.problems import problem
from kb.records import DEFAULT_LIMITS, Limits, Place, Problem

FILE = "mkdocs.yml"
BIBLIOGRAPHY = "references.bib"


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole knowledge base. Folders are relative to `root`."""

    root: Path
    site_name: str = ""
    language: Literal["zh", "en"] = "en"
    packages: tuple[str, ...] = ()  # installed packages whose models cards may name
    bibliography: tuple[str, ...] = ()  # files that every card's paper ought to be in
    notes: str = "notes"
    models: str = "reference_models"
    site: str = "site"
    build: str = "build"
    site_url: str = ""
    repo_url: str = ""
    limits: Limits = DEFAULT_LIMITS


def find_root(start: Path | str = ".") -> Path | None:
    """The nearest folder with a mkdocs.yml: the given one, or one above it."""
    start = Path(start).resolve()
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def load_settings(root: Path) -> tuple[Settings, list[Problem]]:
    """The settings in the root's mkdocs.yml; where a part cannot be used its default stands, and a problem says so."""
    data, problems = _read(root)
    reader = _Reader(problems)
    extra = reader.mapping(data, "extra")
    ours = reader.mapping(extra, "kb", "extra.kb")
    theme = {"name": data["theme"]} if isinstance(data.get("theme"), str) else reader.mapping(data, "theme")
    settings = Settings(
        root=root,
        site_name=reader.text(data, "site_name"),
        language="zh" if reader.text(theme, "language", "theme.language").lower().startswith("zh") else "en",
        packages=reader.names(ours, "packages", "extra.kb.packages"),
        bibliography=reader.files(ours, "bibliography", "extra.kb.bibliography", root) or _usual_bibliography(root),
        site_url=reader.text(data, "site_url"),
        repo_url=reader.text(data, "repo_url"),
        limits=reader.limits(ours),
    )
    return settings, problems


def _is_inside(path: Path, root: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(root.resolve())


def _usual_bibliography(root: Path) -> tuple[str, ...]:
    return (BIBLIOGRAPHY,) if (root / BIBLIOGRAPHY).is_file() else ()


class _TolerantLoader(yaml.SafeLoader):
    """Reads what MkDocs reads; its tag `!!python/name:…` stands for nothing here."""


class _Marked(dict[str, object]):
    """A mapping with the line and column of each of its values."""

    marks: dict[str, tuple[int, int]]


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> _Marked:
    loader.flatten_mapping(node)
    result = _Marked()
    result.marks = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        result[key] = loader.construct_object(value_node, deep=True)
        result.marks[key] = (value_node.start_mark.line + 1, value_node.start_mark.column + 1)
    return result


def _nothing(_loader: yaml.SafeLoader, _suffix: str, _node: yaml.Node) -> None:
    return None


def _from_environment(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    """`!ENV NAME`, or `!ENV [NAME, OTHER, default]`: the first variable that is set, else the default."""
    parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
    names = [str(part.value) for part in (parts[:-1] or parts) if isinstance(part, yaml.ScalarNode)]
    default = loader.construct_object(parts[-1]) if len(parts) > 1 else None
    return next((os.environ[name] for name in names if name in os.environ), default)


_TolerantLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
_TolerantLoader.add_constructor("!ENV", _from_environment)
_TolerantLoader.add_multi_constructor("!", _nothing)
_TolerantLoader.add_multi_constructor("tag:yaml.org,2002:python/", _nothing)


def _read(root: Path) -> tuple[dict[str, object], list[Problem]]:
    try:
        data = yaml.load((root / FILE).read_text(encoding="utf-8-sig"), Loader=_TolerantLoader)
    except FileNotFoundError:
        hint = "run kb in a knowledge base, or name one with -C; `kb init DIR` makes one"
        return {}, [problem("K601", Place(FILE), "there is no mkdocs.yml", hint)]
    except UnicodeDecodeError:
        return {}, [problem("K601", Place(FILE), "mkdocs.yml is not UTF-8", "save it as UTF-8")]
    except OSError as error:
        return {}, [problem("K601", Place(FILE), f"mkdocs.yml cannot be read: {error.strerror}")]
    except yaml.MarkedYAMLError as error:
        return {}, [_unreadable(error)]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, [problem("K601", Place(FILE), f"mkdocs.yml cannot be read: {error}")]
    if data is None or isinstance(data, dict):
        return data or {}, []
    return {}, [problem("K601", Place(FILE), "mkdocs.yml holds no settings", "write `name: value` lines")]


def _unreadable(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(FILE, mark.line + 1, mark.column + 1) if mark else Place(FILE)
    return problem("K601", place, f"mkdocs.yml cannot be read: {error.problem}")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads values of the expected type, and reports the others."""

    problems: list[Problem]

    def mapping(self, data: dict[str, object], key: str, shown: str = "") -> dict[str, object]:
        value = data.get(key)
        if value is not None and not isinstance(value, dict):
            self._wrong(data, key, shown, "a mapping of names to values")
        return value if isinstance(value, dict) else {}

    def text(self, data: dict[str, object], key: str, shown: str = "") -> str:
        value = data.get(key)
        if value is not None and not isinstance(value, str | int | float):
            self._wrong(data, key, shown, "a text")
        return str(value) if isinstance(value, str | int | float) else ""

    def names(self, data: dict[str, object], key: str, shown: str) -> tuple[str, ...]:
        value = data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(data, key, shown, "a list of names, as in `[torchvision, timm]`")
            return ()
        return tuple(value)

    def files(self, data: dict[str, object], key: str, shown: str, root: Path) -> tuple[str, ...]:
        """One path or several, relative to the root; those that lead to no file are reported and left out."""
        value = data.get(key)
        paths = [value] if isinstance(value, str) else value
        if paths is None:
            return ()
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            self._wrong(data, key, shown, "a path, or a list of paths, as in `references.bib`")
            return ()
        inside = [path for path in paths if _is_inside(root / path, root)]
        for path in paths:
            if path not in inside:
                self._wrong(data, key, shown, f"a file in the knowledge base, and `{path}` is none")
        return tuple(inside)

    def limits(self, ours: dict[str, object]) -> Limits:
        """How large a note may be; what is not set keeps its default."""
        data = self.mapping(ours, "limits", "extra.kb.limits")
        known = [each.name for each in fields(Limits)]
        for name in data:
            if name not in known:
                self._wrong(data, name, f"extra.kb.limits.{name}", f"one of {', '.join(known)}")
        return Limits(**{name: found for name in known if (found := self._count(data, name, "extra.kb.limits"))})

    def _count(self, data: dict[str, object], key: str, above: str) -> int:
        value = data.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            self._wrong(data, key, f"{above}.{key}", "a whole number above 0")
            return 0
        return value or 0

    def _wrong(self, data: dict[str, object], key: str, shown: str, expected: str) -> None:
        line, column = data.marks[key] if isinstance(data, _Marked) else (1, 1)
        self.problems.append(problem("K601", Place(FILE, line, column), f"`{shown or key}` must be {expected}"))
