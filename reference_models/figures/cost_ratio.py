"""What a depthwise separable convolution costs of a standard one: section 3.1 of Howard2017arxiv."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from reference_models.one_layer import depthwise_separable, example_inputs, standard_convolution

Figure = dict[str, object]

CHANNELS = [8, 16, 32, 64, 128, 256, 512, 1024]  # N: as many in as out
KERNELS = [3, 5, 7]


def operations(layer: nn.Module, n: int) -> int:
    """The floating-point operations of a layer of N channels, counted while it runs, on meta tensors."""
    inputs = (each.to("meta") for each in example_inputs(n))
    with FlopCounterMode(display=False) as counter:
        layer.to("meta")(*inputs)
    return counter.get_total_flops()


def measured(n: int, kernel: int) -> float:
    """The ratio of the two for one layer."""
    layers = depthwise_separable(n, n, kernel), standard_convolution(n, n, kernel)
    return operations(layers[0], n) / operations(layers[1], n)


def cost_ratio() -> Figure:
    """The ratio of multiply-adds, 1/N + 1/D_K², as a curve, and as counted for layers of N channels."""
    n = torch.logspace(3, 10, 57, base=2)
    curves = [{"name": f"1/N + 1/{kernel}²", "x": n, "y": 1 / n + 1 / kernel**2} for kernel in KERNELS]
    points = [
        {
            "name": {"en": f"measured, D_K = {kernel}", "zh": f"实测，D_K = {kernel}"},
            "x": CHANNELS,
            "y": [measured(n, kernel) for n in CHANNELS],
            "draw": "points",
        }
        for kernel in KERNELS
    ]
    return {
        "title": {"en": "Depthwise separable over standard convolution", "zh": "深度可分离卷积与标准卷积的计算量之比"},
        "x": {"label": {"en": "channels N", "zh": "通道数 N"}, "log": True},
        "y": {"label": {"en": "ratio of multiply-adds", "zh": "乘加次数之比"}, "log": True},
        "series": [*curves, *points],
    }
