"""The counters that counters.py compares, each behind one door, and the process in which one of them works.

A counter is given a builder and the shape of an input, and gives parameters and multiply-adds. It builds as its users
would: on the CPU with weights, or on meta under `torch.device("meta")`; a network whose constructor reads tensors,
which cannot be done there, is built on the CPU and moved.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch


def peak_bytes() -> int:
    """The most memory that this process has held."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


TORCH_BYTES = peak_bytes()  # what importing torch takes
ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / ".venv" / "peers"))  # where benchmarks/requirements.txt has them installed

Counts = tuple[int, int]  # parameters and multiply-adds
Build = Callable[[Callable[..., torch.nn.Module], dict[str, object]], torch.nn.Module]


@dataclass(frozen=True)
class Counter:
    """One way to count. `count` is given the network and its input, which lie on `device`."""

    name: str
    package: str
    device: str
    build: Build
    count: Callable[[Any, torch.Tensor], Counts]

    @property
    def is_installed(self) -> bool:
        """Whether there is something to compare with."""
        return any(importlib.metadata.distributions(name=self.package))

    @property
    def version(self) -> str:
        """Of the package that counts."""
        return importlib.metadata.version(self.package)


@dataclass(frozen=True)
class Task:
    """A network: a builder of torchvision's, or the decoder; its input; and what it really has."""

    name: str
    arguments: tuple[tuple[str, object], ...]
    shape: tuple[int, ...]
    params: int
    macs: float  # torchvision prints 10⁹ to three decimals


@dataclass(frozen=True)
class Answer:
    """What a counter gave for a network, how long it took, and how much memory its process had held by then."""

    params: int = 0
    macs: int = 0
    build_seconds: float = 0
    count_seconds: float = 0
    processor_seconds: float = 0  # of all threads: a busy machine lengthens these less
    peak: int = 0
    moved: bool = False  # from the CPU to meta, once built
    error: str = ""

    @property
    def seconds(self) -> float:
        """From nothing to the answer."""
        return self.build_seconds + self.count_seconds


# ------------------------------------------------------------------------------------------------------ building


def on_cpu(builder: Callable[..., torch.nn.Module], arguments: dict[str, object]) -> torch.nn.Module:
    """With weights."""
    return builder(**arguments).eval()


def on_meta(builder: Callable[..., torch.nn.Module], arguments: dict[str, object]) -> torch.nn.Module:
    """Without weights."""
    with torch.device("meta"):
        return builder(**arguments).eval()


def by_kb(builder: Callable[..., torch.nn.Module], arguments: dict[str, object]) -> torch.nn.Module:
    """As kb builds."""
    from kb.counting import build

    return build(builder, arguments)


# ------------------------------------------------------------------------------------------------------ counting


def kb(network: torch.nn.Module, x: torch.Tensor) -> Counts:
    from kb.counting import measure_module

    found = measure_module(network, x)
    return found.params, found.macs


def flop_counter_mode(network: torch.nn.Module, x: torch.Tensor) -> Counts:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as mode:
        network(x)
    return sum(each.numel() for each in network.parameters()), mode.get_total_flops() // 2


