"""Calls that name a model, `mobilenet_v2(width=0.75)`: reading them, and their one normal form.

`package.module:factory(…)` names a model of an installed package. Its signature is known only where the package is
installed, and a call's normal form must be the same everywhere: so it keeps every argument as it is written, sorted by
name, defaults too. Left out are arguments that only say which weights to fetch, since none are. Of torchvision and
timm, the form that Python has is understood, too: `torchvision.models.resnet50()`, `timm.create_model("resnet50")`.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from kb.factories import find_factories
from kb.literals import read_literal, same_literal, write_literal
from kb.records import Factory

__all__ = ["Call", "CallError", "find_factories", "is_call", "is_package_call", "normalise", "parse_call", "split_call"]

NAME = r"[^\W\d]\w*"
DOTTED = rf"(?:timm|torchv\w*)(?:\.{NAME})*"  # modules whose models may stand behind a dot, also misspelt
CALL = re.compile(
    rf"(?:(?P<module>{NAME}(?:\.{NAME})*):|(?P<dotted>{DOTTED})\.)?(?P<name>{NAME})\s*\((?P<arguments>.*)\)", re.DOTALL
)
LINE_END = re.compile(r"[\r\n]")
LONGEST_CALL = 1000  # characters; no call that a person writes comes near it
TIMM_CREATES = ("timm:create_model", "timm.models:create_model")
# What says which weights to fetch, by package, with the values that leave the network the same.
FETCHING: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "timm": {"pretrained": (True, False)},
    "torchvision": {"progress": (True, False), "weights": (None,)},
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call as written. `name` is `factory`, or `package.module:factory` for an installed package's."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    positional: tuple[object, ...] = ()

    def __str__(self) -> str:
        written = [write_literal(value) for value in self.positional]
        written += [f"{name}={write_literal(value)}" for name, value in self.arguments.items()]
        return f"{self.name}({', '.join(written)})"


class CallError(ValueError):
    """Why a text is no call of a known model: a code of K401 to K404, a message, and what to write instead."""

    def __init__(self, message: str, hint: str = "", code: str = "K401") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def is_call(text: str, factories: Collection[str] | None = None) -> bool:
    """Whether a text looks like a call; with `factories`, only of one of these or of a package's."""
    found = CALL.fullmatch(text.strip())
    if found is None:
        return False
    return factories is None or bool(found["module"] or found["dotted"]) or found["name"] in factories


def is_package_call(call: str) -> bool:
    """Whether a call names a model of an installed package."""
    return ":" in call.partition("(")[0]


def parse_call(text: str) -> Call:
    """Reads a call; raises CallError where it is none, or where an argument is no literal."""
    found = CALL.fullmatch(text.strip())
    if not found or len(text) > LONGEST_CALL:
        raise CallError(f"`{text[:80]}` is not a call", "write it as `model(argument=value)`")
    module = found["module"] or found["dotted"]
    name = f"{module}:{found['name']}" if module else found["name"]
    node = _call_node(text, found["arguments"])
    return Call(name, _keywords(node), tuple(_value(argument) for argument in node.args))


def _call_node(text: str, arguments: str) -> ast.Call:
    source = f"f({LINE_END.sub(' ', arguments)})"
    try:
        node: ast.expr | None = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    # A call that ends before the source does was closed early: `model(1) # )`.
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.end_col_offset != _width(source):
        message = f"the arguments of `{text.strip()[:80]}` cannot be read"
        raise CallError(message, "write them as `name=value, name=value`")
    return node


def _width(source: str) -> int:
    return len(source.encode())


def _keywords(node: ast.Call) -> dict[str, object]:
    arguments: dict[str, object] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise CallError("`**` cannot stand in a call", "name each argument")
        if keyword.arg in arguments:
            raise _twice(keyword.arg)
        arguments[keyword.arg] = _value(keyword.value)
    return arguments


def _value(node: ast.expr) -> object:
    try:
        return read_literal(node)
    except (ValueError, RecursionError) as error:
        hint = "arguments are numbers, strings, True, False, None, or tuples and lists of these"
        raise CallError(str(error), hint) from None


