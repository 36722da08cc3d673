"""An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale.

Dosovitskiy2021ICLR (arXiv 2010.11929): Table 1 (variants), section 3.1, Figure 1 (encoder).
"""

import torch
from torch import Tensor, nn

# Table 1: layers, hidden size D, MLP size, heads.
TABLE_1 = {
    "base": (12, 768, 3072, 12),
    "large": (24, 1024, 4096, 16),
    "huge": (32, 1280, 5120, 16),
}


class Encoder(nn.Module):
    """Figure 1, right: attention and an MLP, each behind a layer normalisation and beside a shortcut."""

    def __init__(self, width: int, mlp: int, heads: int) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, mlp), nn.GELU(), nn.Linear(mlp, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm_1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm_2(x))


class VisionTransformer(nn.Module):
    """Section 3.1: embedded patches behind a class token, whose last state is classified."""

    def __init__(self, size: str, patch: int, resolution: int, classes: int) -> None:
        super().__init__()
        layers, width, mlp, heads = TABLE_1[size]
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, (resolution // patch) ** 2 + 1, width))
        # The linear projection of flattened patches, as the convolution that it is.
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.encoders = nn.Sequential(*(Encoder(width, mlp, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        # As in fine-tuning; the head of pre-training has a hidden layer besides.
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), patches], dim=1) + self.position
        return self.head(self.norm(self.encoders(x))[:, 0])


def vit(size: str = "base", patch: int = 16, resolution: int = 224, classes: int = 1000) -> nn.Module:
    """ViT-Base, ViT-Large or ViT-Huge: ViT-L/16 is `vit(size="large", patch=16)`."""
    return VisionTransformer(size, patch, resolution, classes)


def example_inputs(resolution: int = 224) -> tuple[torch.Tensor, ...]:
    """One colour image, of the resolution whose patches have positions."""
    return (torch.zeros(1, 3, resolution, resolution),)
