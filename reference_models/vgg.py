"""Very Deep Convolutional Networks for Large-Scale Image Recognition.

Simonyan2015ICLR (arXiv 1409.1556): Table 1 (configurations), Table 2 (parameters).
"""

import torch
from torch import Tensor, nn

# Table 1: the channels of each 3×3 convolution (negative: of a 1×1 convolution), stage by stage; between the stages,
# and behind the last, stands 2×2 max-pooling.
TABLE_1 = {
    "A": [[64], [128], [256, 256], [512, 512], [512, 512]],
    "B": [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
    "C": [[64, 64], [128, 128], [256, 256, -256], [512, 512, -512], [512, 512, -512]],
    "D": [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
    "E": [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]],
}


def conv(channels: int, outputs: int) -> nn.Conv2d:
    """A convolution that keeps the side of its maps."""
    return nn.Conv2d(channels, outputs, 3, padding=1) if outputs > 0 else nn.Conv2d(channels, -outputs, 1)


class VGG(nn.Module):
    """A column of Table 1. (A-LRN, which has as many parameters as A, is left out.)"""

    def __init__(self, configuration: str, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for stage in TABLE_1[configuration]:
            for outputs in stage:
                layers += [conv(channels, outputs), nn.ReLU()]
                channels = abs(outputs)
            layers.append(nn.MaxPool2d(2, 2))
        self.convolutions = nn.Sequential(*layers)
        self.fully_connected = nn.Sequential(
            nn.Linear(7 * 7 * 512, 4096), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(4096, classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.fully_connected(self.convolutions(x).flatten(1))


def vgg(configuration: str = "D", classes: int = 1000) -> nn.Module:
    """Configuration A, B, C, D (also known as VGG-16) or E (VGG-19)."""
    return VGG(configuration, classes)


def example_inputs() -> tuple[torch.Tensor, ...]:
    """One colour image: the fully connected layers fix its side."""
    return (torch.zeros(1, 3, 224, 224),)
