"""Two models of a few lines, to be named rightly and wrongly."""

import torch
from torch import nn


def tiny(width: float = 1.0, classes: int = 10) -> nn.Module:
    """A convolution and a classifier."""
    channels = int(8 * width)
    return nn.Sequential(nn.Conv2d(3, channels, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def stack(depth: int, width: int = 8) -> nn.Module:
    """Convolutions, as many as asked."""
    return nn.Sequential(*(nn.Conv2d(3 if not n else width, width, 3) for n in range(depth)))


def example_inputs(resolution: int = 32) -> tuple[torch.Tensor, ...]:
    """One image."""
    return (torch.empty(1, 3, resolution, resolution),)
