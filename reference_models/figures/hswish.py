"""swish, h-swish and what they are made of: section 5.2 and Figure 6 of Howard2019arxiv."""

import torch
from torch.nn import functional as F

Figure = dict[str, object]


def hswish() -> Figure:
    """The sigmoid and the hard one, ReLU6(x + 3) / 6; and x times each of them."""
    x = torch.linspace(-6, 6, 61)
    gates = {"sigmoid": torch.sigmoid(x), "h-sigmoid": F.relu6(x + 3) / 6}
    products = {"swish": x * torch.sigmoid(x), "h-swish": x * F.relu6(x + 3) / 6, "ReLU6": F.relu6(x)}
    return {
        "title": {"en": "swish and h-swish", "zh": "swish 与 h-swish"},
        "panels": [
            {
                "title": {"en": "gates", "zh": "门"},
                "x": "x",
                "series": [{"name": name, "x": x, "y": y} for name, y in gates.items()],
            },
            {
                "title": {"en": "non-linearities", "zh": "非线性函数"},
                "x": "x",
                "series": [{"name": name, "x": x, "y": y} for name, y in products.items()],
            },
        ],
    }
