"""What `net` is made of: travels with it."""

from torch import nn


def block(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU())
