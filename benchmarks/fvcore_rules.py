"""How fvcore's counts differ: its estimates for normalisation, pooling and resampling, and what it does not see.

The numbers are those of fvcore 0.1.5 (`fvcore/nn/flop_count.py`, `jit_handles.py`), in the operators' own terms. The
networks are run on shapes alone, as kb runs them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kb.calls import parse_call
from kb.counting.meta import MetaDevice, PlainMode
from kb.counting.operators import describe
from kb.counting.packages import build_package_model, find_factory, input_for, split_arguments

Arguments = tuple[Any, ...]


def _normalised(affine: int) -> Callable[[Arguments, Any], int]:
    """5 for each element of the input, 4 without weights; where those stand among the arguments."""
    return lambda args, _out: args[0].numel() * (4 if args[affine] is None else 5)


def _batch_norm(args: Arguments, out: Any) -> int:
    """In evaluation 2 for each element, 1 without weights; in training, as where it standardises weights, as above."""
    training = args[5]
    return _normalised(1)(args, out) if training else args[0].numel() * (1 if args[1] is None else 2)


ESTIMATES: Mapping[str, Callable[[Arguments, Any], int]] = {
    "aten::batch_norm": _batch_norm,
    "aten::layer_norm": _normalised(2),
    "aten::group_norm": _normalised(2),
    "aten::instance_norm": _normalised(1),
    "aten::adaptive_avg_pool2d": lambda args, _out: args[0].numel(),
    "aten::upsample_nearest2d": lambda _args, out: out.numel(),
    "aten::upsample_bilinear2d": lambda _args, out: 4 * out.numel(),
    "aten::grid_sampler": lambda _args, out: 4 * out.numel(),
}


RECURRENT = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")


@dataclass
class Difference:
    """What fvcore adds to the multiply-adds, and the multiply-adds and activations that it does not see."""

    estimated: int = 0
    unseen_macs: int = 0
    unseen_activations: int = 0


class ByFvcore(PlainMode):  # type: ignore[no-untyped-call]
    """Adds up the difference over the operators that a network runs."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.difference = Difference()
        self._device = MetaDevice(module.parameters())

    def __torch_dispatch__(self, func: Any, types: Any, args: Arguments = (), kwargs: Any = None) -> Any:
        operator = describe(func)
        if operator.role == "composite":
            with self:
                return func.decompose(*args, **kwargs or {})
        out = self._device.run(func, args, kwargs or {}, operator.shortcut)
        if operator.name in ESTIMATES:
            self.difference.estimated += ESTIMATES[operator.name](args, out)
        elif operator.formula and (operator.name in RECURRENT or _pads_by_name(func)):
            cost = operator.formula(args, out)
            self.difference.unseen_macs += cost.macs
            self.difference.unseen_activations += cost.activations
        elif operator.name == "aten::matmul" and args[0].dim() > 1:
            seen = args[0].numel() * args[1].shape[-1]  # though the right operand may have more matrices than the left
            self.difference.unseen_macs += max(out.numel() * args[0].shape[-1] - seen, 0)
        return out


def _pads_by_name(func: Any) -> bool:
    """Whether this is a convolution with `padding="same"`: another operator, which fvcore does not know."""
    return func._schema.name.startswith("aten::conv") and func._overloadname == "padding"


def difference(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Difference:
    """How fvcore's counts for one run of a network differ."""
    mode = ByFvcore(module)
    with torch.inference_mode(), mode:
        module(*inputs)
    return mode.difference


Network = tuple[nn.Module, tuple[torch.Tensor, ...]]


def network(call: str, change: Callable[[nn.Module], nn.Module] = lambda module: module) -> Network:
    """The network of a package's call, without weights, and its input; changed as it is built."""
    parsed = parse_call(call)
    factory = find_factory(*parsed.name.split(":"))
    arguments, ours = split_arguments(factory, parsed.arguments)
    module = build_package_model(lambda **given: change(factory(**given)), arguments)
    return module, input_for(factory, module, ours)


def joined(call: str) -> Network | None:
    """The network of a timm call after timm's own joining of branches; None for one that this leaves as it is."""
    reparameterize: Any = find_factory("timm.utils", "reparameterize_model")
    before = [type(each) for each in network(call)[0].modules()]
    made = network(call, lambda module: reparameterize(module.eval(), inplace=True))
    return None if before == [type(each) for each in made[0].modules()] else made


def unfused(call: str) -> Network:
    """The network of a timm call as it is where attention is written out, product by product."""
    choose: Any = find_factory("timm.layers", "set_fused_attn")
    choose(enable=False)
    try:
        return network(call)
    finally:
        choose(enable=True)


@contextmanager
def frequencies_as_products() -> Iterator[None]:
    """timm's mixed rotary embeddings multiplied positions and frequencies as matrices before they did it by element."""
    layer: Any = importlib.import_module("timm.layers.pos_embed_sincos")
    by_element = layer.get_mixed_freqs

    def by_matrices(
        freqs: torch.Tensor, t_x: torch.Tensor, t_y: torch.Tensor, *more: Any, **named: Any
    ) -> torch.Tensor:
        for positions, each in ((t_x, freqs[0]), (t_y, freqs[1])):
            positions.unsqueeze(-1) @ each.unsqueeze(-2)
        return by_element(freqs, t_x, t_y, *more, **named)

    layer.get_mixed_freqs = by_matrices
    try:
        yield
    finally:
        layer.get_mixed_freqs = by_element
