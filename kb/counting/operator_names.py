"""Names of operators that have no multiply-adds: those whose elements are counted apart, and those that are free."""

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
    atleast_2d atleast_3d squeeze unsqueeze resize resize_as set meshgrid movedim moveaxis swapaxes swapdims
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
    view_as_real transpose masked_fill floor_divide cross linalg_cross _pack_padded_sequence nll_loss
    nll_loss_forward nll_loss2d nll_loss2d_forward
    mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
    floor_divide torchvision::nms
    """
