"""What cannot be counted is named, with the operator and the layer; what was counted before it stands."""

import torch
from torch import nn
from torch.nn import functional


def an_operator_that_nobody_counts():
    class Fourier(nn.Module):
        def forward(self, x):
            return torch.fft.fft(x).real

    expected = {"macs": 16, "incomplete": ["aten::_fft_r2c at 1"]}
    return nn.Sequential(nn.Linear(4, 4, bias=False), Fourier()), torch.empty(1, 4), expected


def an_operator_that_is_named_once():
    class Solving(nn.Module):
        def forward(self, x):
            return torch.linalg.inv_ex(x)[0], torch.linalg.inv_ex(x)[0]

    return Solving(), torch.empty(3, 3), {"incomplete": ["aten::linalg_inv_ex at the top of the network"]}


def a_result_that_depends_on_data():
    class Filtering(nn.Module):
        def forward(self, x):
            return x[x > 0]

    incomplete = ["aten::index at 1: its result depends on the data; by then all layers with weights had run"]
    network = nn.Sequential(nn.Linear(4, 4, bias=False), Filtering(), nn.ReLU())
    return network, torch.empty(1, 4), {"macs": 16, "incomplete": incomplete}


def a_value_that_is_read():
    class Deciding(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    return (
        Deciding(),
        torch.empty(1, 4),
        {"incomplete": ["aten::is_nonzero at the top of the network: its result depends on the data"]},
    )


def numbers_taken_out_of_torch():
    class Leaving(nn.Module):
        def forward(self, x):
            return x.tolist()

    return (
        Leaving(),
        torch.empty(1, 4),
        {"macs": 0, "incomplete": ["aten::to at the top of the network: its result depends on the data"]},
    )


def losses_and_random_numbers_are_free():
    class Losing(nn.Module):
        def forward(self, x):
            return functional.mse_loss(x + torch.randn_like(x), torch.zeros_like(x))

    return Losing(), torch.empty(1, 4), {"macs": 0, "incomplete": []}


def what_works_in_place_is_what_its_plain_form_is():
    class InPlace(nn.Module):
        def forward(self, x, mask):
            x = x.clone().masked_fill_(mask, 0.0).abs_().floor_divide_(2)
            return x.transpose_(0, 1).gt_(1)

    return InPlace(), (torch.empty(2, 4), torch.ones(2, 4, dtype=torch.bool)), {"macs": 0, "incomplete": []}


def what_had_not_run_when_it_stopped():
    class Filtering(nn.Module):
        def forward(self, x):
            return x[x > 0]

    layers = [nn.Linear(4, 4, bias=False), Filtering(), nn.Linear(4, 4), nn.BatchNorm1d(4)]
    incomplete = ["aten::index at 1: its result depends on the data; 2 and 1 more layers had not run"]
    return nn.Sequential(*layers), torch.empty(1, 4), {"macs": 16, "incomplete": incomplete}
