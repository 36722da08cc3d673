"""Models of installed packages: finding the factory, and the input that the model was made for."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

DEFAULT_RESOLUTION = 224
OURS = ("resolution", "input")  # arguments that say what the input is, where the factory has none of that name
TORCHVISION_OPERATORS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def find_factory(module: str, name: str) -> Callable[..., nn.Module]:
    """The function that makes the model; raises AttributeError where the module has none of that name."""
    if module.partition(".")[0] in ("torchvision", "timm"):
        _import_torchvision()
    factory: Callable[..., nn.Module] = getattr(importlib.import_module(module), name)
    return factory


@cache
def _import_torchvision() -> object:
    """Imports torchvision; where its compiled part does not fit this torch, its two operators are declared first.

    Returns what keeps the declaration alive.
    """
    try:
        return importlib.import_module("torchvision")
    except ImportError:
        return None
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            library.define(operator + TORCHVISION_OPERATORS)  # type: ignore[no-untyped-call]
        importlib.import_module("torchvision")
        return library


def split_arguments(
    factory: Callable[..., Any], arguments: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """The factory's arguments, and those that are ours because the factory does not name them."""
    named = inspect.signature(factory).parameters
    ours = {name: value for name, value in arguments.items() if name in OURS and name not in named}
    return {name: value for name, value in arguments.items() if name not in ours}, ours


def input_for(factory: Callable[..., Any], module: nn.Module, ours: Mapping[str, Any]) -> tuple[Tensor]:
    """The input: the one given, an image of the resolution given, or one of the model's own default size."""
    if "input" in ours:
        shape = tuple(ours["input"])
    elif "resolution" in ours:
        shape = (1, 3, *_pair(ours["resolution"]))
    else:
        shape = _own_size(module) or (1, 3, *_pair(_torchvision_size(factory) or DEFAULT_RESOLUTION))
    return (torch.empty(shape, device="meta"),)


def _pair(size: Any) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, list | tuple) and len(size) > 1 else (_single(size),) * 2


def _single(size: Any) -> int:
    return int(size[0] if isinstance(size, list | tuple) else size)


def _own_size(module: nn.Module) -> tuple[int, ...] | None:
    """timm's models carry their size with them."""
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
    size = config.get("input_size") if isinstance(config, Mapping) else None
    return (1, *size) if size else None


def _torchvision_size(factory: Callable[..., Any]) -> Any:
    """torchvision's models are made for the images of their default weights."""
    if not getattr(factory, "__module__", "").startswith("torchvision."):
        return None
    models = importlib.import_module("torchvision.models")
    try:
        transforms = models.get_model_weights(factory).DEFAULT.transforms()
    except (ValueError, AttributeError):
        return None
    return getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None)
