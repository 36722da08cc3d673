"""The counter: networks worked out by hand, torch's own counter as a witness, and torchvision's published figures."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from kb.counting import build, measure_module
from kb.counting.packages import find_factory

CASES = Path(__file__).parent / "cases" / "counting"


def _cases():
    """Every public function of the case files."""
    for path in sorted(CASES.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"counting_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, case in vars(module).items():
            if callable(case) and getattr(case, "__module__", "") == module.__name__ and name[0].islower():
                yield pytest.param(case, id=f"{path.stem}-{name}")


def _counted(measurement, name):
    """A part of a measurement, in the form in which cases write it."""
    if name == "by_kind":
        return {kind: total.macs for kind, total in measurement.by_kind.items() if total.macs}
    if name == "layers":
        return [(layer.path, layer.kind, layer.calls, layer.params, layer.macs) for layer in measurement.layers]
    value = getattr(measurement, name)
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", list(_cases()))
def test_worked_out_by_hand(case):
    network, inputs, expected = case()
    built = network if isinstance(network, nn.Module) else build(network, {})
    measurement = measure_module(built, inputs)
    assert {name: _counted(measurement, name) for name in expected} == expected
    if "incomplete" not in expected:
        assert measurement.incomplete == ()


def test_there_are_cases_enough():
    assert len(list(_cases())) >= 60


# ---------------------------------------------------------------------------------------------------- witnesses


@pytest.mark.filterwarnings("ignore")  # torch's own, about its tracker
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_peak_memory_as_torch_tracks_it(name):
    """torch's MemTracker on fake tensors, less what it ascribes to parameters and buffers."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    factory = find_factory("torchvision.models", name)
    measurement = measure_module(build(factory, {}), torch.empty(1, 3, 224, 224))
    with FakeTensorMode(), torch.no_grad():
        network, image = factory().eval(), torch.empty(1, 3, 224, 224)
        tracker = MemTracker()
        tracker.track_external(network, image)
        with tracker:
            network(image)
    ((_, peak),) = tracker.get_tracker_snapshot("peak").items()
    parts = {str(kind): number for kind, number in peak.items()}
    weights = parts["_MemRefType.PARAM"] + parts["_MemRefType.BUFFER"]
    assert measurement.peak_activation_bytes == parts["Total"] - weights


sizes = st.integers(1, 9)


@st.composite
def convolutions(draw):
    """A convolution of any sort with an input that it fits, in one to three dimensions."""
    rank, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 3]))
    transposed = draw(st.booleans())
    kind = getattr(nn, f"Conv{'Transpose' if transposed else ''}{rank}d")
    padding = "zeros" if transposed else draw(st.sampled_from(["zeros", "circular"]))
    network = kind(
        groups * draw(st.integers(1, 4)),
        groups * draw(st.integers(1, 4)),
        tuple(draw(st.integers(1, 4)) for _ in range(rank)),
        stride=tuple(draw(st.integers(1, 3)) for _ in range(rank)),
        padding=tuple(draw(st.integers(0, 3)) for _ in range(rank)),
        dilation=tuple(draw(st.integers(1, 3)) for _ in range(rank)),
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=padding,
        device="meta",
    )
    batch = () if draw(st.booleans()) else (draw(st.integers(1, 3)),)
    return network, torch.empty(
        *batch, network.in_channels, *[draw(st.integers(4, 20)) for _ in range(rank)], device="meta"
    )


@settings(deadline=None, max_examples=150)
@given(convolutions())
def test_any_convolution_as_torch_counts_it(case):
    """The shape arithmetic in place of torch's kernels, and the formulas, against torch's own; its errors too."""
    network, x = case
    counter = FlopCounterMode(display=False)
    try:
        with counter, torch.no_grad():
            out = network(x)
    except RuntimeError as error:
        with pytest.raises(RuntimeError, match=re.escape(str(error).splitlines()[0])):
            measure_module(network, x)
        return
    measurement = measure_module(network, x)
    assert measurement.macs == counter.get_total_flops() // 2
    (layer,) = measurement.layers
    assert layer.output == tuple(out.shape)


