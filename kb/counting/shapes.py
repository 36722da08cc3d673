"""Outputs of the slowest operators on meta tensors, by shape arithmetic.

torch's own meta kernels of convolution and normalisation are Python and take most of a measurement's time.
Each function here returns an empty meta tensor of the right shape, or None where it will not vouch for the
result: then torch's kernel runs, and says what is wrong with the operands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Arguments = Sequence[Any]  # an operator's positional arguments, as its schema orders them
Output = Tensor | tuple[Tensor, ...]


def _at(args: Arguments, index: int, default: Any = None) -> Any:
    return args[index] if len(args) > index else default


def _each(value: Any, count: int) -> list[int]:
    """A setting of a convolution for each dimension: it may be given once for all."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    return values * count if len(values) == 1 else values


def _fits(x: Tensor, weight: Tensor, channels: int) -> bool:
    return x.is_meta and x.dtype == weight.dtype and x.dim() == weight.dim() and x.shape[1] == channels


def convolution(args: Arguments) -> Tensor | None:
    """conv1d, conv2d, conv3d: (input, weight, bias, stride, padding, dilation, groups)."""
    x, weight = args[0], args[1]
    groups = _at(args, 6, 1)
    if not _fits(x, weight, weight.shape[1] * groups) or weight.shape[0] % groups:
        return None
    sizes, kernel = x.shape[2:], weight.shape[2:]
    stride, dilation = (_each(_at(args, index, 1), len(sizes)) for index in (3, 5))
    spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    padding = _padding(_at(args, 4, 0), spans, stride)
    if padding is None:
        return None
    out = [
        (size + pad - span - 1) // step + 1 for size, pad, span, step in zip(sizes, padding, spans, stride, strict=True)
    ]
    return _empty(x, [x.shape[0], weight.shape[0], *out])


def _padding(padding: object, spans: list[int], stride: list[int]) -> list[int] | None:
    """What is added to each dimension, both ends together."""
    if padding == "valid":
        return [0] * len(spans)
    if padding == "same":
        return spans if set(stride) == {1} else None
    return [2 * pad for pad in _each(padding, len(spans))]


def transposed_convolution(args: Arguments) -> Tensor | None:
    """conv_transpose1d, 2d, 3d: (input, weight, bias, stride, padding, output_padding, groups, dilation)."""
    x, weight = args[0], args[1]
    groups = _at(args, 6, 1)
    if not _fits(x, weight, weight.shape[0]) or weight.shape[0] % groups:
        return None
    sizes, kernel = x.shape[2:], weight.shape[2:]
    settings = [_each(_at(args, index, default), len(sizes)) for index, default in ((3, 1), (4, 0), (5, 0), (7, 1))]
    out = [
        (size - 1) * stride - 2 * pad + dilation * (k - 1) + extra + 1
        for size, k, stride, pad, extra, dilation in zip(sizes, kernel, *settings, strict=True)
    ]
    return _empty(x, [x.shape[0], weight.shape[1] * groups, *out])


def _empty(x: Tensor, shape: list[int]) -> Tensor | None:
    return x.new_empty(shape) if min(shape[2:], default=1) > 0 else None


def batch_norm(args: Arguments) -> Tensor | None:
    """batch_norm and instance_norm: (input, weight, bias, running_mean, running_var, …)."""
    x, *learned = args[:5]
    channels = x.shape[1] if x.dim() > 1 else -1
    fits = x.is_meta and all(each is None or each.shape == (channels,) for each in learned)
    return torch.empty_like(x) if fits else None


def layer_norm(args: Arguments) -> Tensor | None:
    """layer_norm and rms_norm: (input, normalized_shape, weight, …)."""
    x, shape = args[0], tuple(args[1])
    return torch.empty_like(x) if x.is_meta and tuple(x.shape[-len(shape) :]) == shape else None


def group_norm(args: Arguments) -> Tensor | None:
    """group_norm: (input, groups, weight, bias, …)."""
    x, groups = args[0], args[1]
    fits = x.is_meta and x.dim() > 1 and x.shape[1] % groups == 0
    return torch.empty_like(x, memory_format=torch.contiguous_format) if fits else None


def linear(args: Arguments) -> Tensor | None:
    """linear: (input, weight, bias)."""
    x, weight = args[0], args[1]
    fits = x.is_meta and weight.dim() == 2 and x.dtype == weight.dtype and x.dim() and x.shape[-1] == weight.shape[1]
    return x.new_empty([*x.shape[:-1], weight.shape[0]]) if fits else None


def recurrent_operands(args: Arguments) -> tuple[list[Tensor], list[Tensor], bool]:
    """States, weights, and whether both directions are run: a packed batch has its sizes for second argument."""
    packed = isinstance(args[3], list | tuple)
    state, weights, bidirectional = (args[2], args[3], args[8]) if packed else (args[1], args[2], args[7])
    return list(state) if isinstance(state, list | tuple) else [state], list(weights), bidirectional


def recurrent(args: Arguments) -> tuple[Tensor, ...] | None:
    """lstm, gru and rnn over a padded batch or a packed one: the output is as long as the input."""
    x = args[0]
    states, _, bidirectional = recurrent_operands(args)
    if not x.is_meta:
        return None
    out = x.new_empty([*x.shape[:-1], states[0].shape[-1] * (2 if bidirectional else 1)])
    return (out, *(torch.empty_like(state, device="meta") for state in states))


def packed_sequence(args: Arguments) -> tuple[Tensor, ...] | None:
    """_pack_padded_sequence: (input, lengths, batch_first). The sizes of the packed batch are needed for real."""
    x, lengths, _ = args
    if not x.is_meta or lengths.is_meta:
        return None
    counts = lengths.tolist()
    sizes = [sum(length > step for length in counts) for step in range(max(counts))]
    return x.new_empty([sum(counts), *x.shape[2:]]), torch.tensor(sizes)


SHORTCUTS: dict[str, Callable[[Arguments], Output | None]] = {
    **dict.fromkeys(("aten::conv1d", "aten::conv2d", "aten::conv3d"), convolution),
    **dict.fromkeys((f"aten::conv_transpose{n}d" for n in (1, 2, 3)), transposed_convolution),
    **dict.fromkeys(("aten::batch_norm", "aten::instance_norm"), batch_norm),
    **dict.fromkeys(("aten::layer_norm", "aten::rms_norm"), layer_norm),
    "aten::group_norm": group_norm,
    "aten::linear": linear,
    **dict.fromkeys(("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu"), recurrent),
    "aten::_pack_padded_sequence": packed_sequence,
}
