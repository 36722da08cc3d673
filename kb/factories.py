"""The factories of the reference model files, found by reading their source: nothing is imported.

In `Factory.parameters`, `...` stands where an argument has no default that a call could leave out: it is
required, its default is not a literal, or the factory and its inputs function disagree on it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kb.file_names import is_left_behind, leads_out
from kb.literals import read_literal, same_literal
from kb.problems import problem
from kb.records import Factory, Place, Problem

MODULE_ANNOTATIONS = {"Module", "nn.Module", "torch.nn.Module"}
SHARED_INPUTS = "example_inputs"
INPUTS_EXAMPLE = "def example_inputs(resolution: int = 224): return (torch.empty(1, 3, resolution, resolution),)"

Parameters = dict[str, object]  # name → default, `...` where there is none


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A reference model file, read: its functions by name, and what it imports from its siblings."""

    path: str
    functions: tuple[ast.FunctionDef, ...]
    imports: Mapping[str, tuple[str, str]]  # local name → (sibling's stem, name there; "" for the sibling itself)

    def function(self, name: str) -> ast.FunctionDef | None:
        """The top-level function of that name: the last one, as in Python."""
        return next((found for found in reversed(self.functions) if found.name == name), None)


def find_factories(root: Path, models_dir: str) -> tuple[dict[str, Factory], list[Problem]]:
    """All factories in the folder of reference models, by name, and what is wrong with its files."""
    files, problems = read_model_files(root, models_dir)
    factories: dict[str, Factory] = {}
    for file in files.values():
        for function in filter(_is_factory, file.functions):
            factory = _factory(function, file, files)
            problems += _mistakes(factory, function, factories.get(factory.name))
            factories.setdefault(factory.name, factory)
    return factories, problems


def read_model_files(root: Path, models_dir: str, package: str = "") -> tuple[dict[str, ModelFile], list[Problem]]:
    """Every Python file in the folder by its stem, and a problem for each that cannot be read.

    Imports are those of the folder itself, unless another folder is named as the `package`.
    """
    files: dict[str, ModelFile] = {}
    problems: list[Problem] = []
    for path in sorted((root / models_dir).glob("*.py")):
        if is_left_behind(path.name) or leads_out(path, root):
            continue  # an editor's; or `check` reports it
        shown = path.relative_to(root).as_posix()
        result = _read(path, shown, (package or models_dir).strip("/").replace("/", "."))
        if isinstance(result, Problem):
            problems.append(result)
        else:
            files[path.stem] = result
    return files, problems


