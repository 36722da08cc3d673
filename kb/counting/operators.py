"""What each operator of torch is to the counter: counted, an extra, free, or unknown.

*Counted* operators have multiply-adds. *Extras* (normalisation, pooling, activation, resampling, softmax) do
arithmetic that by convention is no multiply-add: their elements are counted apart. *Free* ones move data,
compare, reduce, or work element by element. A *composite* operator is taken apart into others. Whatever is
none of these is unknown, and makes a measurement incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor
from torch._ops import HigherOrderOperator, OpOverload
from torch.utils.flop_counter import flop_registry

from kb.counting import formulas
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


def _embedding(args: Arguments, out: Output) -> Cost:
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

EXTRAS = {
    "normalisation": """
        batch_norm instance_norm layer_norm group_norm rms_norm native_batch_norm native_layer_norm native_group_norm
        _native_batch_norm_legit _native_batch_norm_legit_no_training _batch_norm_no_update _fused_rms_norm
        """,
    "pooling": """
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d
        adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d avg_pool1d avg_pool2d avg_pool3d
        max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
        fractional_max_pool2d fractional_max_pool3d max_unpool2d max_unpool3d torchvision::roi_pool
        torchvision::ps_roi_pool
        """,
    "activation": """
        relu relu6 hardtanh gelu silu sigmoid tanh hardswish hardsigmoid mish elu selu celu leaky_relu prelu
        _prelu_kernel softplus log_sigmoid log_sigmoid_forward glu rrelu threshold softshrink hardshrink
        """,
    "softmax": "softmax _softmax log_softmax _log_softmax _safe_softmax _masked_softmax logsumexp",
    "resampling": """
        upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
        _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d
        _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler grid_sampler_2d grid_sampler_3d
        affine_grid_generator torchvision::roi_align torchvision::ps_roi_align
        """,
}

# Beside these, every operator that torch tags as element by element is free, and every view.
FREE = """
    empty empty_like empty_strided empty_permuted new_empty new_empty_strided new_full new_ones new_zeros zeros
    zeros_like ones ones_like full full_like scalar_tensor arange linspace logspace range eye tril_indices
    triu_indices rand rand_like randn randn_like randint randint_like randperm normal bernoulli multinomial uniform
    exponential random bartlett_window blackman_window hamming_window hann_window kaiser_window lift lift_fresh
    fill zero copy clone contiguous to _to_copy type_as detach alias resolve_conj resolve_neg lift_fresh_copy
    reshape reshape_as flatten unflatten _unsafe_view view_as expand_as broadcast_to broadcast_tensors atleast_1d
    atleast_2d atleast_3d squeeze unsqueeze resize resize_as set_ meshgrid movedim moveaxis swapaxes swapdims
    adjoint mT mH numpy_T ravel narrow narrow_copy select_copy slice_copy chunk split split_with_sizes unsafe_chunk
    unsafe_split unsafe_split_with_sizes split_copy split_with_sizes_copy tensor_split hsplit vsplit dsplit unbind
    cat concat concatenate stack _stack hstack vstack dstack column_stack row_stack block_diag repeat
    repeat_interleave tile flip fliplr flipud roll rot90 pad constant_pad_nd reflection_pad1d reflection_pad2d
    reflection_pad3d replication_pad1d replication_pad2d replication_pad3d _pad_circular _pad_enum im2col col2im
    pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle tril triu diag diag_embed diagflat
    diagonal_copy gather scatter scatter_add scatter_reduce select_scatter slice_scatter diagonal_scatter index
    index_select index_put _index_put_impl _unsafe_index index_add index_copy index_fill index_reduce masked_scatter
    masked_select take take_along_dim put one_hot nonzero nonzero_static argwhere nonzero_numpy _shape_as_tensor
    sum nansum mean nanmean prod std std_mean var var_mean amax amin aminmax _aminmax max min argmax argmin all any
    median nanmedian mode kthvalue quantile count_nonzero norm linalg_vector_norm frobenius_norm trace cumsum
    cumprod cummax cummin _cummax_helper _cummin_helper logcumsumexp diff sort argsort topk msort unique_consecutive
    _unique2 unique_dim searchsorted bucketize bincount histc isin equal allclose is_nonzero item
    _local_scalar_dense _is_all_true _is_any_true _assert_async _functional_assert_async _assert_scalar
    _assert_tensor_metadata sym_size sym_stride sym_numel sym_storage_offset sym_constrain_range size stride numel
    dim is_same_size result_type can_cast dropout native_dropout feature_dropout alpha_dropout feature_alpha_dropout
    _weight_norm _weight_norm_interface norm_except_dim normalize cosine_similarity polar complex view_as_complex
    view_as_real cross linalg_cross _pack_padded_sequence nll_loss nll_loss_forward nll_loss2d nll_loss2d_forward
    mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
    torchvision::nms
    """.split()


def _named(name: str) -> str:
    return name if "::" in name else f"aten::{name}"


FORMULA_OF = {_named(name): formula for name, formula in FORMULAS.items()}
EXTRA_OF = {_named(name): kind for kind, names in EXTRAS.items() for name in names.split()}
FREE_NAMES = frozenset(map(_named, FREE))
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
    return Operator(name, role, EXTRA_OF.get(plain, ""), formula, SHORTCUTS.get(name), _is_data_dependent(func, plain))


def _borrowed_formula(func: OpOverload) -> Callable[[Arguments, Any], Cost] | None:
    packet = func.overloadpacket
    return _torch_formula(packet) if packet in flop_registry else None


def _role(func: OpOverload, plain: str) -> Role:
    if plain in EXTRA_OF:
        return "extra"
    if plain in FREE_NAMES or func.namespace in ("prim", "prims") or func.is_view or torch.Tag.pointwise in func.tags:
        return "free"
    composite = func.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd)
    return "composite" if composite else "unknown"


def _is_data_dependent(func: OpOverload, plain: str) -> bool:
    tags = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
    return plain in DATA_DEPENDENT or bool(tags & set(func.tags))
