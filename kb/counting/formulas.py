"""Multiply-adds of each operator, as pure functions of shapes. Additions of a bias do not count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

import torch
from torch.utils.flop_counter import conv_flop_count

Shape = Sequence[int]


def _broadcast(a: Shape, b: Shape) -> Shape:
    shape: Shape = torch.broadcast_shapes(a, b)  # type: ignore[no-untyped-call]
    return shape


def convolution(x: Shape, weight: Shape, output: Shape, *, transposed: bool) -> int:
    """Every output position takes one product with each filter; of a transposed one, every input position."""
    if len(x) < len(weight):  # without a batch
        x, output = [1, *x], [1, *output]
    return conv_flop_count(list(x), list(weight), list(output), transposed) // 2


def linear(x: Shape, weight: Shape) -> int:
    """Each row of the input with each row of the weight."""
    return prod(x) * prod(weight[:-1])


def matmul(a: Shape, b: Shape) -> int:
    """A product of two vectors, matrices or broadcast stacks of matrices."""
    rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
    return prod(_broadcast(a[:-2], b[:-2])) * prod(rows) * a[-1] * prod(columns)


def attention_scores(query: Shape, key: Shape) -> int:
    """Elements of the score matrices: one for each query and key of each head."""
    return prod(query[:-1]) * key[-2]


def attention(query: Shape, key: Shape, value: Shape) -> int:
    """Queries by keys, then scores by values. A causal mask saves nothing; grouped keys are shared, not skipped."""
    return attention_scores(query, key) * (query[-1] + value[-1])


def recurrent(steps: int, weights: Iterable[Shape]) -> int:
    """Each step multiplies by each weight matrix once; vectors are biases."""
    return steps * sum(prod(shape) for shape in weights if len(shape) == 2)


def bilinear(left: Shape, weight: Shape) -> int:
    """The left input by every slice of the weight, then what comes out by the right input."""
    outputs, left_features, right_features = weight
    return prod(left[:-1]) * outputs * right_features * (left_features + 1)


def distances(a: Shape, b: Shape) -> int:
    """All pairwise distances: one multiply-add for each feature of each pair."""
    return prod(_broadcast(a[:-2], b[:-2])) * a[-2] * b[-2] * a[-1]


def deformable_convolution(weight: Shape, output: Shape) -> int:
    """As a convolution; where the filter samples from changes nothing."""
    return prod(output) * prod(weight[1:])
