"""A network of one convolution and a classifier, in two widths."""

import torch
from torch import Tensor, nn


def net(width: float = 1.0) -> nn.Module:
    """A network whose channels are multiplied by `width`."""
    channels = int(16 * width)
    return nn.Sequential(
        nn.Conv2d(3, channels, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, 10),
    )


def example_inputs(resolution: int = 32) -> tuple[Tensor]:
    """One image."""
    return (torch.empty(1, 3, resolution, resolution),)
