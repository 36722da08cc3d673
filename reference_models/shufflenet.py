"""ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices.

Zhang2018CVPR (arXiv 1707.01083): Table 1 (body), Figure 2 (units).
"""

import torch
from torch import Tensor, nn

# Table 1: output channels of stage 2, by the number of groups; each further stage doubles them.
STAGE_2 = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
UNITS = [4, 8, 4]  # of stages 2, 3 and 4; the first in each has stride 2


def conv(channels: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution and its batch normalisation."""
    return [
        nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class Shuffle(nn.Module):
    """Figure 1(c): deal the channels of each group out to all groups."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)


class Unit(nn.Module):
    """Figure 2(b), and at stride 2 Figure 2(c), where the shortcut is pooled and concatenated instead of added."""

    def __init__(self, channels: int, outputs: int, stride: int, groups: int, first_groups: int) -> None:
        super().__init__()
        # A quarter of the outputs, as far as the groups allow: 0.5× with g = 4 asks for 34 channels, and gets 36.
        bottleneck = -(-outputs // 4 // groups) * groups
        self.stride = stride
        # The branch makes the channels that the concatenated shortcut lacks.
        branch = outputs - channels if stride == 2 else outputs
        self.compress = nn.Sequential(*conv(channels, bottleneck, 1, groups=first_groups), nn.ReLU())
        self.shuffle = Shuffle(first_groups)
        self.depthwise = nn.Sequential(*conv(bottleneck, bottleneck, 3, stride, groups=bottleneck))
        self.expand = nn.Sequential(*conv(bottleneck, branch, 1, groups=groups))
        self.shortcut = nn.AvgPool2d(3, 2, 1) if stride == 2 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(self.depthwise(self.shuffle(self.compress(x))))
        x = self.shortcut(x)
        return (torch.cat([x, y], dim=1) if self.stride == 2 else x + y).relu()


class ShuffleNet(nn.Module):
    """Table 1, the channels of its stages multiplied by the scale factor (`scale`) of "ShuffleNet 2×"."""

    def __init__(self, scale: float, groups: int, stem: int, classes: int) -> None:
        super().__init__()
        channels = stem
        self.stem = nn.Sequential(*conv(3, channels, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        units = []
        for stage, number in enumerate(UNITS):
            outputs = int(STAGE_2[groups] * scale) * 2**stage
            for i in range(number):
                # The first pointwise convolution of stage 2 has too few inputs to be grouped.
                first_groups = 1 if stage == i == 0 else groups
                units.append(Unit(channels, outputs, 2 if i == 0 else 1, groups, first_groups))
                channels = outputs
        self.units = nn.Sequential(*units)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.units(self.stem(x))).flatten(1))


def shufflenet(scale: float = 1.0, groups: int = 3, stem: int = 0, classes: int = 1000) -> nn.Module:
    """ShuffleNet `scale`×, g = `groups`. The first convolution has `stem` channels: by default 24, scaled too."""
    return ShuffleNet(scale, groups, stem or int(24 * scale), classes)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
