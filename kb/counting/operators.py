"""What each operator of torch is to the counter: counted, an extra, free, or unknown.

*Counted* operators have multiply-adds. *Extras* (normalisation, pooling, activation, resampling, softmax) do
arithmetic that by convention is no multiply-add: their elements are counted apart. *Free* ones move data,
compare, reduce, or work element by element. A *composite* operator is taken apart into others. Whatever is
none of these is unknown, and makes a measurement incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor
from torch._ops import HigherOrderOperator, OpOverload
from torch.utils.flop_counter import flop_registry

from kb.counting import formulas
from kb.counting.operator_names import EXTRAS, FREE
from kb.counting.pointwise import POINTWISE
from kb.counting.shapes import SHORTCUTS, Arguments, Output, recurrent_operands

Role = Literal["counted", "extra", "free", "composite", "unknown"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a counted operator costs. `kind` "matmul" is refined by what it multiplies, and where."""

    kind: str
    macs: int
    activations: int  # elements that it puts out


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator, as the counter sees it."""

    name: str  # "aten::conv2d"
    role: Role
    kind: str = ""  # of an extra
    formula: Callable[[Arguments, Any], Cost] | None = None
    shortcut: Callable[[Arguments], Output | None] | None = None
    data_dependent: bool = False


def kind_of_convolution(channels: int, weight: Sequence[int], *, transposed: bool) -> str:
    """conv1x1, depthwise (a filter sees one channel), grouped, conv or transposed."""
    if transposed:
        return "transposed"
    if weight[1] == channels:
        return "conv1x1" if prod(weight[2:]) == 1 else "conv"
    return "depthwise" if weight[1] == 1 else "grouped"


def _convolution(x: Tensor, weight: Tensor, out: Tensor, *, transposed: bool) -> Cost:
    kind = kind_of_convolution(x.shape[1 - weight.dim()], weight.shape, transposed=transposed)
    return Cost(kind, formulas.convolution(x.shape, weight.shape, out.shape, transposed=transposed), out.numel())


def _conv(args: Arguments, out: Tensor) -> Cost:
    return _convolution(args[0], args[1], out, transposed=False)


def _conv_transpose(args: Arguments, out: Tensor) -> Cost:
    return _convolution(args[0], args[1], out, transposed=True)


def _any_convolution(args: Arguments, out: Tensor) -> Cost:
    return _convolution(args[0], args[1], out, transposed=args[6])


def _conv_tbc(args: Arguments, out: Tensor) -> Cost:
    width, channels, _ = args[1].shape
    return Cost("conv1x1" if width == 1 else "conv", out.numel() * width * channels, out.numel())


def _deform_conv(args: Arguments, out: Tensor) -> Cost:
    kind = kind_of_convolution(args[0].shape[1], args[1].shape, transposed=False)
    return Cost(kind, formulas.deformable_convolution(args[1].shape, out.shape), out.numel())


def _linear(args: Arguments, out: Tensor) -> Cost:
    return Cost("linear", formulas.linear(args[0].shape, args[1].shape), out.numel())


def _matmul(args: Arguments, out: Tensor) -> Cost:
    return Cost("matmul", formulas.matmul(args[0].shape, args[1].shape), out.numel())


def _added_matmul(args: Arguments, out: Tensor) -> Cost:
    """addmm, baddbmm, addbmm, addmv: what is added comes first."""
    return _matmul(args[1:], out)


def _attention(args: Arguments, out: Tensor) -> Cost:
    query, key, value = (each.shape for each in args[:3])
    return Cost("attention", formulas.attention(query, key, value), formulas.attention_scores(query, key) + out.numel())


def _recurrent(args: Arguments, out: Sequence[Tensor]) -> Cost:
    weights = recurrent_operands(args)[1]
    macs = formulas.recurrent(prod(args[0].shape[:-1]), [weight.shape for weight in weights])
    return Cost("recurrent", macs, out[0].numel())


def _cell(args: Arguments, out: Output) -> Cost:
    macs = formulas.recurrent(prod(args[0].shape[:-1]), [weight.shape for weight in args[2:4]])
    return Cost("recurrent", macs, (out if isinstance(out, Tensor) else out[0]).numel())


def _bilinear(args: Arguments, out: Tensor) -> Cost:
    return Cost("linear", formulas.bilinear(args[0].shape, args[2].shape), out.numel())


def _distances(args: Arguments, out: Tensor) -> Cost:
    return Cost("matmul", formulas.distances(args[0].shape, args[1].shape), out.numel())


def _embedding(_args: Arguments, _out: Output) -> Cost:
    """A look-up: it has weights, and multiplies nothing."""
    return Cost("embedding", 0, 0)


def _torch_formula(packet: Any) -> Callable[[Arguments, Any], Cost]:
    """For operators that only torch's own counter knows: FLOPs there, two for each multiply-add."""

    def formula(args: Arguments, out: Any) -> Cost:
        first = out if isinstance(out, Tensor) else out[0]
        kind = "attention" if "attention" in str(packet) else "matmul"
        return Cost(kind, flop_registry[packet](*args, out_val=out) // 2, first.numel())

    return formula


FORMULAS: dict[str, Callable[[Arguments, Any], Cost]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _conv_transpose),
    **dict.fromkeys(("convolution", "_convolution", "convolution_overrideable"), _any_convolution),
    "conv_tbc": _conv_tbc,
    "torchvision::deform_conv2d": _deform_conv,
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot", "vdot", "linalg_matmul", "_int_mm"), _matmul),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm", "addmv"), _added_matmul),
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent),
    **dict.fromkeys(("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"), _cell),
    "bilinear": _bilinear,
    **dict.fromkeys(("cdist", "_cdist_forward", "_euclidean_dist"), _distances),
    **dict.fromkeys(("embedding", "embedding_bag", "_embedding_bag", "_embedding_bag_forward_only"), _embedding),
}


