"""What accuracy a MobileNet buys with its multiply-adds, over widths and resolutions: Figure 4 of Howard2017arxiv.

The multiply-adds are counted here. The accuracies, top-1 on ImageNet, are printed: in Tables 6, 7 and 9 of the paper,
and for all sixteen networks in the README of the authors' code (mobilenet_v1.md, whose networks were trained anew).
"""

from torch.utils.flop_counter import FlopCounterMode

from reference_models.mobilenet_v1 import example_inputs, mobilenet_v1

Figure = dict[str, object]

RESOLUTIONS = [224, 192, 160, 128]
README = {  # by width, in the order of the resolutions
    1.0: [70.9, 70.0, 68.0, 65.2],
    0.75: [68.4, 67.2, 65.3, 62.1],
    0.5: [63.3, 61.7, 59.1, 56.3],
    0.25: [49.8, 47.7, 45.5, 41.5],
}
PAPER = {  # by width and resolution
    (1.0, 224): 70.6, (0.75, 224): 68.4, (0.5, 224): 63.7, (0.25, 224): 50.6,  # Table 6
    (1.0, 192): 69.1, (1.0, 160): 67.2, (1.0, 128): 64.4,  # Table 7
    (0.5, 160): 60.2,  # Table 9
}  # fmt: skip


def million_macs(width: float, resolution: int) -> float:
    """The multiply-adds of one network, counted while it runs on meta tensors."""
    inputs = (each.to("meta") for each in example_inputs(resolution))
    with FlopCounterMode(display=False) as counter:
        mobilenet_v1(width).to("meta").eval()(*inputs)
    return counter.get_total_flops() / 2e6


def accuracy() -> Figure:
    """Top-1 against multiply-adds: a line for each width, along it the resolutions; apart, what the paper prints."""
    grid = [
        {
            "name": {"en": f"width {width:g}, README", "zh": f"宽度 {width:g}，README"},
            "x": [million_macs(width, resolution) for resolution in RESOLUTIONS],
            "y": top1,
            "draw": "both",
            "labels": [f"{resolution}²" for resolution in RESOLUTIONS],
        }
        for width, top1 in README.items()
    ]
    printed = {
        "name": {"en": "the paper's Tables 6, 7 and 9", "zh": "论文的表 6、7、9"},
        "x": [million_macs(width, resolution) for width, resolution in PAPER],
        "y": list(PAPER.values()),
        "draw": "points",
        "labels": [f"{width:g}, {resolution}²" for width, resolution in PAPER],
    }
    return {
        "title": {"en": "MobileNet: accuracy against multiply-adds", "zh": "MobileNet：准确率与乘加次数"},
        "x": {"label": {"en": "million multiply-adds, measured", "zh": "乘加次数（M），实测"}, "log": True},
        "y": {"label": {"en": "top-1 on ImageNet (%), printed", "zh": "ImageNet top-1（%），印出"}},
        "series": [*grid, printed],
    }