def _read(path: Path, shown: str, package: str) -> ModelFile | Problem:
    if "." in path.stem:
        return problem("K406", Place(shown), "a file with a dot in its name cannot be imported", "rename the file")
    try:
        return _parsed(path.read_text(encoding="utf-8-sig"), shown, package)
    except OSError as error:
        return problem("K101", Place(shown), f"the file cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return problem("K102", Place(shown), "the file is not UTF-8", "save it as UTF-8")


@lru_cache(maxsize=1024)  # every call's fingerprint asks which files import which
def _parsed(source: str, shown: str, package: str) -> ModelFile | Problem:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return problem(
            "K406", Place(shown, error.lineno or 1, error.offset or 1), f"Python cannot read it: {error.msg}"
        )
    except (ValueError, RecursionError, MemoryError) as error:
        return problem("K406", Place(shown), f"Python cannot read it: {error}")
    functions = tuple(node for node in tree.body if isinstance(node, ast.FunctionDef))
    return ModelFile(shown, functions, dict(_sibling_imports(tree, package)))


def _sibling_imports(tree: ast.Module, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a file imports from the other files of its folder, wherever in the file the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from _imported_from(node, package)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(package + "."):
                    yield (alias.asname or alias.name, (alias.name.removeprefix(package + ".").split(".")[0], ""))


def _imported_from(node: ast.ImportFrom, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    module = node.module or ""
    if node.level == 1:
        module = f"{package}.{module}".rstrip(".")
    elif node.level:
        return
    for alias in node.names:
        local = alias.asname or alias.name
        if module == package:
            yield local, (alias.name, "")
        elif module.startswith(package + "."):
            yield local, (module.removeprefix(package + ".").split(".")[0], alias.name)


def _is_factory(function: ast.FunctionDef) -> bool:
    return not function.name.startswith("_") and _annotation(function.returns) in MODULE_ANNOTATIONS


def _annotation(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.strip()
    return ast.unparse(node) if node else ""


def _factory(function: ast.FunctionDef, file: ModelFile, files: Mapping[str, ModelFile]) -> Factory:
    own = _parameters(function)
    inputs_name, inputs = _inputs_function(function.name, file, files)
    of_inputs = _parameters(inputs) if inputs else {}
    return Factory(
        name=function.name,
        path=file.path,
        line=function.lineno,
        parameters=_merged(own, of_inputs),
        required=_required(function) + tuple(name for name in _required(inputs) if name not in _required(function)),
        factory_parameters=tuple(own),
        inputs=inputs_name,
        inputs_parameters=tuple(of_inputs),
        doc=ast.get_docstring(function) or "",
    )


def _inputs_function(
    factory: str, file: ModelFile, files: Mapping[str, ModelFile]
) -> tuple[str, ast.FunctionDef | None]:
    """The function that makes a factory's inputs, in its own file or imported into it from a sibling."""
    for name in (f"{factory}_inputs", SHARED_INPUTS):
        function = _resolved(name, file, files)
        if function:
            return name, function
    return "", None


def _resolved(name: str, file: ModelFile, files: Mapping[str, ModelFile]) -> ast.FunctionDef | None:
    seen = set()
    while not (function := file.function(name)):
        sibling, there = file.imports.get(name, ("", ""))
        if not there or sibling not in files or (sibling, there) in seen:
            return None
        seen.add((sibling, there))
        file, name = files[sibling], there
    return function


def _parameters(function: ast.FunctionDef) -> Parameters:
    """Name and default of each argument, in signature order; `*args` and `**kwargs` take none of a call's."""
    listed = [*function.args.posonlyargs, *function.args.args]
    defaults: list[ast.expr | None] = [None] * (len(listed) - len(function.args.defaults))
    defaults += function.args.defaults
    named = [
        *zip(listed, defaults, strict=True),
        *zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True),
    ]
    return {argument.arg: _default(default) for argument, default in named}


def _default(node: ast.expr | None) -> object:
    try:
        return ... if node is None else read_literal(node)
    except ValueError:
        return ...


def _required(function: ast.FunctionDef | None) -> tuple[str, ...]:
    if function is None:
        return ()
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args]
    without = listed[: len(listed) - len(arguments.defaults)]
    keywords = [each for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if not default]
    return tuple(argument.arg for argument in [*without, *keywords])


def _merged(own: Parameters, of_inputs: Parameters) -> Parameters:
    """Both functions' arguments; one that both name has a default only if they agree on it."""
    merged = own | {name: default for name, default in of_inputs.items() if name not in own}
    for name in own.keys() & of_inputs.keys():
        if own[name] is ... or of_inputs[name] is ... or not same_literal(own[name], of_inputs[name]):
            merged[name] = ...
    return merged


def _mistakes(factory: Factory, function: ast.FunctionDef, earlier: Factory | None) -> Iterator[Problem]:
    place = Place(factory.path, function.lineno, function.col_offset + 1)
    if earlier:
        message = f"there is a model `{factory.name}` already, at {earlier.path}:{earlier.line}"
        yield problem("K405", place, message, "give one of them another name")
    if not factory.inputs:
        message = f"nothing makes the inputs of `{factory.name}`"
        yield problem("K406", place, message, f"write `{INPUTS_EXAMPLE}` beside it")
