"""MobileNetV2: Inverted Residuals and Linear Bottlenecks.

Sandler2018CVPR (arXiv 1801.04381): Table 1 (block), Table 2 (body).
"""

import torch
from torch import Tensor, nn

# Table 2: expansion factor t, output channels c, repeats n, stride s of the first block in the row.
TABLE_2 = [
    # t, c, n, s
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]


def scaled(channels: int, width: float) -> int:
    """The nearest multiple of 8 to width × channels: at least 8, and never over a tenth below the exact value.

    The paper does not say how it rounds; this is the rule of its authors' code.
    """
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


class Conv(nn.Sequential):
    """A convolution with batch normalisation and ReLU6."""

    def __init__(self, channels: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU6(),
        )


class LinearBottleneck(nn.Sequential):
    """The 1×1 convolution that ends a block: batch normalisation, and no non-linearity."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(nn.Conv2d(channels, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class InvertedResidual(nn.Module):
    """Table 1: expand k channels to t·k, filter each by itself, project to k' without a non-linearity."""

    def __init__(self, k: int, k_out: int, s: int, t: int) -> None:
        super().__init__()
        # Departure: Table 1 has an expansion in every block; where t = 1 it would only repeat k, and the code has none.
        self.expand = Conv(k, t * k, 1) if t != 1 else nn.Identity()
        self.depthwise = Conv(t * k, t * k, 3, s, groups=t * k)
        self.project = LinearBottleneck(t * k, k_out)
        self.shortcut = s == 1 and k == k_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    """Table 2, with the width multiplier on every layer but, below 1, the last convolution (section 6.1)."""

    def __init__(self, width: float, classes: int) -> None:
        super().__init__()
        k, last = scaled(32, width), scaled(1280, max(1.0, width))
        self.conv = Conv(3, k, 3, stride=2)
        blocks = []
        for t, c, n, s in TABLE_2:
            for i in range(n):
                blocks.append(InvertedResidual(k, scaled(c, width), s if i == 0 else 1, t))
                k = scaled(c, width)
        self.bottlenecks = nn.Sequential(*blocks)
        self.last = Conv(k, last, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(last, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.last(self.bottlenecks(self.conv(x)))).flatten(1))


def mobilenet_v2(width: float = 1.0, classes: int = 1000) -> nn.Module:
    """MobileNetV2 of Table 4: `width` is the width multiplier."""
    return MobileNetV2(width, classes)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image; the authors publish figures for sides of 224, 192, 160, 128 and 96."""
    return (torch.zeros(1, 3, resolution, resolution),)
