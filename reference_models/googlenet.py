"""Going Deeper with Convolutions.

Szegedy2015CVPR (arXiv 1409.4842): Table 1 (GoogLeNet), Figure 2(b) (Inception module).
"""

import torch
from torch import Tensor, nn

# Table 1: filters of an Inception module's branches; POOL is 3×3 max-pooling at stride 2.
POOL = None
TABLE_1 = {
    # 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection
    "inception_3a": (64, 96, 128, 16, 32, 32),
    "inception_3b": (128, 128, 192, 32, 96, 64),
    "max_pool_3": POOL,
    "inception_4a": (192, 96, 208, 16, 48, 64),
    "inception_4b": (160, 112, 224, 24, 64, 64),
    "inception_4c": (128, 128, 256, 24, 64, 64),
    "inception_4d": (112, 144, 288, 32, 64, 64),
    "inception_4e": (256, 160, 320, 32, 128, 128),
    "max_pool_4": POOL,
    "inception_5a": (256, 160, 320, 32, 128, 128),
    "inception_5b": (384, 192, 384, 48, 128, 128),
}


def conv(channels: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution with bias and ReLU; batch normalisation was not known yet."""
    return nn.Sequential(nn.Conv2d(channels, outputs, kernel, stride, kernel // 2), nn.ReLU())


def max_pool() -> nn.MaxPool2d:
    """3×3 at stride 2. Table 1's 56, 28, 14 and 7 come out when the last, incomplete window counts."""
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def norm() -> nn.LocalResponseNorm:
    """Local response normalisation: Figure 3 shows where it stands, without its constants; these are AlexNet's."""
    return nn.LocalResponseNorm(5)


class Inception(nn.Module):
    """Figure 2(b): four branches side by side, whose maps are concatenated."""

    def __init__(self, channels: int, c1: int, r3: int, c3: int, r5: int, c5: int, projection: int) -> None:
        super().__init__()
        self.branch_1x1 = conv(channels, c1, 1)
        self.branch_3x3 = nn.Sequential(conv(channels, r3, 1), conv(r3, c3, 3))
        self.branch_5x5 = nn.Sequential(conv(channels, r5, 1), conv(r5, c5, 5))
        self.branch_pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(channels, projection, 1))
        self.outputs = c1 + c3 + c5 + projection

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch_1x1(x), self.branch_3x3(x), self.branch_5x5(x), self.branch_pool(x)], dim=1)


class GoogLeNet(nn.Module):
    """Table 1, as it stands at inference: without the two auxiliary classifiers of training."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            conv(3, 64, 7, 2), max_pool(), norm(), conv(64, 64, 1), conv(64, 192, 3), norm(), max_pool()
        )
        self.inceptions = nn.Sequential()
        channels = 192
        for name, filters in TABLE_1.items():
            module = max_pool() if filters is POOL else Inception(channels, *filters)
            self.inceptions.add_module(name, module)
            channels = channels if filters is POOL else module.outputs
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(channels, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.inceptions(self.stem(x)))


def googlenet(classes: int = 1000) -> nn.Module:
    """GoogLeNet at inference."""
    return GoogLeNet(classes)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
