"""SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size.

Iandola2016arxiv (arXiv 1602.07360): Table 1 (SqueezeNet, later named version 1.0), Figure 1 (Fire module).
"""

import torch
from torch import Tensor, nn

# Table 1: squeeze s1x1, expand e1x1 and expand e3x3 of each Fire module, and the max-pooling between them.
POOL = None
TABLE_1 = {
    "fire2": (16, 64, 64),
    "fire3": (16, 64, 64),
    "fire4": (32, 128, 128),
    "maxpool4": POOL,
    "fire5": (32, 128, 128),
    "fire6": (48, 192, 192),
    "fire7": (48, 192, 192),
    "fire8": (64, 256, 256),
    "maxpool8": POOL,
    "fire9": (64, 256, 256),
}


class Fire(nn.Module):
    """Figure 1: squeeze by 1×1 filters, then expand by 1×1 and 3×3 filters side by side."""

    def __init__(self, channels: int, s1x1: int, e1x1: int, e3x3: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(channels, s1x1, 1), nn.ReLU())
        self.expand_1x1 = nn.Sequential(nn.Conv2d(s1x1, e1x1, 1), nn.ReLU())
        self.expand_3x3 = nn.Sequential(nn.Conv2d(s1x1, e3x3, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat([self.expand_1x1(x), self.expand_3x3(x)], dim=1)


def maxpool() -> nn.MaxPool2d:
    """3×3 at stride 2, counting the last, incomplete window as Caffe does."""
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


class SqueezeNet(nn.Module):
    """Table 1: a convolution, eight Fire modules, and a convolution with a filter per class; no dense layer."""

    def __init__(self, classes: int, border: int) -> None:
        super().__init__()
        # Table 1 prints a 224×224 input and 111×111 behind conv1: without padding, as in the authors' code, 111 comes
        # from that code's 227×227; 224 gives 109, and the printed maps from maxpool4 on (27×27, 13×13) either way.
        self.conv1 = nn.Conv2d(3, 96, 7, stride=2)
        self.maxpool1 = maxpool()
        self.fires = nn.Sequential()
        channels = 96
        for name, filters in TABLE_1.items():
            self.fires.add_module(name, maxpool() if filters is POOL else Fire(channels, *filters))
            channels = channels if filters is POOL else filters[1] + filters[2]
        self.dropout = nn.Dropout(0.5)
        # The authors' code pads this 1×1 convolution by 1, a border of bias alone. Table 1 prints 13×13: no padding.
        self.conv10 = nn.Conv2d(channels, classes, 1, padding=border)
        self.avgpool10 = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fires(self.maxpool1(self.conv1(x).relu()))
        x = self.conv10(self.dropout(x)).relu()
        return self.avgpool10(x).flatten(1)


def squeezenet(classes: int = 1000, border: int = 0) -> nn.Module:
    """SqueezeNet without bypass connections, before compression; the authors' code has a `border` of 1 at conv10."""
    return SqueezeNet(classes, border)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
