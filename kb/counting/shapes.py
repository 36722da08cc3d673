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


def like(x: Tensor, dtype: torch.dtype | None = None) -> Tensor | None:
    """An empty tensor of the same shape."""
    if not x.is_meta:
        return None
    if x.is_contiguous():
        return torch.empty(x.shape, dtype=dtype or x.dtype, device="meta")
    if 0 in x.stride():
        return torch.empty_like(x, dtype=dtype)
    return torch.empty_strided(x.shape, _dense(x), dtype=dtype or x.dtype, device="meta")


def _dense(x: Tensor) -> list[int]:
    """The strides of a tensor without gaps whose dimensions lie in the same order."""
    strides, step = list(x.stride()), 1
    for dim in sorted(range(x.dim()), key=lambda each: (x.stride(each), -each)):
        strides[dim] = step
        step *= x.shape[dim]
    return strides


def _new(x: Tensor, shape: Sequence[int]) -> Tensor:
    return torch.empty(shape, dtype=x.dtype, device="meta")


def same(args: Arguments) -> Tensor | None:
    """Operators whose output is as their first operand: softmax over floats, roll, tril."""
    plain = args[0].is_floating_point() and not any(isinstance(each, torch.dtype) for each in args)
    return like(args[0]) if plain else None


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
    return _new(x, shape) if min(shape[2:], default=1) > 0 else None


def batch_norm(args: Arguments) -> Tensor | None:
    """batch_norm and instance_norm: (input, weight, bias, running_mean, running_var, …)."""
    x, *learned = args[:5]
    channels = x.shape[1] if x.dim() > 1 else -1
    fits = x.is_meta and all(each is None or each.shape == (channels,) for each in learned)
    return like(x) if fits else None


def layer_norm(args: Arguments) -> Tensor | None:
    """layer_norm and rms_norm: (input, normalized_shape, weight, …)."""
    x, shape = args[0], tuple(args[1])
    return like(x) if x.is_meta and tuple(x.shape[-len(shape) :]) == shape else None


def group_norm(args: Arguments) -> Tensor | None:
    """group_norm: (input, groups, weight, bias, …)."""
    x, groups = args[0], args[1]
    fits = x.is_meta and x.dim() > 1 and x.shape[1] % groups == 0
    return _new(x, x.shape) if fits else None


def linear(args: Arguments) -> Tensor | None:
    """linear: (input, weight, bias)."""
    x, weight = args[0], args[1]
    fits = x.is_meta and weight.dim() == 2 and x.dtype == weight.dtype and x.dim() and x.shape[-1] == weight.shape[1]
    return _new(x, [*x.shape[:-1], weight.shape[0]]) if fits else None


def embedding(args: Arguments) -> Tensor | None:
    """embedding: (weight, indices, …)."""
    weight, indices = args[:2]
    fits = weight.is_meta and indices.is_meta and weight.dim() == 2 and indices.dtype in (torch.int64, torch.int32)
    return _new(weight, [*indices.shape, weight.shape[1]]) if fits else None


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
    out = _new(x, [*x.shape[:-1], states[0].shape[-1] * (2 if bidirectional else 1)])
    return (out, *(_new(state, state.shape) for state in states))


def packed_sequence(args: Arguments) -> tuple[Tensor, ...] | None:
    """_pack_padded_sequence: (input, lengths, batch_first). The sizes of the packed batch are needed for real."""
    x, lengths, _ = args
    if not x.is_meta or lengths.is_meta:
        return None
    counts = lengths.tolist()
    sizes = [sum(length > step for length in counts) for step in range(max(counts))]
    return _new(x, [sum(counts), *x.shape[2:]]), torch.tensor(sizes)


def attention(args: Arguments) -> Tensor | None:
    """scaled_dot_product_attention: (query, key, value, …)."""
    query, key, value = args[:3]
    fits = (
        query.is_meta
        and query.dtype == key.dtype == value.dtype
        and query.dim() == key.dim() == value.dim()
        and query.shape[-1] == key.shape[-1]
        and key.shape[:-1] == value.shape[:-1]
        and query.shape[:-3] == key.shape[:-3]
        and (query.dim() < 3 or query.shape[-3] % key.shape[-3] == 0)
    )
    return _new(query, [*query.shape[:-1], value.shape[-1]]) if fits else None


def cat(args: Arguments) -> Tensor | None:
    """cat: (tensors, dim)."""
    tensors, dim = args[0], _at(args, 1, 0)
    first = tensors[0]
    dim = dim % max(first.dim(), 1)
    others = [(each.is_meta, each.dtype, each.shape[:dim], each.shape[dim + 1 :]) for each in tensors]
    if not first.is_meta or not first.dim() or any(each != others[0] for each in others):
        return None
    if any(_channels_last(each) for each in tensors):
        return None
    return _new(first, [*first.shape[:dim], sum(each.shape[dim] for each in tensors), *first.shape[dim + 1 :]])


def _channels_last(x: Tensor) -> bool:
    """Whether a batch of images or volumes may lie with its channels innermost, as results then do too."""
    return x.dim() in (4, 5) and x.stride(1) == 1 and not x.is_contiguous()