def _named(name: str) -> str:
    return name if "::" in name else f"aten::{name}"


FORMULA_OF = {_named(name): formula for name, formula in FORMULAS.items()}
EXTRA_OF = {_named(name): kind for kind, names in EXTRAS.items() for name in names.split()}
FREE_NAMES = frozenset(map(_named, FREE.split()))
DATA_DEPENDENT = frozenset(map(_named, ("item", "is_nonzero", "equal", "allclose", "masked_select", "argwhere")))


@cache
def describe(func: OpOverload | HigherOrderOperator) -> Operator:
    """What an operator is to the counter. In-place forms are what their plain forms are."""
    if not isinstance(func, OpOverload):
        return Operator(str(func), "unknown")
    name = func._schema.name
    plain = name if name.endswith("__") else name.removesuffix("_")
    formula = FORMULA_OF.get(plain) or _borrowed_formula(func)
    role = "counted" if formula else _role(func, plain)
    return Operator(
        name,
        role,
        EXTRA_OF.get(plain, ""),
        formula,
        SHORTCUTS.get(name) or POINTWISE.get(name),
        _is_data_dependent(func, plain),
    )


def _borrowed_formula(func: OpOverload) -> Callable[[Arguments, Any], Cost] | None:
    packet = func.overloadpacket
    return _torch_formula(packet) if packet in flop_registry else None


def _role(func: OpOverload, plain: str) -> Role:
    if plain in EXTRA_OF:
        return "extra"
    if plain in FREE_NAMES or func.namespace in ("prim", "prims"):
        return "free"
    if any(form.is_view or torch.Tag.pointwise in form.tags for form in _forms(func, plain)):
        return "free"
    composite = func.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd)
    return "composite" if composite else "unknown"


def _forms(func: OpOverload, plain: str) -> Iterator[OpOverload]:
    """The operator, and where it works in place, its plain form: torch tags some of those alone."""
    yield func
    packet = getattr(getattr(torch.ops, func.namespace), plain.rpartition("::")[2], None)
    if packet and func._overloadname in packet.overloads():
        yield getattr(packet, func._overloadname)


def _is_data_dependent(func: OpOverload, plain: str) -> bool:
    tags = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
    return plain in DATA_DEPENDENT or bool(tags & set(func.tags))