def normalise(text: str, factories: Mapping[str, Factory], packages: Collection[str] = ()) -> str:
    """The normal form of a call: signature order, keywords, defaults dropped.

    Raises CallError, whose `code` says what is wrong, with the nearest right name in its hint.
    """
    call = parse_call(text)
    if is_package_call(call.name):
        return str(_package_call(call, packages))
    if call.name not in factories:
        raise CallError(f"there is no model `{call.name}`", _nearest(call.name, factories, "()"), "K402")
    factory = factories[call.name]
    arguments = _bound(call, factory)
    _require(factory, arguments)
    kept = {name: arguments[name] for name in factory.parameters if _needed(name, arguments, factory)}
    return str(Call(call.name, kept))


def split_call(call: Call, factory: Factory) -> tuple[dict[str, object], dict[str, object]]:
    """The arguments for the factory and those for its inputs function: each goes to all that name it."""
    arguments = call.arguments.items()
    return (
        {name: value for name, value in arguments if name in factory.factory_parameters},
        {name: value for name, value in arguments if name in factory.inputs_parameters},
    )


def _package_call(call: Call, packages: Collection[str]) -> Call:
    module = call.name.partition(":")[0]
    if not any(module == package or module.startswith(f"{package}.") for package in packages):
        name = module.partition(".")[0]
        close = difflib.get_close_matches(name, packages, n=1, cutoff=0.8)
        misspelt = close and not name.startswith(close[0])
        hint = f"did you mean `{close[0]}`?" if misspelt else f"add `{name}` to `extra.kb.packages` in mkdocs.yml"
        raise CallError(f"models of the package `{module}` are not allowed here", hint, "K402")
    call = _created(call)
    if call.positional:
        raise CallError("the arguments of a package's model must be named", "write `name=value`")
    fetching = FETCHING.get(module.partition(".")[0], {})
    kept = {
        name: value
        for name, value in sorted(call.arguments.items())
        if not any(value is each for each in fetching.get(name, ()))
    }
    return Call(call.name, kept)


def _created(call: Call) -> Call:
    """timm's `create_model("name", …)` as what it does: a call of `name`. A name with a tag stays as it is."""
    if call.name not in TIMM_CREATES:
        return call
    arguments = dict(zip(("model_name",), call.positional, strict=False))
    if call.positional and "model_name" in call.arguments:
        raise _twice("model_name")
    arguments |= call.arguments
    name = arguments.get("model_name")
    if not isinstance(name, str) or not name:
        raise CallError("`create_model` needs the name of a model", 'write `timm:create_model("resnet50")`', "K404")
    if name.isidentifier():
        del arguments["model_name"]
        return Call(f"timm.models:{name}", arguments, call.positional[1:])
    return Call(TIMM_CREATES[0], arguments, call.positional[1:])


def _bound(call: Call, factory: Factory) -> dict[str, object]:
    """All arguments by name: the positional ones take the factory's own names, in order."""
    names = factory.factory_parameters
    if len(call.positional) > len(names):
        message = f"`{factory.name}` takes {len(names)} arguments, and {len(call.positional)} are given"
        raise CallError(message, "name the arguments", "K403")
    bound = dict(zip(names, call.positional, strict=False))
    for name, value in call.arguments.items():
        if name not in factory.parameters:
            raise CallError(f"`{factory.name}` has no argument `{name}`", _nearest(name, factory.parameters), "K403")
        if name in bound:
            raise _twice(name)
        bound[name] = value
    return bound


def _twice(name: str) -> CallError:
    return CallError(f"the argument `{name}` is given twice", "give it once")


def _require(factory: Factory, arguments: Mapping[str, object]) -> None:
    missing = [f"`{name}`" for name in factory.required if name not in arguments]
    if missing:
        raise CallError(f"`{factory.name}` needs {', '.join(missing)}", "give it as `name=value`", "K404")


def _needed(name: str, arguments: Mapping[str, object], factory: Factory) -> bool:
    default = factory.parameters[name]
    return name in arguments and (default is ... or not same_literal(arguments[name], default))


def _nearest(name: str, names: Iterable[str], suffix: str = "") -> str:
    """A hint: the nearest right name, or else all of them."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean `{close[0]}{suffix}`?"
    return "there are: " + ", ".join(f"`{each}{suffix}`" for each in known) if known else "there are none"
