"""MnasNet: Platform-Aware Neural Architecture Search for Mobile.

Tan2019CVPR (arXiv 1807.11626): Figure 7(a) (MnasNet-A1) and 7(b) to 7(d) (its layers).
"""

import torch
from torch import Tensor, nn

# Figure 7(a): expansion, kernel, squeeze-and-excite, output channels, repeats, stride of the first repeat.
FIGURE_7 = [
    # t, kernel, SE, c, n, s
    (6, 3, False, 24, 2, 2),
    (3, 5, True, 40, 3, 2),
    (6, 3, False, 80, 4, 2),
    (6, 3, True, 112, 2, 1),
    (6, 5, True, 160, 3, 2),
    (6, 3, False, 320, 1, 1),
]


def conv(channels: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution and its batch normalisation."""
    return [
        nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class SqueezeExcite(nn.Module):
    """Figure 7(c): SE (0.25). The quarter is of the block's input, before its expansion, as in the authors' code."""

    def __init__(self, expanded: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(expanded, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, expanded, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.excite(self.squeeze(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


class MBConv(nn.Module):
    """Figure 7(c) and (d): the inverted residual, in some blocks with squeeze-and-excite."""

    def __init__(self, channels: int, t: int, kernel: int, se: bool, outputs: int, stride: int) -> None:
        super().__init__()
        expanded = t * channels
        self.expand = nn.Sequential(*conv(channels, expanded, 1), nn.ReLU())
        self.depthwise = nn.Sequential(*conv(expanded, expanded, kernel, stride, groups=expanded), nn.ReLU())
        self.squeeze_excite = SqueezeExcite(expanded, channels // 4) if se else nn.Identity()
        self.project = nn.Sequential(*conv(expanded, outputs, 1))
        self.shortcut = stride == 1 and channels == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        return x + y if self.shortcut else y


class MnasNet(nn.Module):
    """Figure 7(a). Its pooling and fully connected layer stand behind a 1×1 convolution to 1280 channels."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv(3, 32, 3, 2), nn.ReLU())
        self.sep_conv = nn.Sequential(*conv(32, 32, 3, groups=32), nn.ReLU(), *conv(32, 16, 1))
        blocks, channels = [], 16
        for t, kernel, se, c, n, s in FIGURE_7:
            for i in range(n):
                blocks.append(MBConv(channels, t, kernel, se, c, s if i == 0 else 1))
                channels = c
        self.blocks = nn.Sequential(*blocks)
        # Departure: Figure 7(a) does not show this layer; the authors' code has it, as MobileNetV2 has.
        self.last = nn.Sequential(*conv(channels, 1280, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.fc = nn.Linear(1280, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.last(self.blocks(self.sep_conv(self.stem(x)))).flatten(1))


def mnasnet_a1(classes: int = 1000) -> nn.Module:
    """MnasNet-A1."""
    return MnasNet(classes)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
