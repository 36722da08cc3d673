"""What a single layer of the MobileNets costs, beside the formulas that the papers give for it.

Howard2017arxiv (arXiv 1704.04861): Table 3 and section 3.1, of which only the convolutions are counted.
Sandler2018CVPR (arXiv 1801.04381): section 3.3, the multiply-adds of an inverted residual.
"""

import torch
from torch import nn

from reference_models.mobilenet_v2 import InvertedResidual


def standard_convolution(m: int = 512, n: int = 512, kernel: int = 3) -> nn.Module:
    """A convolution of M input and N output channels."""
    return nn.Conv2d(m, n, kernel, padding=kernel // 2, bias=False)


def depthwise_separable(m: int = 512, n: int = 512, kernel: int = 3, width: float = 1.0) -> nn.Module:
    """A depthwise and a pointwise convolution in its place; `width` is α."""
    m, n = int(m * width), int(n * width)
    depthwise = nn.Conv2d(m, m, kernel, padding=kernel // 2, groups=m, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(m, n, 1, bias=False))


def inverted_residual(k: int = 64, k_out: int = 64, s: int = 1, t: int = 6) -> nn.Module:
    """MobileNetV2's block: k channels in, t·k within, k' out; stride s."""
    return InvertedResidual(k, k_out, s, t)


def example_inputs(m: int = 512, side: int = 14) -> tuple[torch.Tensor, ...]:
    """A feature map of M channels and D_F × D_F points."""
    return (torch.zeros(1, m, side, side),)


def depthwise_separable_inputs(m: int = 512, width: float = 1.0, side: int = 14) -> tuple[torch.Tensor, ...]:
    """A feature map of α·M channels; ρ = 0.714 makes the side of 14 one of 10."""
    return example_inputs(int(m * width), side)


def inverted_residual_inputs(k: int = 64, h: int = 14, w: int = 14) -> tuple[torch.Tensor, ...]:
    """A feature map of k channels and h × w points."""
    return (torch.zeros(1, k, h, w),)