def fvcore(network: torch.nn.Module, x: torch.Tensor) -> Counts:
    """What fvcore calls a flop is one multiply-add."""
    from fvcore.nn import FlopCountAnalysis, parameter_count

    analysis = FlopCountAnalysis(network, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return parameter_count(network)[""], analysis.total()


def thop(network: torch.nn.Module, x: torch.Tensor) -> Counts:
    from thop import profile

    macs, params = profile(network, inputs=(x,), verbose=False)
    return int(params), int(macs)


def ptflops_by(backend: str) -> Callable[[torch.nn.Module, torch.Tensor], Counts]:
    def ptflops(network: torch.nn.Module, x: torch.Tensor) -> Counts:
        from ptflops import get_model_complexity_info

        macs, params = get_model_complexity_info(
            network,
            tuple(x.shape[1:]),
            input_constructor=lambda _: x,
            as_strings=False,
            print_per_layer_stat=False,
            backend=backend,
        )
        if macs is None:
            raise RuntimeError("ptflops gave no answer, and printed why")
        return int(params), int(macs)

    return ptflops


def torchinfo(network: torch.nn.Module, x: torch.Tensor) -> Counts:
    from torchinfo import summary

    found = summary(network, input_data=x, device=x.device, verbose=0)
    return found.total_params, found.total_mult_adds


COUNTERS = (
    Counter("kb", "paperkb", "meta", by_kb, kb),
    Counter("torch FlopCounterMode", "torch", "meta", on_meta, flop_counter_mode),
    Counter("ptflops, aten", "ptflops", "meta", on_meta, ptflops_by("aten")),
    Counter("ptflops, pytorch", "ptflops", "meta", on_meta, ptflops_by("pytorch")),
    Counter("thop", "thop", "meta", on_meta, thop),
    Counter("torchinfo", "torchinfo", "meta", on_meta, torchinfo),
    Counter("fvcore", "fvcore", "meta", on_meta, fvcore),
    Counter("fvcore", "fvcore", "cpu", on_cpu, fvcore),
    Counter("ptflops, aten", "ptflops", "cpu", on_cpu, ptflops_by("aten")),
    Counter("ptflops, pytorch", "ptflops", "cpu", on_cpu, ptflops_by("pytorch")),
    Counter("thop", "thop", "cpu", on_cpu, thop),
    Counter("torchinfo", "torchinfo", "cpu", on_cpu, torchinfo),
)

# -------------------------------------------------------------------------------------------------------- the process


def serve(number: int, pipe: Connection) -> None:
    """Answers tasks with one counter until the pipe closes. What a counter prints goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    warnings.simplefilter("ignore")
    if COUNTERS[number].package == "ptflops":  # it imports torchvision itself, in a way that does not fit every torch
        torchvision_builder("resnet18")
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(answer(COUNTERS[number], task))


def answer(counter: Counter, task: Task) -> Answer:
    """The task, done; or what the counter raised."""
    builder = builder_of(task)
    gc.collect()
    try:
        start, processor = time.perf_counter(), time.process_time()
        network, moved = built_by(counter, builder, dict(task.arguments))
        built = time.perf_counter()
        with torch.no_grad():
            params, macs = counter.count(network, input_of(task, counter.device))
        done, processor = time.perf_counter(), time.process_time() - processor
        return Answer(params, macs, built - start, done - built, processor, peak_bytes(), moved)
    except Exception as error:  # noqa: BLE001 (it is the counter's answer, whatever it is)
        return Answer(error=f"{type(error).__name__}: {error}".partition("\n")[0], peak=peak_bytes())


def built_by(
    counter: Counter, builder: Callable[..., torch.nn.Module], arguments: dict[str, object]
) -> tuple[torch.nn.Module, bool]:
    """The network, and whether it had to be moved to meta."""
    try:
        return counter.build(builder, arguments), False
    except (NotImplementedError, RuntimeError):
        if counter.build is not on_meta:
            raise
        return on_cpu(builder, arguments).to("meta"), True


def builder_of(task: Task) -> Callable[..., torch.nn.Module]:
    """The function that makes the network; torchvision is imported where it is needed."""
    if task.name == "llama_70b":
        sys.path[:] = [str(ROOT / "benchmarks"), *(path for path in sys.path if path != str(ROOT / "benchmarks"))]
        from models.llama import llama_70b

        return llama_70b
    return torchvision_builder(task.name)


def torchvision_builder(name: str) -> Callable[..., torch.nn.Module]:
    """One of torchvision's; its import is none of a counter's time."""
    from kb.counting.packages import find_factory

    return find_factory("torchvision.models", name)


def input_of(task: Task, device: str) -> torch.Tensor:
    """An image, or token ids."""
    dtype = torch.int64 if len(task.shape) == 2 else torch.float32
    return torch.zeros(task.shape, dtype=dtype, device=device)
