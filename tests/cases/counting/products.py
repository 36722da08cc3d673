"""Linear layers, products of matrices, embeddings. A product with a weight is linear, one of two activations matmul."""

import torch
from torch import nn
from torch.nn import functional


def linear():
    # 10 × 20 = 200 weights, 20 biases, which cost nothing
    expected = {"params": 220, "biases": 20, "macs": 200, "activations": 20, "by_kind": {"linear": 200}}
    return nn.Linear(10, 20), torch.empty(1, 10), expected


def linear_over_a_sequence():
    # 2 × 7 rows × 200
    return nn.Linear(10, 20), torch.empty(2, 7, 10), {"params": 220, "macs": 2_800, "activations": 280}


def linear_of_a_vector():
    return nn.Linear(10, 20), torch.empty(10), {"macs": 200}


def bilinear():
    # for each of 3 rows and 5 outputs: left by slice 4 × 6 = 24, then by the right input 6: 3 × 5 × 30 = 450
    network = nn.Bilinear(4, 6, 5, bias=False)
    return network, (torch.empty(3, 4), torch.empty(3, 6)), {"params": 120, "macs": 450, "by_kind": {"linear": 450}}


def embedding():
    # a look-up multiplies nothing
    expected = {"params": 800, "macs": 0, "activations": 0}
    return nn.Embedding(100, 8), torch.zeros(1, 12, dtype=torch.long), expected


def embedding_bag():
    return nn.EmbeddingBag(100, 8, mode="mean"), torch.zeros(3, 12, dtype=torch.long), {"params": 800, "macs": 0}


def language_model_with_tied_weights():
    # 50 × 8 weights, held once; the head: 6 positions × 50 × 8 = 2,400
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(50, 8)
            self.head = nn.Linear(8, 50, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, tokens):
            return self.head(self.embedding(tokens))

    expected = {"params": 400, "macs": 2_400, "by_kind": {"linear": 2_400}, "classifier": "head"}
    return Tied(), torch.zeros(1, 6, dtype=torch.long), expected


def einsum_of_two_activations():
    # b2 × q5 × k5 × d4 = 200
    class Scores(nn.Module):
        def forward(self, x):
            return torch.einsum("bqd,bkd->bqk", x, x)

    return Scores(), torch.empty(2, 5, 4), {"params": 0, "macs": 200, "by_kind": {"matmul": 200}}


def einsum_with_a_weight():
    # b2 × l5 × d4 × h3 × e6 = 720
    class Projection(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.empty(4, 3, 6))

        def forward(self, x):
            return torch.einsum("bld,dhe->blhe", x, self.weight)

    return Projection(), torch.empty(2, 5, 4), {"params": 72, "macs": 720, "by_kind": {"linear": 720}}


def einsum_over_two_dimensions():
    # i3 × j4 × k5 × l6 = 360, j and k summed
    class Contraction(nn.Module):
        def forward(self, a, b):
            return torch.einsum("ijk,jkl->il", a, b)

    return Contraction(), (torch.empty(3, 4, 5), torch.empty(4, 5, 6)), {"macs": 360}


def batched_product():
    # 4 × 3 × 5 × 2 = 120
    class Product(nn.Module):
        def forward(self, a, b):
            return torch.bmm(a, b)

    inputs = torch.empty(4, 3, 5), torch.empty(4, 5, 2)
    return Product(), inputs, {"macs": 120, "activations": 24, "by_kind": {"matmul": 120}}


def broadcast_product():
    # stacks (2, 1) and (3,) broadcast to 2 × 3 products of 4×5 by 5×6: 6 × 120 = 720
    class Product(nn.Module):
        def forward(self, a, b):
            return a @ b

    return Product(), (torch.empty(2, 1, 4, 5), torch.empty(3, 5, 6)), {"macs": 720}


def matrix_by_vector_and_vector_by_vector():
    # 4×5 by 5: 20; then 4 by 4: 4
    class Product(nn.Module):
        def forward(self, a, b):
            c = a @ b
            return c @ c

    return Product(), (torch.empty(4, 5), torch.empty(5)), {"macs": 24}


def added_products():
    # addmm 3×4×5 = 60, baddbmm 2×3×4×5 = 120; what is added costs nothing
    class Sums(nn.Module):
        def forward(self, a, b):
            return torch.addmm(a.new_zeros(3, 5), a[0], b[0]), torch.baddbmm(a.new_zeros(2, 3, 5), a, b)

    return Sums(), (torch.empty(2, 3, 4), torch.empty(2, 4, 5)), {"macs": 180}


def tensordot_and_multi_dot():
    # tensordot over 4: 3 × 4 × 5 = 60; the chain 3×5, 5×2 in its one order: 30
    class Products(nn.Module):
        def forward(self, a, b, c):
            return torch.linalg.multi_dot((torch.tensordot(a, b, dims=1), c))

    return Products(), (torch.empty(3, 4), torch.empty(4, 5), torch.empty(5, 2)), {"macs": 90}


def pairwise_distances():
    # 6 × 7 pairs of 3 features = 126
    class Distances(nn.Module):
        def forward(self, a, b):
            return torch.cdist(a, b)

    return Distances(), (torch.empty(6, 3), torch.empty(7, 3)), {"macs": 126}


def functional_calls():
    # conv 16 × 4 × 3 × 9 = 1,728; linear 64 × 10 = 640; both belong to the network itself
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.filters = nn.Parameter(torch.empty(4, 3, 3, 3))
            self.projection = nn.Parameter(torch.empty(10, 64))

        def forward(self, x):
            x = functional.relu(functional.conv2d(x, self.filters, padding=1))
            return functional.linear(x.flatten(1), self.projection)

    expected = {"params": 748, "macs": 2_368, "by_kind": {"conv": 1_728, "linear": 640}}
    return Functional(), torch.empty(1, 3, 4, 4), expected


def weight_of_a_module_that_is_not_called():
    # 3 × 6 × 4 = 72, shown at the module that owns the weight
    class Borrowing(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 6, bias=False)

        def forward(self, x):
            return functional.linear(x, self.head.weight)

    expected = {"params": 24, "macs": 72, "layers": [("head", "linear", 1, 24, 72)], "classifier": "head"}
    return Borrowing(), torch.empty(3, 4), expected
