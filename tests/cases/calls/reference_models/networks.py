"""Factories of every form, and what only looks like one. Nothing here is run: torch is not even imported."""

import torch
from torch import nn
from torch.nn import Module

WIDTH = 0.5


def plain(width: float = 1.0, classes: int = 1000, *, head: str = "linear") -> nn.Module:
    """A network.

    With more to say.
    """


def spelled_out(depth) -> torch.nn.Module: ...


def imported() -> Module: ...


def in_a_string(stages=(1, 2), names=("a",), width=WIDTH) -> "nn.Module": ...


def spelled_out_inputs(depth, length=3): ...


def imported_inputs(resolution=192, extra=None): ...


def example_inputs(resolution: int = 224, width: float = 1): ...


def _helper() -> nn.Module: ...


def without_annotation(): ...


def of_another_kind() -> int: ...


class Network(nn.Module):
    def method(self) -> nn.Module: ...
