"""Convolutions: multiply-adds are output positions × weights; of a transposed one, input positions × weights."""

import torch
from torch import nn
from torch.nn import functional


def plain():
    # params  16 × 3×3×3 = 432, 16 biases
    # macs    out 32×32 (padding 1): 1,024 × 432 = 442,368
    expected = {"params": 448, "weights": 432, "biases": 16, "macs": 442_368, "by_kind": {"conv": 442_368}}
    return nn.Conv2d(3, 16, 3, padding=1), torch.empty(1, 3, 32, 32), expected


def a_batch_of_four():
    # everything but parameters four times: 4 × 442,368
    expected = {"params": 448, "macs": 1_769_472, "activations": 4 * 16 * 32 * 32}
    return nn.Conv2d(3, 16, 3, padding=1), torch.empty(4, 3, 32, 32), expected


def without_a_batch():
    # as one image: 1,024 × 432
    return nn.Conv2d(3, 16, 3, padding=1), torch.empty(3, 32, 32), {"macs": 442_368, "by_kind": {"conv": 442_368}}


def strided_without_padding():
    # out (15 − 3) / 2 + 1 = 7, so 49 × 8 × 4 × 9 = 14,112
    return nn.Conv2d(4, 8, 3, stride=2, bias=False), torch.empty(1, 4, 15, 15), {"params": 288, "macs": 14_112}


def unequal_kernel_stride_and_padding():
    # height (20 + 2×2 − 5) / 2 + 1 = 10, width (20 + 2×0 − 1) / 3 + 1 = 7; weights 6 × 2 × 5 × 1 = 60; 70 × 60 = 4,200
    network = nn.Conv2d(2, 6, (5, 1), stride=(2, 3), padding=(2, 0), bias=False)
    return network, torch.empty(1, 2, 20, 20), {"params": 60, "macs": 4_200, "activations": 420}


def pointwise():
    # 64 positions × 24 × 8 = 12,288
    expected = {"params": 192, "macs": 12_288, "by_kind": {"conv1x1": 12_288}}
    return nn.Conv2d(8, 24, 1, bias=False), torch.empty(1, 8, 8, 8), expected


def depthwise():
    # each of 8 filters sees one channel: 100 positions × 8 × 9 = 7,200
    network = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
    return network, torch.empty(1, 8, 10, 10), {"params": 72, "macs": 7_200, "by_kind": {"depthwise": 7_200}}


def depthwise_with_a_multiplier():
    # two filters for each channel: 100 × 16 × 9 = 14,400
    network = nn.Conv2d(8, 16, 3, padding=1, groups=8, bias=False)
    return network, torch.empty(1, 8, 10, 10), {"params": 144, "macs": 14_400, "by_kind": {"depthwise": 14_400}}


def grouped():
    # each of 16 filters sees 8 / 4 = 2 channels: 100 × 16 × 2 × 9 = 28,800
    network = nn.Conv2d(8, 16, 3, padding=1, groups=4)
    expected = {"params": 304, "weights": 288, "macs": 28_800, "by_kind": {"grouped": 28_800}}
    return network, torch.empty(1, 8, 10, 10), expected


def grouped_pointwise():
    # 25 × 12 × (6 / 3) = 600
    return (
        nn.Conv2d(6, 12, 1, groups=3, bias=False),
        torch.empty(1, 6, 5, 5),
        {"macs": 600, "by_kind": {"grouped": 600}},
    )


def dilated():
    # the filter spans 2 × 2 + 1 = 5: out 12 − 4 = 8; 64 × 4 × 4 × 9 = 9,216
    return nn.Conv2d(4, 4, 3, dilation=2, bias=False), torch.empty(1, 4, 12, 12), {"params": 144, "macs": 9_216}


def padded_to_the_same_size():
    # out 9×9 whatever the dilation: 81 × 2 × 2 × 9 = 2,916
    network = nn.Conv2d(2, 2, 3, padding="same", dilation=2, bias=False)
    return network, torch.empty(1, 2, 9, 9), {"macs": 2_916, "activations": 162}


def padded_to_the_same_size_with_an_even_kernel():
    # out 9×9, though the padding is uneven: 81 × 2 × 2 × 16 = 5,184
    return nn.Conv2d(2, 2, 4, padding="same", bias=False), torch.empty(1, 2, 9, 9), {"macs": 5_184}


def padded_by_reflection():
    # the padding costs nothing: out 6×6, 36 × 3 × 3 × 9 = 2,916
    network = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect", bias=False)
    return network, torch.empty(1, 3, 6, 6), {"macs": 2_916}


