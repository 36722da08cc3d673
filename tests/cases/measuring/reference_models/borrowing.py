"""A file that builds on a sibling, and takes its inputs from it."""

from torch import nn

from reference_models.misbehaving import example_inputs, well_behaved

__all__ = ["borrowing", "example_inputs"]


def borrowing(features: int = 4, depth: float = 2) -> nn.Module:
    return nn.Sequential(well_behaved(features), *[nn.Linear(2, 2, bias=False) for _ in range(depth)])
