"""R-ASPP and LR-ASPP: semantic segmentation of street scenes with MobileNetV2 and MobileNetV3.

Howard2019arxiv (arXiv 1905.02244): section 6.4, Figure 10 (LR-ASPP), Table 7; details as in the authors' code.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from reference_models.deeplab import DeepLabv3, atrous, conv, resized
from reference_models.mobilenet_v2 import InvertedResidual, MobileNetV2, scaled
from reference_models.mobilenet_v3 import LARGE, SMALL, MobileNetV3, Row


def body_v2(width: float, rf2: bool) -> nn.Sequential:
    """MobileNetV2 without its last convolution. RF2 halves the filters of its last four blocks."""
    network = MobileNetV2(width, 1)
    blocks = list(network.bottlenecks)
    if rf2:
        k = [scaled(channels, width) for channels in (96, 80, 80, 80, 160)]
        blocks[-4:] = [InvertedResidual(k[i], k[i + 1], 2 if i == 0 else 1, 6) for i in range(4)]
    return nn.Sequential(network.conv, *blocks)


def body_v3(table: list[Row], rf2: bool) -> nn.Sequential:
    """MobileNetV3 to C5, its last 1×1 convolution. RF2 halves the filters of its last three bottlenecks, and C5."""
    if rf2:
        table = table[:-3] + [(kernel, exp // 2, out // 2, se, nl, s) for kernel, exp, out, se, nl, s in table[-3:]]
    network = MobileNetV3(table, 1.0, 1, 1)
    return nn.Sequential(network.conv, *network.bottlenecks, network.last[:3])


class Kept(nn.Module):
    """Passes a map on, and keeps it for the skip."""

    def forward(self, x: Tensor) -> Tensor:
        self.map = x
        return x


class LRASPP(nn.Module):
    """Figure 10: a 1×1 convolution gated by what a large pooling sees, and a skip from 1/8 of the resolution.

    The paper does not say which layer the skip leaves. In the authors' code it is the depthwise convolution of the
    last bottleneck at that resolution, before the projection.
    """

    def __init__(self, network: nn.Sequential, skip: int, channels: int, filters: int, classes: int) -> None:
        super().__init__()
        self.network = atrous(network)
        depthwise = network[skip].depthwise
        self.conv = conv(channels, filters)
        self.gate = nn.Conv2d(channels, filters, 1)
        self.high = nn.Conv2d(filters, classes, 1)
        self.low = nn.Conv2d(depthwise[0].out_channels, classes, 1)
        self.skip = Kept()
        depthwise.append(self.skip)

    def forward(self, images: Tensor) -> Tensor:
        x = self.network(images)
        size = [min(49, side) for side in x.shape[2:]]  # images of half the resolution are lower than that
        gate = self.gate(avg_pool2d(x, size, (16, 20))).sigmoid()
        high = self.high(resized(self.conv(x) * resized(gate, x), self.skip.map))
        return resized(high + self.low(self.skip.map), images)


def raspp_mobilenet_v2(width: float = 1.0, rf2: bool = False, filters: int = 256, classes: int = 19) -> nn.Module:
    """R-ASPP, which is DeepLabv3 without atrous branches, on MobileNetV2."""
    return DeepLabv3(body_v2(width, rf2), scaled(160 if rf2 else 320, width), [], filters, classes)


def raspp_mobilenet_v3_large(rf2: bool = False, filters: int = 256, classes: int = 19) -> nn.Module:
    """R-ASPP on MobileNetV3-Large."""
    return DeepLabv3(body_v3(LARGE, rf2), 480 if rf2 else 960, [], filters, classes)


def lraspp_mobilenet_v2(width: float = 1.0, rf2: bool = False, filters: int = 128, classes: int = 19) -> nn.Module:
    """LR-ASPP on MobileNetV2."""
    return LRASPP(body_v2(width, rf2), 6, scaled(160 if rf2 else 320, width), filters, classes)


def lraspp_mobilenet_v3_large(rf2: bool = False, filters: int = 128, classes: int = 19) -> nn.Module:
    """LR-ASPP on MobileNetV3-Large."""
    return LRASPP(body_v3(LARGE, rf2), 6, 480 if rf2 else 960, filters, classes)


def lraspp_mobilenet_v3_small(rf2: bool = False, filters: int = 128, classes: int = 19) -> nn.Module:
    """LR-ASPP on MobileNetV3-Small."""
    return LRASPP(body_v3(SMALL, rf2), 3, 288 if rf2 else 576, filters, classes)


def example_inputs(resolution: int = 1024) -> tuple[torch.Tensor, ...]:
    """One image of Cityscapes, twice as wide as high.

    Departure: the images are 1024×2048. The authors' code evaluates them on a crop of a multiple of the output stride
    and one, 1025×2049, and this is what comes near the printed counts: MobileNetV2 with R-ASPP has 21.23 billion
    multiply-adds on it, and 20.83 on 1024×2048, where Table 7 prints 21.29.
    """
    return (torch.zeros(1, 3, resolution + 1, 2 * resolution + 1),)
