"""MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications.

Howard2017arxiv (arXiv 1704.04861): Table 1 (body), Table 4 (all convolutions standard), Table 5 (shallow).
"""

import torch
from torch import Tensor, nn

# Table 1: a depthwise separable layer is (output channels, stride of the depthwise convolution).
#
# Departure: Table 1 prints s2 for the last depthwise convolution, beside 7×7×1024 at its input and again behind it.
# The two cannot both hold. At stride 1 the network has 568,740,352 multiply-adds, at stride 2 only 533,833,216
# (the last depthwise and pointwise convolutions on 4×4 in place of 7×7). Table 4 prints 569 million: the stride is 1.
FIVE = [(512, 1)] * 5
HEAD = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
TAIL = [(1024, 2), (1024, 1)]


class Conv(nn.Sequential):
    """A standard convolution, 3×3 unless said otherwise, with batch normalisation and ReLU."""

    def __init__(self, channels: int, outputs: int, stride: int = 1, kernel: int = 3, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class DepthwiseSeparable(nn.Module):
    """Figure 3, right: a 3×3 depthwise and a 1×1 pointwise convolution, each with batch normalisation and ReLU."""

    def __init__(self, channels: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.depthwise = Conv(channels, channels, stride, groups=channels)
        self.pointwise = Conv(channels, outputs, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class MobileNet(nn.Module):
    """Table 1: a full convolution, a list of layers, average pooling, and a fully connected layer."""

    def __init__(self, stem: int, layers: list[nn.Module], features: int, classes: int) -> None:
        super().__init__()
        self.conv = Conv(3, stem, stride=2)
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.layers(self.conv(x))).flatten(1))


def body(
    block: type[nn.Module],
    table: list[tuple[int, int]],
    width: float = 1.0,
    classes: int = 1000,
    min_depth: int = 8,
) -> MobileNet:
    """The network whose layers the table lists, each built as a `block`.

    Section 3.3: the width multiplier α makes c channels α·c, rounded down; the code keeps at least `min_depth`.
    """
    outputs = [max(min_depth, int(channels * width)) for channels in [32, *(channels for channels, _ in table)]]
    layers = [block(outputs[i], outputs[i + 1], stride) for i, (_, stride) in enumerate(table)]
    return MobileNet(outputs[0], layers, outputs[-1], classes)


def mobilenet_v1(width: float = 1.0, classes: int = 1000, min_depth: int = 8) -> nn.Module:
    """MobileNet, of Tables 4 to 14: `width` is the paper's α; ρ is the resolution of the input.

    `min_depth` is the authors' code's: the paper does not say how many channels a layer keeps at least.
    """
    return body(DepthwiseSeparable, HEAD + FIVE + TAIL, width, classes, min_depth)


def conv_mobilenet() -> nn.Module:
    """Conv MobileNet, of Table 4: every depthwise separable layer a standard 3×3 convolution."""
    return body(Conv, HEAD + FIVE + TAIL)


def shallow_mobilenet() -> nn.Module:
    """Shallow MobileNet, of Table 5: without the five separable layers of 14×14×512."""
    return body(DepthwiseSeparable, HEAD + TAIL)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image; the paper's sides are 224, 192, 160 and 128."""
    return (torch.zeros(1, 3, resolution, resolution),)