@settings(deadline=None, max_examples=100)
@given(st.lists(sizes, max_size=2), st.lists(sizes, max_size=2), sizes, sizes, sizes)
def test_any_product_as_torch_counts_it(left, right, rows, inner, columns):
    class Product(nn.Module):
        def forward(self, a, b):
            return a @ b

    a, b = torch.empty(*left, rows, inner, device="meta"), torch.empty(*right, inner, columns, device="meta")
    counter = FlopCounterMode(display=False)
    try:
        with counter:
            a @ b
    except RuntimeError:
        with pytest.raises(RuntimeError):
            measure_module(Product(), (a, b))
        return
    assert measure_module(Product(), (a, b)).macs == counter.get_total_flops() // 2


@st.composite
def poolings(draw):
    """A pooling of either sort with an input, which it may not fit, in one to three dimensions."""
    rank = draw(st.integers(1, 3))
    several = st.tuples(*[st.integers(1, 4)] * rank)
    settings = {
        "kernel_size": draw(several),
        "stride": draw(st.none() | st.integers(1, 4) | several),
        "padding": draw(st.integers(0, 2)),
        "ceil_mode": draw(st.booleans()),
    }
    if draw(st.booleans()):
        network = getattr(nn, f"MaxPool{rank}d")(**settings, dilation=draw(st.integers(1, 3)))
    else:
        network = getattr(nn, f"AvgPool{rank}d")(**settings)
    batch = () if draw(st.booleans()) else (2,)
    return network, torch.empty(*batch, 3, *[draw(st.integers(1, 12)) for _ in range(rank)], device="meta")


@settings(deadline=None, max_examples=150)
@given(poolings())
def test_any_pooling_as_torch_shapes_it(case):
    """The shape arithmetic of pooling against torch's own, by the elements that a ReLU after it has; its errors too."""
    network, x = case
    try:
        elements = network(x).numel()
    except RuntimeError as error:
        with pytest.raises(RuntimeError, match=re.escape(str(error).splitlines()[0])):
            measure_module(network, x)
        return
    assert measure_module(nn.Sequential(network, nn.ReLU()), x).extras["activation"] == elements


@settings(deadline=None, max_examples=60)
@given(st.permutations(range(4)), st.integers(1, 3), st.booleans())
def test_results_lie_in_memory_as_torch_lays_them(order, width, channels_last):
    """A view asks how its tensor lies: element by element, by joining, and after a part was taken."""
    x = torch.empty(2, 6, 4, width, device="meta")
    x = x.to(memory_format=torch.channels_last) if channels_last else x.permute(*order)
    made = {}

    class Making(nn.Module):
        def forward(self, x):
            for name, tensor in (("whole", x), ("part", x.chunk(2, dim=1)[0])):
                made[name] = [_strides(each) for each in (tensor * 2, tensor.relu(), torch.cat((tensor, tensor)))]

    network = Making()
    network(x)
    torchs = dict(made)
    measure_module(network, x)
    assert made == torchs


def _strides(x):
    """Those that say where elements lie: of dimensions with more than one."""
    return [stride for stride, size in zip(x.stride(), x.shape, strict=True) if size > 1]


def test_counting_leaves_torch_as_it_was():
    fast_path, dtype = torch.backends.mha.get_fastpath_enabled(), torch.get_default_dtype()
    network = build(lambda: nn.Linear(4, 2), {})
    with pytest.raises(RuntimeError):
        measure_module(network, torch.empty(1, 5))
    assert measure_module(network, torch.empty(1, 4)).macs == 8
    assert torch.backends.mha.get_fastpath_enabled() == fast_path
    assert torch.get_default_dtype() == dtype
    assert not torch.nn.modules.module._global_forward_pre_hooks
    assert torch.ones(2).sum().item() == 2


def test_every_layer_adds_up():
    factory = find_factory("torchvision.models", "mobilenet_v3_small")
    measurement = measure_module(build(factory, {}), torch.empty(1, 3, 224, 224))
    assert sum(layer.macs for layer in measurement.layers) == measurement.macs
    assert sum(layer.params for layer in measurement.layers) == measurement.params
    assert sum(total.macs for total in measurement.by_kind.values()) == measurement.macs
    assert sum(total.params for total in measurement.by_kind.values()) == measurement.params
    assert measurement.weights + measurement.biases + measurement.normalisation == measurement.params
    assert measurement.flops == 2 * measurement.macs
