"""Model indexes: the lists of models that Papers with Code reads, and the front matter of Hugging Face's model cards.

    Models:                                     model-index:
    - Name: resnet18_8xb32_in1k                 - name: resnet18
      Call: torchvision.models:resnet18()         call: torchvision.models:resnet18()
      Metadata: {FLOPs: 1820000000, …}            results: [{metrics: [{type: params, value: 11.69M}, …]}, …]

Both may stand in Markdown too: the second as front matter, the first in a comment that begins with `Type: model-index`.
What an index imports is read with it, from its own folder and those below. `Call` is ours: neither form has such a key,
and both leave room for more. It may stand in `Metadata` as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kb.encoding import decode
from kb.figures import COUNTS, read_header
from kb.plain_yaml import PlainList, PlainMapping, front_matter, load_plain, place_of
from kb.problems import problem
from kb.records import Place, Problem
from kb.zoos import MOST_BYTES, MOST_ENTRIES, Entry, Figure, Zoo, read_cell, too_many

MOST_FILES = 1000
SHOWN = "an index holds `Models:`, `Import:` or `model-index:`"

_COMMENT = re.compile(r"<!--[ \t]*\n(?P<yaml>Type:[ \t]*model-index[ \t]*\n.*?)-->", re.DOTALL)
_FILE = re.compile(r"[^\n]+\.(?:ya?ml|json|md)", re.IGNORECASE)


def read_index(text: str, path: str, folder: Path) -> Zoo:
    """The models of an index, and of the files that it imports. `folder` is the one that it lies in."""
    reader = _Reader(folder.resolve(), str(PurePosixPath(path).parent))
    reader.seen.add(reader.folder / PurePosixPath(path).name)
    reader.text(text, path)
    if not reader.entries and not reader.problems:
        reader.report(Place(path), "the file lists no models", SHOWN)
    if len(reader.entries) > MOST_ENTRIES:
        return Zoo(problems=(too_many(Place(path)),))
    return Zoo(tuple(reader.entries), tuple(reader.problems))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads files into entries and problems. `shown` is the folder as problems name it."""

    folder: Path
    shown: str
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def report(self, place: Place, message: str, hint: str = "", code: str = "K505") -> None:
        self.problems.append(problem(code, place, message, hint))

    def text(self, text: str, path: str) -> None:
        """A file of either form."""
        for source, first_line in _sources(text, path):
            data = self._data(source, path, first_line)
            if isinstance(data, PlainMapping):
                self._index(data, Place(path, first_line))
            elif data is not None:
                self.report(Place(path, first_line), "the file lists no models", SHOWN)

    def _data(self, source: str, path: str, first_line: int = 1) -> object:
        data, problems = load_plain(source, path, first_line)
        self.problems.extend(problems)
        return data

    def _index(self, data: PlainMapping, place: Place) -> None:
        """`Models` and `Import` of the one form, `model-index` of the other; or one model by itself."""
        for each, at in self._items(data, "Import", place):
            self._import(each, at)
        for each, at in (*self._items(data, "Models", place), *self._items(data, "model-index", place)):
            if isinstance(each, str):
                self._import(each, at)
            elif isinstance(each, PlainMapping):
                self.entries.append(self._entry(each, at))
            else:
                self.report(at, "a model is a mapping with a `Name`")
        if _value(data, "Name") is not None and _value(data, "Models") is None:
            self.entries.append(self._entry(data, place))

    def _items(self, data: PlainMapping, key: str, place: Place) -> Iterator[tuple[object, Place]]:
        """The items of a list below a key, which may also be a single one."""
        value, at = _value(data, key), _place(data, key, place)
        if isinstance(value, PlainList):
            yield from zip(value, value.places, strict=True)
        elif value is not None:
            yield value, at

    # ------------------------------------------------------------------------------------------- other files

    def _import(self, name: object, at: Place) -> None:
        """The files that a name or a pattern stands for, relative to the file that holds it."""
        if not isinstance(name, str):
            self.report(at, "an import is the name of a file")
            return
        for path in self._files(name, at):
            text = self._read(path, at) if path not in self.seen else None
            self.seen.add(path)
            if text is not None:
                self.text(text, self._named(path))

    def _files(self, name: str, at: Place) -> list[Path]:
        base = self.folder / PurePosixPath(at.path).parent.relative_to(self.shown)
        names = PurePosixPath(name)
        if names.is_absolute() or ".." in names.parts:
            self.report(at, f"`{name}` leads out of the folder of the index", "name a file below it", "K305")
            return []
        found = sorted(base.glob(str(names))) if "*" in name else [base / names]
        if not found:
            self.report(at, f"`{name}` fits no file", code="K101")
        return found

    def _read(self, path: Path, at: Place) -> str | None:
        if len(self.seen) >= MOST_FILES:
            self.report(at, f"the index imports more than {MOST_FILES:,} files")
            return None
        try:
            inside = path.resolve(strict=True).is_relative_to(self.folder)
            text = as_text(path.read_bytes(), self._named(path)) if inside else None
        except OSError as error:
            self.report(at, f"`{self._named(path)}` cannot be read: {error.strerror}", code="K101")
            return None
        if text is None:
            self.report(at, f"`{self._named(path)}` leads out of the folder of the index", code="K305")
        elif isinstance(text, Problem):
            self.problems.append(text)
        return text if isinstance(text, str) else None

    def _named(self, path: Path) -> str:
        return str(PurePosixPath(self.shown) / path.relative_to(self.folder).as_posix())

    # ------------------------------------------------------------------------------------------------ models

    def _entry(self, data: PlainMapping, at: Place) -> Entry:
        metadata = self._metadata(data, at)
        name = _value(data, "Name")
        if name is None:
            self.report(at, "the model has no `Name`")
        holder = data if _value(data, "Call") is not None else metadata
        call = _value(holder, "Call")
        names = [str(each) for each in (_value(metadata, "ID"), name) if each is not None]
        figures = _by_column((*self._counts(metadata, at), *self._results(data, at)))
        place = _place(data, "Name", at)
        call_place = _place(holder, "Call", at) if call is not None else None
        return Entry(str(name or ""), place, str(call or ""), call_place, tuple(dict.fromkeys(names)), figures)

    def _metadata(self, data: PlainMapping, at: Place) -> PlainMapping:
        """The metadata of a model, which may lie in a file of their own."""
        value, place = _value(data, "Metadata"), _place(data, "Metadata", at)
        if isinstance(value, str) and _FILE.fullmatch(value):
            for path in self._files(value, place):
                text = self._read(path, place)
                value = self._data(text, self._named(path)) if text is not None else None
        if value is not None and not isinstance(value, PlainMapping):
            self.report(place, "`Metadata` is a mapping, as in `{FLOPs: 1820000000, Parameters: 11690000}`")
        return value if isinstance(value, PlainMapping) else PlainMapping()

    def _counts(self, metadata: PlainMapping, at: Place) -> Iterator[tuple[str, Figure]]:
        """The parameters and multiply-adds among the metadata."""
        for key, value in metadata.items():
            column = read_header(key)
            if column and column.metric in COUNTS:
                yield from self._figure(key, value, place_of(metadata, key, at))

    def _results(self, data: PlainMapping, at: Place) -> Iterator[tuple[str, Figure]]:
        """What else is printed of a model: accuracies for the most part."""
        for result, place in self._items(data, "Results", at):
            if isinstance(result, PlainMapping):
                for each, where in self._items(result, "Metrics", place):
                    yield from self._metrics(each, where)

    def _metrics(self, metrics: object, at: Place) -> Iterator[tuple[str, Figure]]:
        """`{Top 1 Accuracy: 69.90, …}` of the one form, `{type: accuracy, value: 0.699}` of the other."""
        if not isinstance(metrics, PlainMapping):
            return
        if "value" in metrics:
            names = [str(metrics[key]) for key in ("name", "type") if metrics.get(key) is not None]
            name = next((each for each in names if read_header(each)), "")
            yield from self._figure(name, metrics["value"], place_of(metrics, "value", at))
            return
        for key, value in metrics.items():
            yield from self._figure(key, value, place_of(metrics, key, at))

    def _figure(self, name: str, value: object, at: Place) -> Iterator[tuple[str, Figure]]:
        column = read_header(name)
        if column is None or value is None:
            return
        found = read_cell(str(value), column, at)
        if isinstance(found, Problem):
            self.problems.append(found)
        elif found:
            yield column.metric, found


