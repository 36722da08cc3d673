"""Models that do what no model should. Each costs one problem, and the ones after it are measured all the same."""

import os
import signal
import subprocess
import sys
import time

import torch
from torch import nn


def example_inputs(features: int = 4):
    return (torch.empty(1, features),)


def well_behaved(features: int = 4) -> nn.Module:
    return nn.Linear(features, 2, bias=False)


def hanging() -> nn.Module:
    while True:
        time.sleep(0.01)


def calling_exit() -> nn.Module:
    sys.exit("3")


def ending_at_once() -> nn.Module:
    os._exit(4)


def crashing() -> nn.Module:
    os.kill(os.getpid(), signal.SIGSEGV)
    return well_behaved()


def eating_memory() -> nn.Module:
    eaten = []
    while True:
        eaten.append(bytearray(b"x" * 2**26))


def eating_memory_through_torch() -> nn.Module:
    torch.frombuffer(bytearray(2**33), dtype=torch.uint8)
    return well_behaved()


def talking() -> nn.Module:
    """Prints what looks like an answer, through every door there is, and a great deal of it."""
    for _ in range(1000):
        print('{"measurement": {"params": 1}}', flush=True)
        print("nonsense", file=sys.stderr)
    os.write(1, b"{}\n")
    sys.stdout.write("no line end")
    subprocess.run(["echo", "{}"], check=True)
    return well_behaved()


def asking() -> nn.Module:
    """Reads from standard input, which is empty."""
    assert sys.stdin.read() == ""
    return well_behaved()


def looking_around() -> nn.Module:
    """The environment holds no secret, and home is an empty folder."""
    assert not any("TOKEN" in name or "SECRET" in name for name in os.environ), sorted(os.environ)
    assert os.listdir(os.environ["HOME"]) == []
    return well_behaved()


def changing_torch() -> nn.Module:
    """Leaves torch otherwise than it was; the next model must not notice."""
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    return well_behaved()


def leaving_a_process() -> nn.Module:
    subprocess.Popen(["sleep", "600"])
    return well_behaved()


def raising() -> nn.Module:
    raise ValueError("width must be positive\nand this is not shown")


def returning_something_else() -> nn.Module:
    return example_inputs


def of_the_wrong_shape() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Linear(4, 2))


def of_wrong_operands() -> nn.Module:
    class Adding(nn.Module):
        def forward(self, x):
            return x + x.new_empty(3, 7)

    return Adding()
