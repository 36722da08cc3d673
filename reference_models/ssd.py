"""SSD and SSDLite, single-shot detectors, on the MobileNets.

Howard2017arxiv: Table 13. Sandler2018CVPR: section 6.2, Tables 5 and 6. Howard2019arxiv: section 6.3, Table 6.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from reference_models.mobilenet_v1 import mobilenet_v1
from reference_models.mobilenet_v2 import Conv, mobilenet_v2
from reference_models.mobilenet_v3 import LARGE, SMALL, MobileNetV3, Row

# The papers name the two maps that the detector is given: C4 at stride 16, C5 at stride 32. The rest is that of their
# authors' code, the TensorFlow object detection API (ssd_mobilenet_v1_coco, ssdlite_mobilenet_v2_coco,
# ssdlite_mobilenet_v3_large_320x320_coco): four further maps of these channels, each half the side of the one before;
# six boxes on a point, three on C4's; one class more than COCO's 90 labels, for the background.
FURTHER = [512, 256, 256, 128]
BOXES, COORDINATES = 6, 4


def further(channels: int, outputs: int, lite: bool) -> nn.Sequential:
    """A further map: half of its channels by 1×1, then 3×3 at stride 2, which SSDLite separates."""
    # Departure: ssd_mobilenet_v2_coco separates it in SSD, too. Its head with 80 classes has 13.1 M; Table 5: 14.8 M.
    half = outputs // 2
    separable = [Conv(half, half, 3, 2, groups=half), Conv(half, outputs, 1)]
    return nn.Sequential(Conv(channels, half, 1), *(separable if lite else [Conv(half, outputs, 3, 2)]))


def predictor(channels: int, outputs: int, lite: bool, kernel: int) -> nn.Sequential:
    """Predicts what is to be known of each point of a map; SSDLite by a depthwise and a pointwise convolution."""
    if lite:
        return nn.Sequential(Conv(channels, channels, 3, groups=channels), nn.Conv2d(channels, outputs, 1))
    return nn.Sequential(nn.Conv2d(channels, outputs, kernel, padding=kernel // 2))


class Head(nn.Module):
    """What SSD adds to a network: the further maps, and on all maps the boxes' coordinates and classes."""

    def __init__(self, c4: int, c5: int, lite: bool, classes: int, kernel: int = 3, boxes: int = 3) -> None:
        super().__init__()
        maps = list(zip([c4, c5, *FURTHER], [boxes] + [BOXES] * 5, strict=True))
        self.further = nn.ModuleList(further(c, outputs, lite) for c, outputs in pairwise([c5, *FURTHER]))
        self.boxes = nn.ModuleList(predictor(c, n * COORDINATES, lite, kernel) for c, n in maps)
        self.classes = nn.ModuleList(predictor(c, n * (classes + 1), lite, kernel) for c, n in maps)

    def forward(self, c4: Tensor, c5: Tensor) -> list[tuple[Tensor, Tensor]]:
        maps = [c4, c5]
        for step in self.further:
            maps.append(step(maps[-1]))
        return [(box(x), of_class(x)) for x, box, of_class in zip(maps, self.boxes, self.classes, strict=True)]


class Detector(nn.Module):
    """A network without its classifier, in two parts, and the head on their maps."""

    def __init__(self, to_c4: list[nn.Module], to_c5: list[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.to_c4, self.to_c5, self.head = nn.Sequential(*to_c4), nn.Sequential(*to_c5), head

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        c4 = self.to_c4(x)
        return self.head(c4, self.to_c5(c4))


def on_v3(table: list[Row], c4: int, halved: bool, lite: bool, classes: int, boxes: int) -> Detector:
    """C4 is the expansion of a bottleneck, counted from 0; † halves the channels behind it, up to C5."""
    tail = [(k, exp if i == 0 else exp // 2, out // 2, *rest) for i, (k, exp, out, *rest) in enumerate(table[c4:])]
    net = MobileNetV3([*table[:c4], *tail] if halved else table, 1.0, 1280, classes)
    split, c5 = net.bottlenecks[c4], net.last[:3]
    to_c5 = [split.depthwise, split.squeeze_excite, split.project, *net.bottlenecks[c4 + 1 :], c5]
    head = Head(split.expand[0].out_channels, c5[0].out_channels, lite, classes, boxes=boxes)
    return Detector([net.conv, *net.bottlenecks[:c4], split.expand], to_c5, head)


def ssd_mobilenet_v1(lite: bool = False, classes: int = 90, kernel: int = 1) -> nn.Module:
    """SSD or SSDLite on MobileNetV1; its SSD, and no other, predicts by convolutions of 1×1."""
    net = mobilenet_v1()
    return Detector([net.conv, *net.layers[:11]], [*net.layers[11:]], Head(512, 1024, lite, classes, kernel))


def ssd_mobilenet_v2(lite: bool = False, classes: int = 90) -> nn.Module:
    """SSD or SSDLite on MobileNetV2; C4 is the expansion of the 14th block, which the paper calls layer 15."""
    net = mobilenet_v2()
    split = net.bottlenecks[13]
    to_c5 = [split.depthwise, split.project, *net.bottlenecks[14:], net.last]
    return Detector([net.conv, *net.bottlenecks[:13], split.expand], to_c5, ssd_head(lite, classes))


def ssd_head(lite: bool = False, classes: int = 90) -> nn.Module:
    """The head alone, as on MobileNetV2 (Table 5 of its paper)."""
    return Head(576, 1280, lite, classes)


def ssd_mobilenet_v3_large(lite: bool = False, halved: bool = False, classes: int = 90, boxes: int = 3) -> nn.Module:
    """SSD or SSDLite on MobileNetV3-Large; `halved` is †, and `boxes` how many C4 has on a point."""
    return on_v3(LARGE, 12, halved, lite, classes, boxes)


def ssd_mobilenet_v3_small(lite: bool = False, halved: bool = False, classes: int = 90, boxes: int = 3) -> nn.Module:
    """SSD or SSDLite on MobileNetV3-Small, as on Large."""
    return on_v3(SMALL, 8, halved, lite, classes, boxes)


def ssd_head_inputs(resolution: int = 320) -> tuple[torch.Tensor, ...]:
    """C4 and C5 of MobileNetV2, for an image of that side."""
    c4, c5 = -(-resolution // 16), -(-resolution // 32)
    return (torch.zeros(1, 576, c4, c4), torch.zeros(1, 1280, c5, c5))


def example_inputs(resolution: int = 320) -> tuple[torch.Tensor, ...]:
    """One colour image; SSD on MobileNetV1 takes 300, the others 320."""
    return (torch.zeros(1, 3, resolution, resolution),)