def _sources(text: str, path: str) -> Iterator[tuple[str, int]]:
    """The YAML in a file, each with the line that it begins on."""
    if not path.lower().endswith(".md"):
        yield text, 1
        return
    source, _ = front_matter(text)
    if source:
        yield source, 2
    for found in _COMMENT.finditer(text):
        yield found["yaml"], text.count("\n", 0, found.start("yaml")) + 1


def as_text(data: bytes, path: str) -> str | Problem:
    """The text of a file that is not too large, its lines ended by `\\n`."""
    if len(data) > MOST_BYTES:
        return problem("K505", Place(path), f"the file is larger than {MOST_BYTES // 2**20} MiB", "divide it")
    text = decode(data, path)
    return text if isinstance(text, Problem) else text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _value(data: PlainMapping, key: str) -> object:
    """The value under a key, whose case makes no difference."""
    return next((value for name, value in data.items() if name.casefold() == key.casefold()), None)


def _place(data: PlainMapping, key: str, default: Place) -> Place:
    name = next((name for name in data if name.casefold() == key.casefold()), "")
    return place_of(data, name, default)


def _by_column(figures: Iterator[tuple[str, Figure]] | tuple[tuple[str, Figure], ...]) -> dict[str, Figure]:
    """Figures by the names of columns: a second one of a metric is "params 2"."""
    found: dict[str, Figure] = {}
    for metric, figure in figures:
        number = 1 + sum(name.partition(" ")[0] == metric for name in found)
        found[metric if number == 1 else f"{metric} {number}"] = figure
    return found
