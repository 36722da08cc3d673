"""Mobile DeepLabv3: semantic segmentation with MobileNetV1 and MobileNetV2.

Sandler2018CVPR (arXiv 1801.04381): section 6.3, Table 7. The head is that of Chen et al., "Rethinking Atrous
Convolution for Semantic Image Segmentation" (arXiv 1706.05587), as in the authors' code.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from reference_models.mobilenet_v1 import mobilenet_v1
from reference_models.mobilenet_v2 import mobilenet_v2

RATES = [6, 12, 18]  # of ASPP's atrous convolutions, at output stride 16


def conv(channels: int, outputs: int, kernel: int = 1, rate: int = 1) -> nn.Sequential:
    """An atrous convolution, plain where its rate is 1, with batch normalisation and ReLU."""
    padding = rate * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(channels, outputs, kernel, padding=padding, dilation=rate, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def atrous(network: nn.Sequential, output_stride: int = 16) -> nn.Sequential:
    """The network at the given output stride: strides beyond it become rates of the convolutions that follow."""
    reached = rate = 1
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
            stride = layer.stride[0]
            if reached < output_stride:
                reached *= stride
                continue
            layer.stride, layer.dilation = (1, 1), (rate, rate)
            layer.padding = tuple(rate * (size // 2) for size in layer.kernel_size)
            rate *= stride
    return network


def resized(x: Tensor, like: Tensor) -> Tensor:
    """Bilinear, to the height and width of another map."""
    return interpolate(x, like.shape[2:], mode="bilinear", align_corners=True)


class DeepLabv3(nn.Module):
    """Section 6.3: image pooling, a 1×1 convolution and one for each rate, joined by two more 1×1 convolutions."""

    def __init__(self, network: nn.Sequential, channels: int, rates: list[int], filters: int, classes: int) -> None:
        super().__init__()
        self.network = atrous(network)
        self.image_pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv(channels, filters))
        self.branches = nn.ModuleList([conv(channels, filters), *(conv(channels, filters, 3, rate) for rate in rates)])
        self.projection = conv((2 + len(rates)) * filters, filters)
        self.logits = nn.Conv2d(filters, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = self.network(images)
        branches = [resized(self.image_pooling(x), x), *(branch(x) for branch in self.branches)]
        return resized(self.logits(self.projection(torch.cat(branches, 1))), images)


def deeplabv3_mobilenet_v1(aspp: bool = False, classes: int = 21) -> nn.Module:
    """DeepLabv3 on MobileNetV1, with ASPP or with its 1×1 convolution and image pooling alone."""
    body = mobilenet_v1()
    return DeepLabv3(nn.Sequential(body.conv, body.layers), 1024, RATES if aspp else [], 256, classes)


def deeplabv3_mobilenet_v2(aspp: bool = False, classes: int = 21) -> nn.Module:
    """DeepLabv3 on the second last feature map of MobileNetV2: 320 channels, not yet made 1280."""
    body = mobilenet_v2()
    return DeepLabv3(nn.Sequential(body.conv, body.bottlenecks), 320, RATES if aspp else [], 256, classes)


def example_inputs(resolution: int = 513) -> tuple[torch.Tensor, ...]:
    """One colour image; the authors' sides are a multiple of the output stride, and one."""
    return (torch.zeros(1, 3, resolution, resolution),)
