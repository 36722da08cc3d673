"""Whose the weights are: which tensors are a network's parameters, or made from them alone, and what uses them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from kb.counting.operators import kind_of_convolution

NORMALISATION_CLASS = re.compile(r"Norm(\d?d)?$", re.IGNORECASE)


@dataclass(slots=True)
class Owned:
    """A parameter or buffer: where it stands, and the kind of the first operator that used it."""

    tensor: Tensor
    name: str  # of the attribute
    owners: dict[str, nn.Module]  # by path; several where weights are tied
    is_buffer: bool
    kind: str = ""

    @property
    def path(self) -> str:
        """The module that a layer's table shows it under: a parametrised weight's is the layer itself."""
        return next(iter(self.owners)).partition("parametrizations")[0].rstrip(".")

    @property
    def numel(self) -> int:
        """Elements; none where a lazy module was never run."""
        return 0 if is_lazy(self.tensor) else self.tensor.numel()


class Ownership:
    """All parameters and buffers by identity, and the tensors that are made from them alone."""

    def __init__(self, root: nn.Module) -> None:
        self.all: dict[int, Owned] = {}
        for path, module in root.named_modules():
            for name, tensor in module._parameters.items():
                self._enter(tensor, name, path, module, is_buffer=False)
            for name, tensor in module._buffers.items():
                self._enter(tensor, name, path, module, is_buffer=True)
        self._derived: dict[int, tuple[Tensor, Owned]] = {i: (each.tensor, each) for i, each in self.all.items()}

    def _enter(self, tensor: Tensor | None, name: str, path: str, module: nn.Module, *, is_buffer: bool) -> None:
        if tensor is not None:
            owned = self.all.setdefault(id(tensor), Owned(tensor, name, {}, is_buffer))
            owned.owners.setdefault(path, module)

    def of(self, tensor: Tensor) -> Owned | None:
        """The parameter or buffer that this tensor is, or is made from."""
        entry = self._derived.get(id(tensor))
        return entry[1] if entry else None

    def derive(self, results: Iterable[Tensor], owned: Owned) -> None:
        """Enters tensors that were made from weights alone. They are kept, so that no id is used again."""
        for tensor in results:
            self._derived.setdefault(id(tensor), (tensor, owned))

    @staticmethod
    def use(owned: Sequence[Owned], kind: str) -> None:
        """Notes what a weight is for: the first operator that uses it says so."""
        for each in owned:
            each.kind = each.kind or kind


def group(owned: Owned) -> str:
    """Where a parameter is counted: weights, biases or normalisation."""
    module = next(iter(owned.owners.values()))
    if owned.kind == "normalisation" or NORMALISATION_CLASS.search(type(module).__name__):
        return "normalisation"
    return "biases" if "bias" in owned.name and owned.tensor.dim() <= 1 else "weights"


def kind_of(owned: Owned) -> str:
    """The kind of the layer that a parameter belongs to; where nothing used it, what its module is made for."""
    if owned.kind not in ("", "other"):
        return owned.kind
    module = next(iter(owned.owners.values()))
    if NORMALISATION_CLASS.search(type(module).__name__):
        return "normalisation"
    return owned.kind or _kind_of_module(module)


def _kind_of_module(module: nn.Module) -> str:
    if isinstance(module, nn.modules.conv._ConvNd):
        return kind_of_convolution(module.in_channels, module.weight.shape, transposed=module.transposed)
    kinds: dict[str, tuple[type[nn.Module], ...]] = {
        "linear": (nn.Linear, nn.Bilinear, nn.MultiheadAttention),
        "embedding": (nn.Embedding, nn.EmbeddingBag),
        "recurrent": (nn.RNNBase, nn.RNNCellBase),
    }
    return next((kind for kind, classes in kinds.items() if isinstance(module, classes)), "other")


def count_buffers(ownership: Ownership) -> int:
    """Elements of all buffers."""
    return sum(prod(owned.tensor.shape) for owned in ownership.all.values() if owned.is_buffer)
