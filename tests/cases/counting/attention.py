"""Attention: queries by keys and scores by values, each L × S × d for every head; projections are linear layers."""

import torch
from torch import nn
from torch.nn import functional


def scaled_dot_product():
    # 2 × 4 heads × 10 × 10 × (8 + 8) = 12,800; scores 2 × 4 × 100, results 2 × 4 × 10 × 8
    class Attention(nn.Module):
        def forward(self, q, k, v):
            return functional.scaled_dot_product_attention(q, k, v)

    qkv = (torch.empty(2, 4, 10, 8),) * 3
    return Attention(), qkv, {"macs": 12_800, "activations": 1_440, "by_kind": {"attention": 12_800}}


def scaled_dot_product_of_unequal_sizes():
    # queries 6, keys 9, features 8 and values 5: 3 × 6 × 9 × (8 + 5) = 2,106
    class Attention(nn.Module):
        def forward(self, q, k, v):
            return functional.scaled_dot_product_attention(q, k, v)

    return Attention(), (torch.empty(3, 6, 8), torch.empty(3, 9, 8), torch.empty(3, 9, 5)), {"macs": 2_106}


def causal():
    # a causal mask skips nothing: as the first
    class Attention(nn.Module):
        def forward(self, q):
            return functional.scaled_dot_product_attention(q, q, q, is_causal=True)

    return Attention(), torch.empty(2, 4, 10, 8), {"macs": 12_800}


def grouped_queries():
    # 8 query heads share 2 of keys and values: still 8 × 10 × 10 × 16 = 12,800
    class Attention(nn.Module):
        def forward(self, q, k, v):
            return functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)

    keys = torch.empty(1, 2, 10, 8)
    return Attention(), (torch.empty(1, 8, 10, 8), keys, keys), {"macs": 12_800, "by_kind": {"attention": 12_800}}


class SelfAttention(nn.Module):
    """nn.MultiheadAttention of a sequence with itself."""

    def __init__(self, need_weights):
        super().__init__()
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x):
        return self.attention(x, x, x, need_weights=self.need_weights)[0]


# in: 2 × 10 × 96 × 32 = 61,440, out: 2 × 10 × 32 × 32 = 20,480, together 81,920; products 2 × 4 × 100 × 16 = 12,800
# params 96×32 + 96 + 32×32 + 32 = 4,224
MULTIHEAD = {"params": 4_224, "biases": 128, "macs": 94_720, "by_kind": {"linear": 81_920, "attention": 12_800}}


def multihead():
    return SelfAttention(need_weights=False), torch.empty(2, 10, 32), MULTIHEAD


def multihead_with_its_weights():
    # takes another way through torch, by two batched products, and costs the same
    return SelfAttention(need_weights=True), torch.empty(2, 10, 32), MULTIHEAD


def multihead_off_the_fast_path():
    # torch has one fused way for batches in front; with the sequence in front it takes the long one: costs the same
    class SequenceFirst(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(32, 4)

        def forward(self, x):
            return self.attention(x, x, x)[0]

    return SequenceFirst(), torch.empty(10, 2, 32), MULTIHEAD


def multihead_shows_where_it_costs():
    layers = [
        ("attention", "linear", 1, 96 * 32 + 96, 61_440),
        ("attention", "attention", 1, 0, 12_800),
        ("attention.out_proj", "linear", 1, 32 * 32 + 32, 20_480),
    ]
    return SelfAttention(need_weights=False), torch.empty(2, 10, 32), {"layers": layers}


def multihead_across():
    # queries 5 of 16, keys 7 of 12 features: q 5×16×16 = 1,280, k and v 2 × 7×16×12 = 2,688, out 1,280: 5,248
    # products 2 heads × 5 × 7 × 16 = 1,120
    class Cross(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(16, 2, kdim=12, vdim=12, batch_first=True)

        def forward(self, x, y):
            return self.attention(x, y, y)[0]

    return Cross(), (torch.empty(1, 5, 16), torch.empty(1, 7, 12)), {"by_kind": {"linear": 5_248, "attention": 1_120}}


def transformer_encoder():
    # a layer: attention as above 94,720, feed-forward 2 × 20 × 32 × 64 = 81,920; two layers 353,280
    # params 4,224 + (32×64 + 64) + (64×32 + 32) + 2 × 64 = 8,544 each
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    expected = {"params": 17_088, "normalisation": 256, "macs": 353_280}
    return nn.TransformerEncoder(layer, 2), torch.empty(2, 10, 32), expected


def transformer_encoder_with_a_padding_mask():
    # on its fast path torch would leave the padding out; counted is what a full batch costs, as above
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)

        def forward(self, x, padding):
            return self.encoder(x, src_key_padding_mask=padding)

    padding = torch.tensor([[False] * 10, [False] * 6 + [True] * 4])
    return Masked(), (torch.empty(2, 10, 32), padding), {"params": 17_088, "macs": 353_280}


def transformer_encoder_off_the_fast_path():
    # normalising first keeps torch off it: the same parts in another order, 94,720 + 81,920
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True, activation="gelu")
    expected = {"params": 8_544, "macs": 176_640, "by_kind": {"linear": 163_840, "attention": 12_800}}
    return layer, torch.empty(2, 10, 32), expected


def transformer_decoder():
    # self-attention of 6: 6 × 4 × 32 × 32 = 24,576 and products 4 heads × 36 × 16 = 2,304
    # across to 10: q, out 2 × 6 × 1,024, k, v 2 × 10 × 1,024: 32,768; products 4 × 60 × 16 = 3,840
    # feed-forward 2 × 6 × 32 × 64 = 24,576; together 88,064
    network = nn.TransformerDecoderLayer(32, 4, 64, batch_first=True)
    expected = {"macs": 88_064, "by_kind": {"linear": 81_920, "attention": 6_144}}
    return network, (torch.empty(1, 6, 32), torch.empty(1, 10, 32)), expected


def written_out():
    # qkv 9 × 24 × 8 = 1,728; products 2 × 9 × 9 × 4 × 2 heads = 1,296: the class's name says that they are attention
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(8, 24)

        def forward(self, x):
            q, k, v = self.qkv(x).reshape(9, 3, 2, 4).permute(1, 2, 0, 3)
            return (q @ k.transpose(-2, -1)).softmax(-1) @ v

    expected = {"by_kind": {"linear": 1_728, "attention": 1_296}, "extras": {"softmax": 162}}
    return Attention(), torch.empty(9, 8), expected
