"""Searching for MobileNetV3.

Howard2019arxiv (arXiv 1905.02244): Table 1 (Large), Table 2 (Small), Figure 4 (block), sections 5.2 and 5.3.
"""

import torch
from torch import Tensor, nn

# Kernel, expansion, output channels, squeeze-and-excite, non-linearity, stride of each bottleneck.
RE, HS = nn.ReLU, nn.Hardswish
Row = tuple[int, int, int, bool, type[nn.Module], int]
LARGE: list[Row] = [
    (3, 16, 16, False, RE, 1), (3, 64, 24, False, RE, 2), (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2), (5, 120, 40, True, RE, 1), (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2), (3, 200, 80, False, HS, 1), (3, 184, 80, False, HS, 1), (3, 184, 80, False, HS, 1),
    (3, 480, 112, True, HS, 1), (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2), (5, 960, 160, True, HS, 1), (5, 960, 160, True, HS, 1),
]  # fmt: skip
SMALL: list[Row] = [
    (3, 16, 16, True, RE, 2), (3, 72, 24, False, RE, 2), (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2), (5, 240, 40, True, HS, 1), (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1), (5, 144, 48, True, HS, 1),
    (5, 288, 96, True, HS, 2), (5, 576, 96, True, HS, 1), (5, 576, 96, True, HS, 1),
]  # fmt: skip


def divisible(exact: float) -> int:
    """The nearest multiple of 8, at least 8, and never over a tenth below the exact value (the authors' code)."""
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def conv(channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution and its batch normalisation."""
    return [nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out)]


class SqueezeExcite(nn.Module):
    """Section 5.3: a quarter of the expansion, ReLU, then the hard sigmoid ReLU6(x + 3) / 6."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, divisible(channels / 4), 1)
        self.excite = nn.Conv2d(divisible(channels / 4), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * nn.functional.hardsigmoid(self.excite(self.squeeze(x.mean((2, 3), keepdim=True)).relu()))


class Bottleneck(nn.Module):
    """Figure 4: MobileNetV2's inverted residual with squeeze-and-excite behind the depthwise convolution."""

    def __init__(self, channels: int, kernel: int, exp: int, out: int, se: bool, nl: type[nn.Module], s: int) -> None:
        super().__init__()
        self.expand = nn.Sequential(*conv(channels, exp, 1), nl()) if exp != channels else nn.Identity()
        self.depthwise = nn.Sequential(*conv(exp, exp, kernel, s, groups=exp), nl())
        self.squeeze_excite = SqueezeExcite(exp) if se else nn.Identity()
        self.project = nn.Sequential(*conv(exp, out, 1))
        self.shortcut = s == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        return x + y if self.shortcut else y


class MobileNetV3(nn.Module):
    """The network of a table. Departure: the multiplier scales an expansion as its factor over the scaled input."""

    def __init__(self, table: list[Row], width: float, head: int, classes: int) -> None:
        super().__init__()
        channels, full, blocks = divisible(16 * width), 16, []
        self.conv = nn.Sequential(*conv(3, channels, 3, 2), HS())
        for k, exp, out, se, nl, s in table:
            blocks.append(Bottleneck(channels, k, divisible(exp / full * channels), divisible(out * width), se, nl, s))
            channels, full = divisible(out * width), out
        self.bottlenecks = nn.Sequential(*blocks)
        # Table 2 ticks SE at Small's last 1×1; the authors' code has none there. In both tables it is six times wider.
        last, head = divisible(6 * full * width), divisible(head * max(1.0, width))
        self.last = nn.Sequential(*conv(channels, last, 1), HS(), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Sequential(nn.Conv2d(last, head, 1), HS())
        self.classifier = nn.Conv2d(head, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.head(self.last(self.bottlenecks(self.conv(x))))).flatten(1)


def mobilenet_v3_large(width: float = 1.0, classes: int = 1000) -> nn.Module:
    """MobileNetV3-Large (Table 1)."""
    return MobileNetV3(LARGE, width, 1280, classes)


def mobilenet_v3_small(width: float = 1.0, classes: int = 1000, head: int = 1024) -> nn.Module:
    """MobileNetV3-Small (Table 2), whose last hidden layer has 1280 units in earlier printings of the paper."""
    return MobileNetV3(SMALL, width, head, classes)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
