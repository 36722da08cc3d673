"""VGG: Very Deep Convolutional Networks for Large-Scale Image Recognition.

Simonyan2015ICLR (arXiv 1409.1556): Table 1 (configurations), Table 2 (parameters).
"""

import torch
from torch import nn

# Table 1: how many 3×3 convolutions each stage has, and how many channels.
DEPTHS = {"A": (1, 1, 2, 2, 2), "B": (2, 2, 2, 2, 2), "D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)


def vgg(configuration: str = "D", classes: int = 1000) -> nn.Module:
    """Five stages of convolutions with max-pooling after each, then three fully connected layers."""
    layers: list[nn.Module] = []
    before = 3
    for depth, channels in zip(DEPTHS[configuration], CHANNELS, strict=True):
        for _ in range(depth):
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2))
    dense = [nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()]
    return nn.Sequential(*layers, *dense, nn.Dropout(), nn.Linear(4096, classes))


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image."""
    return (torch.zeros(1, 3, resolution, resolution),)
