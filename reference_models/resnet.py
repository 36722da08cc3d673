"""Deep Residual Learning for Image Recognition.

He2016CVPR (arXiv 1512.03385): Table 1 (architectures), Figure 5 (blocks), section 3.3 (shortcuts A and B).
"""

import torch
from torch import Tensor, nn

# Table 1: building blocks in conv2_x to conv5_x, and whether they are bottlenecks.
TABLE_1 = {
    18: ([2, 2, 2, 2], False),
    34: ([3, 4, 6, 3], False),
    50: ([3, 4, 6, 3], True),
    101: ([3, 4, 23, 3], True),
    152: ([3, 8, 36, 3], True),
}


def conv(channels: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution and its batch normalisation."""
    return [nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]


class PaddedShortcut(nn.Module):
    """Option A: every second point, and zeros for the channels that are new; no parameters."""

    def __init__(self, added: int, stride: int) -> None:
        super().__init__()
        self.added, self.stride = added, stride

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))


class Block(nn.Module):
    """Figure 5: left two 3×3 convolutions, right a bottleneck of 1×1, 3×3 and 1×1."""

    def __init__(self, channels: int, c: int, stride: int, bottleneck: bool, option: str, stride_in: str) -> None:
        super().__init__()
        outputs = 4 * c if bottleneck else c
        if bottleneck:
            first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
            reduced = [*conv(channels, c, 1, first), nn.ReLU(), *conv(c, c, 3, second), nn.ReLU()]
            self.residual = nn.Sequential(*reduced, *conv(c, outputs, 1))
        else:
            self.residual = nn.Sequential(*conv(channels, c, 3, stride), nn.ReLU(), *conv(c, c, 3))
        projected = nn.Sequential(*conv(channels, outputs, 1, stride)) if option == "B" else None
        wider = projected or PaddedShortcut(outputs - channels, stride)
        self.shortcut = wider if channels != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return (self.residual(x) + self.shortcut(x)).relu()


class ResNet(nn.Module):
    """A column of Table 1."""

    def __init__(self, layers: int, option: str, stride_in: str, classes: int) -> None:
        super().__init__()
        numbers, bottleneck = TABLE_1[layers]
        self.conv1 = nn.Sequential(*conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        blocks, channels = [], 64
        for stage, number in enumerate(numbers):
            for i in range(number):
                stride = 2 if stage > 0 and i == 0 else 1
                blocks.append(Block(channels, 64 * 2**stage, stride, bottleneck, option, stride_in))
                channels = (256 if bottleneck else 64) * 2**stage
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.blocks(self.conv1(x))).flatten(1))


def resnet(layers: int = 50, shortcuts: str = "B", stride_in: str = "1x1", classes: int = 1000) -> nn.Module:
    """ResNet-`layers`; shortcuts to more channels are projected (B) or padded by zeros (A).

    Of a bottleneck at stride 2 the paper strides in the first 1×1; `stride_in="3x3"` is torchvision's, a later form.
    """
    return ResNet(layers, shortcuts, stride_in, classes)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
