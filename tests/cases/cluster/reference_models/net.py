"""Networks for the tests of clusters: one that is well, and some that are not."""

import os
import signal
import time
from pathlib import Path

import torch
from torch import nn

from reference_models.blocks import block


def net(width: int = 4, depth: int = 1) -> nn.Module:
    return nn.Sequential(*(block(width) for _ in range(depth)))


def net_inputs(width: int = 4) -> tuple[torch.Tensor, ...]:
    return (torch.empty(1, width),)


def broken() -> nn.Module:
    raise ValueError("it never worked")


def lingering(marker: str, seconds: float = 50.0) -> nn.Module:
    """Leaves the number of the process that runs it, and takes its time; when it was run before, it is done at once."""
    if not Path(marker).exists():
        Path(f"{marker}.new").write_text(str(os.getppid()), encoding="utf-8")
        Path(f"{marker}.new").rename(marker)
        time.sleep(seconds)
    return net()


def deadly(marker: str) -> nn.Module:
    """Takes the worker with it, and notes that it did."""
    with Path(marker).open("a", encoding="utf-8") as file:
        file.write("dead\n")
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(50)
    return net()


def example_inputs() -> tuple[torch.Tensor, ...]:
    return net_inputs()
