"""Which module is running: a stack of frames, kept by hooks that torch calls around every module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from kb.counting.meta import tensors_in

Key = tuple[str, str]  # of a layer: module path and kind


@dataclass(slots=True)
class Frame:
    """One run of a module: where it is, and which layers its operators belong to so far."""

    path: str
    module: nn.Module | None
    is_leaf: bool
    input: tuple[int, ...] | None = None
    touched: list[Key] = field(default_factory=list)


class ModuleStack:
    """The modules that are running, the innermost last. `finished` is called with each leaf's frame and output."""

    def __init__(self, root: nn.Module, finished: Callable[[Frame, tuple[int, ...] | None], None]) -> None:
        self._finished = finished
        self._paths = {id(module): path for path, module in root.named_modules()}
        self._frames = [Frame("", root, is_leaf=False)]

    @property
    def top(self) -> Frame:
        """The innermost module's frame."""
        return self._frames[-1]

    @contextmanager
    def following(self) -> Iterator[None]:
        """Hooks are torch's global ones, so that modules made while running are seen too."""
        entering = register_module_forward_pre_hook(self._enter)
        leaving = register_module_forward_hook(self._leave, always_call=True)
        try:
            yield
        finally:
            entering.remove()
            leaving.remove()

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        path = self._paths.get(id(module), self.top.path)
        self._frames.append(Frame(path, module, not module._modules, first_shape(args)))

    def _leave(self, module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        while len(self._frames) > 1:
            frame = self._frames.pop()
            if frame.module is module:
                break
        if frame.is_leaf:
            self._finished(frame, first_shape((output,)))


def first_shape(values: Any) -> tuple[int, ...] | None:
    """The shape of the first tensor among arguments or results."""
    first = next(tensors_in(values), None)
    return None if first is None else tuple(first.shape)


def is_attention(module: nn.Module | None) -> bool:
    """Whether a module is, by its class's name, one that computes attention."""
    return "attention" in type(module).__name__.lower()