def one_dimension():
    # out (100 − 5) / 2 + 1 = 48; 48 × 8 × 4 × 5 = 7,680
    return nn.Conv1d(4, 8, 5, stride=2, bias=False), torch.empty(1, 4, 100), {"params": 160, "macs": 7_680}


def three_dimensions():
    # out 4×8×8 = 256 positions; 256 × 4 × 3 × 3×3×3 = 82,944
    network = nn.Conv3d(3, 4, 3, padding=1, bias=False)
    return network, torch.empty(1, 3, 4, 8, 8), {"params": 324, "macs": 82_944, "by_kind": {"conv": 82_944}}


def three_dimensions_split_in_space_and_time():
    # 1×3×3: 3 × 36 × (4 × 2 × 9 = 72) = 7,776; then 3×1×1: 3 × 36 × (4 × 4 × 3 = 48) = 5,184
    space = nn.Conv3d(2, 4, (1, 3, 3), padding=(0, 1, 1), bias=False)
    time = nn.Conv3d(4, 4, (3, 1, 1), padding=(1, 0, 0), bias=False)
    return nn.Sequential(space, time), torch.empty(1, 2, 3, 6, 6), {"params": 120, "macs": 12_960}


def transposed():
    # each of 5×5 inputs meets all weights: 25 × 4 × 6 × 3×3 = 5,400; out (5 − 1) × 2 − 2 + 3 = 9, so 6 × 81 elements
    network = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, bias=False)
    expected = {"params": 216, "macs": 5_400, "activations": 486, "by_kind": {"transposed": 5_400}}
    return network, torch.empty(1, 4, 5, 5), expected


def transposed_grouped_with_output_padding():
    # weights 4 × (8 / 2) × 4 = 64 for 2×2; 49 × 64 = 3,136; out (7 − 1) × 2 + 2 + 1 = 15, so 8 × 225 elements
    network = nn.ConvTranspose2d(4, 8, 2, stride=2, output_padding=1, groups=2, bias=False)
    return network, torch.empty(1, 4, 7, 7), {"params": 64, "macs": 3_136, "activations": 1_800}


def transposed_in_one_dimension():
    # 10 inputs × 2 × 3 × 4 = 240
    return nn.ConvTranspose1d(2, 3, 4, bias=False), torch.empty(1, 2, 10), {"params": 24, "macs": 240}


def transposed_in_three_dimensions():
    # 8 inputs × 2 × 2 × 8 = 256
    return nn.ConvTranspose3d(2, 2, 2, stride=2, bias=False), torch.empty(1, 2, 2, 2, 2), {"params": 32, "macs": 256}


def with_normalisation():
    # conv 64 × 4 × 2 × 9 = 4,608 (72 weights); normalisation 4 + 4 parameters, no multiply-adds, 4 × 64 elements;
    # its buffers: mean 4, variance 4, batches 1
    network = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
    expected = {
        "params": 80,
        "weights": 72,
        "biases": 0,
        "normalisation": 8,
        "buffers": 9,
        "macs": 4_608,
        "extras": {"normalisation": 256, "activation": 256},
    }
    return network, torch.empty(1, 2, 8, 8), expected


def pooled_and_resampled():
    # extras alone: pooling reads 3 × 64 = 192, then 3 × 16 = 48; resampling writes 3 × 64
    class Network(nn.Module):
        def forward(self, x):
            x = functional.interpolate(functional.max_pool2d(x, 2), scale_factor=2)
            return functional.adaptive_avg_pool2d(functional.avg_pool2d(x, 2), 1)

    expected = {"params": 0, "macs": 0, "extras": {"pooling": 192 + 192 + 48, "resampling": 192}}
    return Network(), torch.empty(1, 3, 8, 8), expected


def with_standardised_weights():
    # what is made of weights alone is a weight: 36 × 4 × 2 × 9 = 2,592 and nothing more
    class Standardised(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return functional.conv2d(x, weight, self.bias, self.stride, self.padding)

    expected = {"params": 76, "weights": 72, "biases": 4, "macs": 2_592, "by_kind": {"conv": 2_592}}
    return Standardised(2, 4, 3, padding=1), torch.empty(1, 2, 6, 6), expected


def with_weight_norm():
    # the weight is a direction (72) and a length for each filter (4): 36 × 72 = 2,592
    network = nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 4, 3, padding=1, bias=False))
    return network, torch.empty(1, 2, 6, 6), {"params": 76, "macs": 2_592, "by_kind": {"conv": 2_592}}
