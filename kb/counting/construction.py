"""Where a network's modules are made: the line of a reference model's file that asks for each of them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from types import FrameType
from typing import Any

from torch import nn

MADE_AT = "_kb_made_at"  # in a module's __dict__, so that a copy of the module has it, too
_NOT_IN_NAMES = re.compile(r"[\s@:]")

Place = tuple[str, int]  # a file below the folder, a line


@contextmanager
def noting_lines(folder: str) -> Iterator[None]:
    """Lets each module that is made meanwhile note which line of the folder's files asked for it."""
    plain: Any = nn.Module.__init__

    def initialise(self: nn.Module, *arguments: Any, **keywords: Any) -> None:
        plain(self, *arguments, **keywords)
        self.__dict__[MADE_AT] = _asked_for(self, sys._getframe(1), f"{folder}{os.sep}")

    nn.Module.__init__ = initialise  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__init__ = plain  # type: ignore[method-assign]


def _asked_for(module: nn.Module, frame: FrameType | None, folder: str) -> Place | None:
    """The innermost line of the folder's files that is outside of the module's own making."""
    while frame:
        code = frame.f_code
        if code.co_filename.startswith(folder):
            owner = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
            if owner is not module:
                return PurePath(code.co_filename[len(folder) :]).as_posix(), frame.f_lineno
        frame = frame.f_back
    return None


def made(root: nn.Module, path: str) -> str:
    """The modules on the way to a path, with the lines that asked for them: `nn.Sequential@vgg.py:20 nn.Conv2d@18`.

    A file is named where it is another than before. Classes of torch are written `nn.…`; a module that no line of
    the folder's files asked for has none; "" where the path leads to no module.
    """
    module: nn.Module | None = root
    written, file = [], ""
    for name in path.split(".") if path else ():
        module = module._modules.get(name) if module else None
        if module is None:
            return ""
        place: Place | None = module.__dict__.get(MADE_AT)
        line = "" if place is None else f"@{'' if place[0] == file else f'{place[0]}:'}{place[1]}"
        file = place[0] if place else file
        written.append(f"{_class_name(module)}{line}")
    return " ".join(written)


def _class_name(module: nn.Module) -> str:
    own = _NOT_IN_NAMES.sub("_", type(module).__name__)
    return f"nn.{own}" if type(module).__module__.startswith("torch.") else own
