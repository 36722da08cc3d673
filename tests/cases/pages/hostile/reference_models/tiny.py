"""A model of one layer: <script>hacked("source")</script>"""

import torch
from torch import nn


def tiny() -> nn.Module:
    """</code></pre><script>hacked("doc")</script>"""
    return nn.Linear(3, 3)


def example_inputs() -> tuple[torch.Tensor, ...]:
    """One row."""
    return (torch.zeros(1, 3),)
