"""Outputs of operators that work element by element, by shape arithmetic: torch's meta kernels of them are slow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from kb.counting.shapes import Arguments, like

ARITHMETIC = """
    add sub mul div pow neg abs exp log sqrt rsqrt square reciprocal sin cos tanh sigmoid erf relu relu6 hardtanh gelu
    silu hardswish hardsigmoid mish elu selu celu leaky_relu softplus prelu clamp clamp_min clamp_max maximum minimum
    addcmul lerp
    """
COMPARISONS = "eq ne lt le gt ge logical_and logical_or logical_not isnan isinf"


def broadcast(shapes: Sequence[torch.Size]) -> torch.Size | None:
    """The shape that these broadcast to; None where they do not."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    sizes = [{size for size in column if size != 1} for column in zip(*padded, strict=True)]
    if any(len(each) > 1 for each in sizes):
        return None
    return torch.Size([next(iter(each), 1) for each in sizes])


def _operands(args: Arguments) -> list[Tensor] | None:
    """The tensors of an operation without lists, if all are meta tensors."""
    tensors = [each for each in args if isinstance(each, Tensor)]
    return tensors if tensors and all(each.is_meta for each in tensors) else None


def arithmetic(args: Arguments) -> Tensor | None:
    """Of floating-point tensors of one type, with numbers between them."""
    tensors = _operands(args)
    if not tensors or not tensors[0].is_floating_point() or len({each.dtype for each in tensors}) > 1:
        return None
    return _result(tensors, tensors[0].dtype)


def comparison(args: Arguments) -> Tensor | None:
    """Of any tensors; the result is boolean."""
    tensors = _operands(args)
    return _result(tensors, torch.bool) if tensors else None


def masked_fill(args: Arguments) -> Tensor | None:
    """(input, mask, value): of the input's type."""
    tensors = _operands(args[:2])
    return _result(tensors, args[0].dtype) if tensors else None


def where(args: Arguments) -> Tensor | None:
    """(condition, one, other): of the type of both."""
    tensors = _operands(args)
    if not tensors or len(tensors) < 3 or tensors[1].dtype != tensors[2].dtype:
        return None
    return _result(tensors, tensors[1].dtype)


def _result(tensors: Sequence[Tensor], dtype: torch.dtype) -> Tensor | None:
    if len(tensors) == 1:
        return like(tensors[0], dtype)
    shape = broadcast([each.shape for each in tensors])
    if shape is None:
        return None
    whole = next((each for each in tensors if each.shape == shape), None)
    return torch.empty(shape, dtype=dtype, device="meta") if whole is None else like(whole, dtype)


def in_place(args: Arguments) -> Tensor | None:
    """The tensor that is written over, if what is written fits it."""
    tensors = _operands(args)
    fits = tensors and tensors[0] is args[0] and broadcast([each.shape for each in tensors]) == args[0].shape
    return args[0] if fits else None


POINTWISE: dict[str, Callable[[Arguments], Tensor | None]] = {
    **{f"aten::{name}": arithmetic for name in ARITHMETIC.split()},
    **{f"aten::{name}_": in_place for name in ARITHMETIC.split()},
    **{f"aten::{name}": comparison for name in COMPARISONS.split()},
    "aten::masked_fill": masked_fill,
    "aten::masked_fill_": in_place,
    "aten::where": where,
}
