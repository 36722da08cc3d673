"""What a ReLU keeps of a manifold that lies in more dimensions than it needs: Figure 1 of Sandler2018CVPR."""

import torch
from torch import Tensor

Figure = dict[str, object]

DIMENSIONS = [2, 3, 5, 15, 30]


def spiral(points: int = 120) -> Tensor:
    """A spiral in the plane, around the origin."""
    turn = torch.linspace(0, 1, points, dtype=torch.float64)
    angle = 3 * torch.pi * turn
    return (0.1 + 0.9 * turn) * torch.stack([angle.cos(), angle.sin()])


def brought_back(x: Tensor, dimensions: int) -> Tensor:
    """T⁻¹ ReLU(T x): a random matrix T into so many dimensions, a ReLU, and the generalised inverse of T."""
    generator = torch.Generator().manual_seed(dimensions)
    t = torch.randn(dimensions, 2, generator=generator, dtype=torch.float64)
    return torch.linalg.solve(t.T @ t, t.T @ (t @ x).relu())


def relu_spiral() -> Figure:
    """The spiral, and what comes back of it out of 2 to 30 dimensions."""
    x = spiral()
    panels = [{"title": {"en": "input", "zh": "输入"}, "series": [{"x": x[0], "y": x[1]}], "equal": True}]
    for dimensions in DIMENSIONS:
        y = brought_back(x, dimensions)
        title = {"en": f"{dimensions} dimensions", "zh": f"{dimensions} 维"}
        panels.append({"title": title, "series": [{"x": y[0], "y": y[1]}], "equal": True})
    return {
        "title": {"en": "A spiral after ReLU in n dimensions", "zh": "螺旋线嵌入 n 维、经 ReLU 后投影回来"},
        "panels": panels,
    }
