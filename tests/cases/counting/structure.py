"""How networks are put together: shared and repeated modules, inputs of every form, constructors that compute."""

import torch
from torch import nn


def a_module_called_twice():
    # parameters once, multiply-adds twice: 2 × 3 × 16
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4, bias=False)

        def forward(self, x):
            return self.layer(self.layer(x))

    return Twice(), torch.empty(3, 4), {"params": 16, "macs": 96, "layers": [("layer", "linear", 2, 16, 96)]}


def one_module_under_two_names():
    # as above, shown under its first name
    layer = nn.Linear(4, 4, bias=False)
    expected = {"params": 16, "macs": 96, "layers": [("0", "linear", 2, 16, 96)]}
    return nn.Sequential(layer, nn.ReLU(), layer), torch.empty(3, 4), expected


def positions_divided():
    # whole numbers divided to whole numbers, as where patches are pooled: no multiply-adds
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4, bias=False)

        def forward(self, x, positions):
            return self.layer(x)[torch.div(positions, 2, rounding_mode="floor")], torch.floor_divide(positions, 2)

    return Pooled(), (torch.empty(3, 4), torch.arange(3)), {"macs": 48}


def modules_in_a_list():
    # (4×8 + 8×2) × 1 row
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 8, bias=False), nn.Linear(8, 2, bias=False)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    layers = [("layers.0", "linear", 1, 32, 32), ("layers.1", "linear", 1, 16, 16)]
    return Listed(), torch.empty(1, 4), {"macs": 48, "layers": layers, "classifier": "layers.1"}


def modules_in_a_plain_list():
    # torch does not know them, so they have no parameters; what they multiply counts all the same
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(4, 8, bias=False)]

        def forward(self, x):
            return self.layers[0](x)

    return Hidden(), torch.empty(1, 4), {"params": 0, "macs": 32}


def inputs_in_a_dict():
    # 2 × 3 × 5 = 30 and 4 × 5 = 20
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.left = nn.Linear(3, 5)
            self.right = nn.Linear(4, 5)

        def forward(self, *, image, text):
            return self.left(image) + self.right(text)

    inputs = {"image": torch.empty(2, 3), "text": torch.empty(1, 4)}
    return Named(), inputs, {"macs": 50, "input": "2×3, 1×4"}


def nested_inputs_and_outputs():
    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 5)

        def forward(self, pair, scale):
            return {"out": [self.layer(each) * scale for each in pair]}

    inputs = ([torch.empty(2, 3), torch.empty(1, 3)], 2.0)
    return Nested(), inputs, {"macs": 45, "input": "2×3, 1×3"}


def tokens_and_a_mask():
    # integers keep their values, so that a network may look at them
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(10, 4)
            self.head = nn.Linear(4, 10, bias=False)

        def forward(self, tokens):
            mask = tokens > 0
            x = self.embedding(tokens)
            return self.head(x if mask.all() else x[:, :1])

    return Masked(), torch.ones(1, 7, dtype=torch.long), {"macs": 280}


def a_constructor_that_computes():
    # drop-path rates are read off a tensor, as many networks do: 0, 0.5 and 1, of which two are below 1
    class Computing(nn.Module):
        def __init__(self):
            super().__init__()
            rates = torch.linspace(0, 1, 3).tolist()
            self.layers = nn.Sequential(*[nn.Linear(4, 4, bias=False) for rate in rates if rate < 1])
            self.register_buffer("positions", torch.arange(6).reshape(2, 3).sum(0))
            assert self.positions.tolist() == [3, 5, 7]

        def forward(self, x):
            return self.layers(x) * self.positions.max()

    return Computing, torch.empty(1, 4), {"params": 32, "buffers": 3, "macs": 32}


def a_constructor_that_needs_its_weights():
    # the weights' sum decides: on meta it cannot be read, so the network is built for real
    class Needing(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4, bias=False)
            nn.init.ones_(self.layer.weight)
            self.scale = float(self.layer.weight.sum())
            assert self.scale == 16

        def forward(self, x):
            return self.layer(x) * self.scale

    return Needing, torch.empty(1, 4), {"params": 16, "macs": 16}


def parameters_that_only_add_and_scale():
    # a class token, positions and a scale have no multiply-adds of their own: 4 (token) + 5 × 4 + 4; 5 × 4 × 2 = 40
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.zeros(1, 1, 4))
            self.positions = nn.Parameter(torch.zeros(1, 5, 4))
            self.scale = nn.Parameter(torch.ones(4))
            self.head = nn.Linear(4, 2, bias=False)

        def forward(self, x):
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
            return self.head(x * self.scale)

    return Tokens(), torch.empty(1, 4, 4), {"params": 36, "weights": 36, "macs": 40, "by_kind": {"linear": 40}}


def a_norm_of_ones_own():
    # known by its class's name, since no operator of torch normalises here
    class RootMeanSquareNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(8))

        def forward(self, x):
            return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True)) * self.weight

    network = nn.Sequential(nn.Linear(4, 8), RootMeanSquareNorm())
    expected = {"params": 48, "weights": 32, "biases": 8, "normalisation": 8, "macs": 32}
    return network, torch.empty(1, 4), expected


def parts_that_do_not_run():
    # parameters count, multiply-adds do not: 4×4 + 4×2 parameters, 16 multiply-adds
    class Auxiliary(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(4, 4, bias=False)
            self.auxiliary = nn.Linear(4, 2, bias=False)

        def forward(self, x):
            x = self.body(x)
            return (x, self.auxiliary(x)) if self.training else x

    layers = [("body", "linear", 1, 16, 16), ("auxiliary", "linear", 0, 8, 0)]
    return Auxiliary(), torch.empty(1, 4), {"params": 24, "macs": 16, "layers": layers, "classifier": "body"}


def inputs_in_a_tuple():
    # bilinear: for each of 2 rows, left by the one slice 3 × 4, then by the right input 4: 2 × 16
    return nn.Bilinear(3, 4, 1, bias=False), (torch.empty(2, 3), torch.empty(2, 4)), {"macs": 32, "input": "2×3, 2×4"}


def activations():
    # what convolutions and products put out: 4 × 6 × 6 = 144, then 2; normalising, activating, pooling, adding: nothing
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            x = self.conv(x)
            return self.head((x + x).mean((2, 3)))

    return Network(), torch.empty(1, 3, 6, 6), {"activations": 146, "largest_activation": 144}


def arithmetic_intensity():
    # 2 rows × 8 × 8 = 128 multiply-adds, 256 FLOPs; 64 weights and 16 activations of 4 bytes each: 256 / 320
    return nn.Linear(8, 8, bias=False), torch.empty(2, 8), {"macs": 128, "arithmetic_intensity": 0.8}


def arithmetic_intensity_of_nothing():
    return nn.Identity(), torch.empty(2, 8), {"macs": 0, "arithmetic_intensity": 0.0}


def peak_memory():
    # floats of 4 bytes: in 8, out 16 → 96 bytes; then in is still held by the caller: 8 + 16 + 4 → 112 bytes
    network = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 4))
    return network, torch.empty(1, 8), {"peak_activation_bytes": 112, "largest_activation": 16}


def peak_memory_in_place():
    # the activation writes over its input: 8 + 16 floats
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(inplace=True)), torch.empty(1, 8), {"peak_activation_bytes": 96}


def a_lazy_module():
    # its weight takes shape when it first runs: 6 × 3 + 3
    return lambda: nn.LazyLinear(3), torch.empty(2, 6), {"params": 21, "macs": 36}