def reduction(args: Arguments) -> Tensor | None:
    """mean and sum over dimensions: (input, dims, keepdim)."""
    x, dims, keep = args[0], _at(args, 1), _at(args, 2, False)
    if not x.is_meta or not x.is_floating_point() or not isinstance(dims, list | tuple) or not dims:
        return None
    gone = {dim % x.dim() for dim in dims} if x.dim() else set()
    return _new(x, [1 if n in gone else size for n, size in enumerate(x.shape) if keep or n not in gone])


def max_pooling(args: Arguments) -> Tensor | None:
    """max_pool1d, 2d, 3d: (input, kernel_size, stride, padding, dilation, ceil_mode)."""
    return _pooled(args, dilation=_at(args, 4, 1), ceil=_at(args, 5, False))


def average_pooling(args: Arguments) -> Tensor | None:
    """avg_pool1d, 2d, 3d: (input, kernel_size, stride, padding, ceil_mode, …)."""
    return _pooled(args, dilation=1, ceil=_at(args, 4, False))


def _pooled(args: Arguments, *, dilation: Any, ceil: bool) -> Tensor | None:
    x, count = args[0], len(args[1])
    if not x.is_meta or x.dim() - count not in (1, 2) or min(x.shape) == 0:
        return None
    stride = _at(args, 2) or args[1]
    settings = [_each(each, count) for each in (args[1], stride, _at(args, 3, 0), dilation)]
    sizes = [
        _windows(size, kernel, step, padding, spread, ceil)
        for size, kernel, step, padding, spread in zip(x.shape[-count:], *settings, strict=True)
    ]
    return _new(x, [*x.shape[:-count], *sizes]) if min(sizes) > 0 else None


def _windows(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    """How many windows there are, 0 where torch is to say; with `ceil` the last may reach over the end."""
    span = dilation * (kernel - 1) + 1
    if 2 * padding > kernel or stride < 1 or size < span:  # some of torch's operators accept that, others do not
        return 0
    room = size + 2 * padding - span
    windows = (-(-room // stride) if ceil else room // stride) + 1
    return windows - 1 if ceil and (windows - 1) * stride >= size + padding else windows


def adaptive_pooling(args: Arguments) -> Tensor | None:
    """adaptive_avg_pool1d, 2d, 3d: (input, output_size)."""
    x, size = args[0], args[1]
    fits = x.is_meta and isinstance(size, list | tuple) and x.dim() > len(size) and min(x.shape) > 0
    return _new(x, [*x.shape[: -len(size)], *size]) if fits else None


def matmul(args: Arguments) -> Tensor | None:
    """matmul, bmm and mm of stacks of matrices of one size."""
    a, b = args[:2]
    fits = (
        a.is_meta
        and b.is_meta
        and a.dtype == b.dtype
        and a.dim() == b.dim() > 1
        and a.shape[:-2] == b.shape[:-2]
        and a.shape[-1] == b.shape[-2]
    )
    return _new(a, [*a.shape[:-1], b.shape[-1]]) if fits else None


def index(args: Arguments) -> Tensor | None:
    """index: (input, indices), where the one index is of integers: rows are taken."""
    x, indices = args[0], args[1]
    if len(indices) != 1 or not x.is_meta or indices[0].dtype != torch.int64:
        return None
    return _new(x, [*indices[0].shape, *x.shape[1:]])


def contiguous(args: Arguments) -> Tensor | None:
    """contiguous: the tensor itself, or a copy."""
    x = args[0]
    if len(args) > 1 or not x.is_meta:
        return None
    return x if x.is_contiguous() else _new(x, x.shape)


def dropout(args: Arguments) -> Tensor | None:
    """dropout: (input, p, train). Outside of training it is the input."""
    return None if args[2] else args[0]


SHORTCUTS: dict[str, Callable[[Arguments], Output | None]] = {
    **dict.fromkeys(("aten::conv1d", "aten::conv2d", "aten::conv3d"), convolution),
    **dict.fromkeys((f"aten::conv_transpose{n}d" for n in (1, 2, 3)), transposed_convolution),
    **dict.fromkeys(("aten::batch_norm", "aten::instance_norm"), batch_norm),
    **dict.fromkeys(("aten::layer_norm", "aten::rms_norm"), layer_norm),
    "aten::group_norm": group_norm,
    "aten::linear": linear,
    "aten::embedding": embedding,
    **dict.fromkeys((f"aten::max_pool{n}d" for n in (1, 2, 3)), max_pooling),
    **dict.fromkeys((f"aten::avg_pool{n}d" for n in (1, 2, 3)), average_pooling),
    **dict.fromkeys(("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu"), recurrent),
    "aten::_pack_padded_sequence": packed_sequence,
    "aten::scaled_dot_product_attention": attention,
    "aten::cat": cat,
    **dict.fromkeys(("aten::matmul", "aten::bmm", "aten::mm"), matmul),
    "aten::index": index,
    "aten::contiguous": contiguous,
    **dict.fromkeys(("aten::dropout", "aten::dropout_"), dropout),
    **dict.fromkeys(("aten::mean", "aten::sum"), reduction),
    **dict.fromkeys((f"aten::adaptive_avg_pool{n}d" for n in (1, 2, 3)), adaptive_pooling),
    **dict.fromkeys((f"aten::{name}" for name in ("softmax", "log_softmax", "roll", "tril", "triu")), same),
}
