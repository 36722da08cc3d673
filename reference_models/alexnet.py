"""ImageNet Classification with Deep Convolutional Neural Networks.

Krizhevsky2012NIPS: section 3.5 (architecture), Figure 2 (two towers).
"""

import torch
from torch import Tensor, nn

# Section 3.5: kernels, their size, stride, and whether they see both towers; then what follows the convolution.
# Departure: the paper prints an input of 224×224; its 55×55 maps behind the first layer need a padding of 2.
NORM, POOL = "response normalisation", "3×3 max-pooling at stride 2"
SECTION_3_5 = [
    # kernels, size, stride, padding, both towers, then
    (96, 11, 4, 2, True, [NORM, POOL]),
    (256, 5, 1, 2, False, [NORM, POOL]),
    (384, 3, 1, 1, True, []),
    (384, 3, 1, 1, False, []),
    (256, 3, 1, 1, False, [POOL]),
]


def after(name: str) -> nn.LocalResponseNorm | nn.MaxPool2d:
    """Section 3.3, with the paper's constants n, α, β and k; section 3.4, overlapping pooling."""
    return nn.LocalResponseNorm(5, alpha=1e-4 * 5, beta=0.75, k=2.0) if name is NORM else nn.MaxPool2d(3, 2)


class AlexNet(nn.Module):
    """Five convolutions, and three fully connected layers, half of whose inputs are dropped in training."""

    def __init__(self, towers: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for kernels, size, stride, padding, both, then in SECTION_3_5:
            # Kernels that see their own tower alone are a convolution in as many groups.
            groups = 1 if both else towers
            layers += [nn.Conv2d(channels, kernels, size, stride, padding, groups=groups), nn.ReLU()]
            layers += [after(name) for name in then]
            channels = kernels
        self.convolutions = nn.Sequential(*layers)
        self.fully_connected = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(6 * 6 * 256, 4096), nn.ReLU(),
            nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Linear(4096, classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.fully_connected(self.convolutions(x).flatten(1))


def alexnet(towers: int = 2, classes: int = 1000) -> nn.Module:
    """The network of the paper, split over two GPUs; with `towers=1` every kernel sees all maps."""
    return AlexNet(towers, classes)


def example_inputs() -> tuple[torch.Tensor, ...]:
    """One colour image: the fully connected layers fix its side."""
    return (torch.zeros(1, 3, 224, 224),)
