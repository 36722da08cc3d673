"""Searching for MobileNetV3.

Howard2019arxiv (arXiv 1905.02244): Table 1 (Large), Table 2 (Small), Figure 4 (block), Figure 5 (last stage), sections
5.1 to 5.3, and Table 5 (where h-swish begins).
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

# Table 5: the channels of the first bottlenecks with h-swish; Tables 1 and 2 themselves begin at 80 and at 40.
HSWISH_FROM = {"hswish@16": 16, "hswish@112": 112, "relu": 10**9}


def with_nonlinearity(table: list[Row], nonlinearity: str) -> list[Row]:
    """The table with ReLU and h-swish placed as Table 5 says; as it stands for "hswish"."""
    if nonlinearity == "hswish":
        return table
    start = HSWISH_FROM[nonlinearity]
    return [(k, exp, out, se, HS if out >= start else RE, s) for k, exp, out, se, _, s in table]


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


def efficient(channels: int, exp: int, head: int, nl: type[nn.Module]) -> list[nn.Module]:
    """Figure 5, below: pool the expansion, and make the features of the head on a single point; nothing projects."""
    last = nn.Sequential(*conv(channels, exp, 1), nl(), nn.AdaptiveAvgPool2d(1))
    return [last, nn.Sequential(nn.Conv2d(exp, head, 1), nl())]


def original(channels: int, exp: int, head: int, nl: type[nn.Module]) -> list[nn.Module]:
    """Figure 5, above: a bottleneck that filters and projects, to 320, and the features of the head before pooling."""
    out = 2 * channels
    features = nn.Sequential(*conv(out, head, 1), nl(), nn.AdaptiveAvgPool2d(1))
    return [Bottleneck(channels, 3, exp, out, False, nl, 1), features]


LAST_STAGES = {"efficient": efficient, "original": original}


class MobileNetV3(nn.Module):
    """The network of a table. Departure: the multiplier scales an expansion as its factor over the scaled input."""

    def __init__(
        self, table: list[Row], width: float, head: int, classes: int, stem: int = 16, last_stage: str = "efficient"
    ) -> None:
        super().__init__()
        channels, full, blocks, outer = divisible(stem * width), 16, [], table[-1][4]
        self.conv = nn.Sequential(*conv(3, channels, 3, 2), outer())
        for k, exp, out, se, nl, s in table:
            blocks.append(Bottleneck(channels, k, divisible(exp / full * channels), divisible(out * width), se, nl, s))
            channels, full = divisible(out * width), out
        self.bottlenecks = nn.Sequential(*blocks)
        # Table 2 ticks SE at Small's last 1×1; the authors' code has none there. In both tables it is six times wider.
        last, head = divisible(6 * full * width), divisible(head * max(1.0, width))
        self.last, self.head = LAST_STAGES[last_stage](channels, last, head, outer)
        self.classifier = nn.Conv2d(head, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.head(self.last(self.bottlenecks(self.conv(x))))).flatten(1)


def mobilenet_v3_large(
    width: float = 1.0,
    classes: int = 1000,
    stem: int = 16,
    last_stage: str = "efficient",
    nonlinearity: str = "hswish",
) -> nn.Module:
    """MobileNetV3-Large (Table 1), and what it was before: a `stem` of 32 filters, the "original" `last_stage`.

    `nonlinearity` is "hswish" as in Table 1, or one of Table 5: "relu", "hswish@16", "hswish@112".
    """
    return MobileNetV3(with_nonlinearity(LARGE, nonlinearity), width, 1280, classes, stem, last_stage)


def mobilenet_v3_small(
    width: float = 1.0, classes: int = 1000, head: int = 1024, stem: int = 16, nonlinearity: str = "hswish"
) -> nn.Module:
    """MobileNetV3-Small (Table 2), whose last hidden layer has 1280 units in earlier printings of the paper."""
    return MobileNetV3(with_nonlinearity(SMALL, nonlinearity), width, head, classes, stem)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
