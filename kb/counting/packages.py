"""Models of installed packages: finding the factory, building without weights, and the input a model is made for."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _IncompatibleKeys

from kb.counting.meta import build

DEFAULT_RESOLUTION = 224
FRAMES = 16  # of a clip, for the networks of torchvision.models.video: what their published counts are for
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


def build_package_model(factory: Callable[..., nn.Module], arguments: Mapping[str, object]) -> nn.Module:
    """The network as it would be with the weights that it asks for, which are neither fetched nor loaded."""
    with _nothing_to_load():
        return build(factory, arguments)


@contextmanager
def _nothing_to_load() -> Iterator[None]:
    """torchvision's factories change a network where they load weights: the layers of batch norm, or the heads."""
    api = sys.modules.get("torchvision.models._api")
    if api is None:
        yield
        return
    fetch, load = api.WeightsEnum.get_state_dict, nn.Module.load_state_dict
    api.WeightsEnum.get_state_dict = lambda *_args, **_kwargs: {}
    nn.Module.load_state_dict = lambda *_args, **_kwargs: _IncompatibleKeys([], [])  # type: ignore[method-assign]
    try:
        yield
    finally:
        api.WeightsEnum.get_state_dict = fetch
        nn.Module.load_state_dict = load  # type: ignore[method-assign]


def input_for(
    factory: Callable[..., Any], module: nn.Module, ours: Mapping[str, Any], weights: object = None
) -> tuple[Tensor]:
    """The input: the one given, an image of the resolution given, or one of the model's own default size.

    That size is the network's where it knows one, else that of the weights which it was built for, or could be.
    """
    if "input" in ours:
        shape = tuple(ours["input"])
    elif "resolution" in ours:
        shape = (1, 3, *_pair(ours["resolution"]))
    else:
        shape = _own_size(module) or _torchvision_size(factory, weights) or (1, 3, *_pair(DEFAULT_RESOLUTION))
    return (torch.empty(shape, device="meta"),)


def _pair(size: Any) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, list | tuple) and len(size) > 1 else (_single(size),) * 2


def _single(size: Any) -> int:
    return int(size[0] if isinstance(size, list | tuple) else size)


def _own_size(module: nn.Module) -> tuple[int, ...] | None:
    """timm's models carry their size with them, and so do the vision transformers of torchvision."""
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
    size = config.get("input_size") if isinstance(config, Mapping) else None
    if size:
        return (1, *size)
    fixed = getattr(module, "image_size", None)
    return (1, 3, fixed, fixed) if isinstance(fixed, int) else None


def _torchvision_size(factory: Callable[..., Any], weights: object) -> tuple[int, ...] | None:
    """torchvision's models are made for the images of their weights: those named, or the default ones."""
    module = getattr(factory, "__module__", "")
    if not module.startswith("torchvision.models."):
        return None
    try:
        entries = importlib.import_module("torchvision.models").get_model_weights(factory)
        transforms = (entries.verify(weights) if weights else entries.DEFAULT).transforms()
    except (ValueError, AttributeError, TypeError, KeyError):
        return None
    size = getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None)
    if size is None:
        return None
    return (1, 3, *([FRAMES] if module.startswith("torchvision.models.video.") else []), *_pair(size))
