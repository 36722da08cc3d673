"""Recurrent layers: each step of each sequence meets every weight matrix once; gates and biases cost nothing."""

import torch
from torch import nn


def lstm():
    # a step: 4 gates × 8 × (5 + 8) = 416; 3 sequences × 10 steps × 416 = 12,480; params 416 + 2 × 32 biases
    network = nn.LSTM(5, 8, batch_first=True)
    expected = {"params": 480, "biases": 64, "macs": 12_480, "activations": 240, "by_kind": {"recurrent": 12_480}}
    return network, torch.empty(3, 10, 5), expected


def lstm_in_both_directions_and_two_layers():
    # first layer 2 × 4 × 8 × (5 + 8) = 832, second, which sees both directions, 2 × 4 × 8 × (16 + 8) = 1,536
    # 10 steps × 2,368; biases 4 × 2 × 32
    network = nn.LSTM(5, 8, num_layers=2, bidirectional=True)
    return network, torch.empty(10, 1, 5), {"params": 2_624, "macs": 23_680, "activations": 160}


def lstm_with_a_projection():
    # the state is projected to 3: 4 × 8 × (5 + 3) + 3 × 8 = 280; 10 × 280
    return nn.LSTM(5, 8, proj_size=3), torch.empty(10, 1, 5), {"macs": 2_800, "activations": 30}


def lstm_of_a_single_sequence():
    return nn.LSTM(5, 8), torch.empty(10, 5), {"macs": 4_160}


def gru():
    # a step: 3 gates × 8 × (5 + 8) = 312; 10 × 312
    return nn.GRU(5, 8), torch.empty(10, 1, 5), {"params": 360, "macs": 3_120, "by_kind": {"recurrent": 3_120}}


def gru_in_both_directions_and_three_layers():
    # 2 × 24 × (5 + 8) + 2 × 2 × 24 × (16 + 8) = 624 + 2,304 = 2,928; 10 steps
    return nn.GRU(5, 8, num_layers=3, bidirectional=True), torch.empty(10, 1, 5), {"macs": 29_280}


def plain_rnn():
    # a step: 8 × (5 + 8) = 104; 10 × 104
    return nn.RNN(5, 8), torch.empty(10, 1, 5), {"params": 120, "macs": 1_040}


def lstm_of_packed_sequences():
    # sequences of 7, 4 and 2 steps: 13 × 416 = 5,408
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(5, 8, batch_first=True)

        def forward(self, x, lengths):
            return self.lstm(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[0].data

    return Packed(), (torch.empty(3, 7, 5), torch.tensor([7, 4, 2])), {"macs": 5_408}


def cells():
    # lstm cell 32 × (5 + 8) = 416, gru cell 24 × (8 + 8) = 384, for 2 sequences and 3 steps: 6 × 800
    class Cells(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.LSTMCell(5, 8)
            self.second = nn.GRUCell(8, 8)

        def forward(self, x):
            state, hidden = None, None
            for step in x.unbind(1):
                state = self.first(step, state)
                hidden = self.second(state[0], hidden)
            return hidden

    expected = {
        "macs": 4_800,
        "layers": [("first", "recurrent", 3, 480, 2_496), ("second", "recurrent", 3, 432, 2_304)],
    }
    return Cells(), torch.empty(2, 3, 5), expected
