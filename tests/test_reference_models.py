"""The reference models hold to the last parameter, against independent witnesses, and run for real."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from kb.calls import parse_call, split_call
from kb.factories import find_factories

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases" / "reference_models"
# Calls that are cheaper to run than the default one, and such whose layers fix the side of their images.
CHEAP = {"alexnet": "alexnet()", "vgg": 'vgg(configuration="A")', "vit": "vit(resolution=32)"}
FACTORIES, PROBLEMS = find_factories(ROOT, "reference_models")


def case(name):
    return yaml.safe_load((CASES / name).read_text(encoding="utf-8"))


def load(path):
    """A reference model file as a module of its own."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(text, **inputs):
    """The network that a call names, and its inputs."""
    call = parse_call(text)
    factory = FACTORIES[call.name]
    module = load(factory.path)
    of_factory, of_inputs = split_call(call, factory)
    return getattr(module, call.name)(**of_factory), getattr(module, factory.inputs)(**of_inputs, **inputs)


def params(model):
    return sum(parameter.numel() for parameter in model.parameters())


def multiply_adds(model, images):
    """What torch's own counter gives, with which torch's attention stays in steps that this counter knows."""
    counter = FlopCounterMode(display=False)
    with counter:
        model.eval()(*images)
    return counter.get_total_flops() // 2


def on_meta(text, **inputs):
    with torch.device("meta"):
        return build(text, **inputs)


@pytest.fixture(scope="session")
def torchvision_models():
    """torchvision's networks. Where it was built for another torch its operators are missing: networks need none."""
    try:
        from torchvision import models
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        from torchvision import models

        models.operators = library  # torch forgets them with the library
    return models


def test_every_factory_is_found_and_has_a_published_count():
    assert not PROBLEMS
    assert {parse_call(entry["call"]).name for entry in case("published.yml")} == set(FACTORIES)


@pytest.mark.parametrize("entry", case("published.yml"), ids=lambda entry: entry["call"])
def test_counts_are_the_published_ones(entry):
    model, images = on_meta(entry["call"])
    assert (params(model), multiply_adds(model, images)) == (entry["params"], entry["macs"])
    outputs = [list(output.shape) for output in tree_leaves(model(*images))]
    assert outputs == entry.get("outputs", [[1, 1000]])


def test_mobilenet_v1_by_hand():
    filters = {"conv": 9, "pointwise": 1, "linear": 1}
    total = macs = 0
    for kind, side, m, n, times in case("mobilenet_v1_table_1.yml"):
        of_layer = 9 * m if kind == "depthwise" else filters[kind] * m * n
        total += times * (of_layer + (n if kind == "linear" else 2 * n))
        macs += times * of_layer * side**2
    model, images = on_meta("mobilenet_v1()")
    assert (total, macs) == (params(model), multiply_adds(model, images))


@pytest.mark.parametrize("entry", case("mobilenet_v1_authors.yml"), ids=str)
def test_mobilenet_v1_body_is_the_authors(entry):
    model, images = on_meta(f"mobilenet_v1(width={entry['width']}, resolution={entry['resolution']})")
    model.fc = nn.Identity()
    weights = sum(module.weight.numel() for module in model.modules() if isinstance(module, nn.Conv2d))
    assert (weights, multiply_adds(model, images)) == (entry["weights"], entry["macs"])


def test_mobilenet_v1_last_stride_is_the_one_that_the_printed_count_needs():
    (model, images), (strided, _) = on_meta("mobilenet_v1()"), on_meta("mobilenet_v1()")
    strided.layers[-1].depthwise[0].stride = (2, 2)
    assert round(multiply_adds(model, images) / 1e6) == 569
    assert multiply_adds(strided, images) == 533_833_216


def test_squeezenet_layer_by_layer():
    model, _ = build("squeezenet()")
    printed = case("squeezenet_table_1.yml")
    assert {name: params(model.get_submodule(name)) for name in printed} == printed
    assert sum(printed.values()) == params(model)


@pytest.mark.parametrize(("call", "theirs"), case("torchvision.yml").items())
def test_the_same_network_as_torchvision(call, theirs, torchvision_models):
    network, weights = theirs
    name, _, member = weights.partition(".")
    published = list(getattr(torchvision_models, name))
    model, images = on_meta(call)
    with torch.device("meta"):
        witness = getattr(torchvision_models, network)()
    for each in [one for one in published if member in ("", one.name)]:
        assert params(model) == each.meta["num_params"]
        assert round(multiply_adds(model, images) / 1e9, 3) == each.meta["_ops"]
    assert shapes(model) == shapes(witness)


@pytest.mark.parametrize(("call", "network"), case("timm.yml").items())
@pytest.mark.usefixtures("torchvision_models")
def test_the_same_network_as_timm(call, network):
    from timm import create_model  # behind the fixture: timm imports torchvision

    model, images = on_meta(call)
    with torch.device("meta"):
        witness = create_model(network)
    assert shapes(model) == shapes(witness)
    assert multiply_adds(model, images) == multiply_adds(witness, images)


def test_the_same_detector_as_torchvision(torchvision_models):
    detection = torchvision_models.detection
    published = detection.SSDLite320_MobileNet_V3_Large_Weights.COCO_V1.meta
    model, images = on_meta("ssd_mobilenet_v3_large(lite=True, halved=True, boxes=6)")
    with torch.device("meta"):
        witness = detection.ssdlite320_mobilenet_v3_large(weights_backbone=None)
    assert params(model) == published["num_params"]
    assert round(multiply_adds(model, images) / 1e9, 3) == published["_ops"]
    assert shapes(model) == shapes(witness)


@pytest.mark.parametrize(("call", "millions"), case("openvino.yml").items())
def test_the_authors_detectors_as_others_count_them(call, millions):
    model, _ = on_meta(call)
    scales = sum(module.weight.numel() for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    assert round((params(model) - scales) / 1e6, 3) == millions


@pytest.mark.parametrize("aspp", [False, True])
def test_deeplab_is_torchvisions_backbone_and_aspp(aspp, torchvision_models):
    from torchvision.models.segmentation.deeplabv3 import ASPP

    rates = [6, 12, 18] if aspp else []
    model, images = on_meta(f"deeplabv3_mobilenet_v2(aspp={aspp})")
    with torch.device("meta"):
        features = torchvision_models.mobilenet_v2().features[:-1]
        witness = nn.Sequential(features, ASPP(320, rates, 256), nn.Conv2d(256, 21, 1))
    assert shapes(model) == shapes(witness)
    for block in features[14:]:
        depthwise = block.conv[-3][0]
        rate = 1 if depthwise.stride == (2, 2) else 2
        depthwise.stride, depthwise.dilation, depthwise.padding = (1, 1), (rate, rate), (rate, rate)
    assert multiply_adds(model, images) == multiply_adds(witness, images)


def test_lraspp_is_torchvisions_but_for_a_bias_and_the_layer_that_the_skip_leaves(torchvision_models):
    from torchvision.models.segmentation.lraspp import LRASPPHead

    model, _ = on_meta("lraspp_mobilenet_v3_large(classes=21)")
    with torch.device("meta"):
        theirs = torchvision_models.segmentation.lraspp_mobilenet_v3_large(num_classes=21, weights_backbone=None)
        theirs.classifier = LRASPPHead(120, 960, 21, 128)  # theirs takes the 40 channels of the projection
    assert shapes(model) == sorted([*shapes(theirs), (128,)])


def shapes(model):
    """The shapes of all parameters; a 1×1 convolution counts as the linear layer that it is on a single point."""
    return sorted(
        tuple(parameter.shape[:2]) if parameter.shape[2:].numel() == 1 else tuple(parameter.shape)
        for parameter in model.parameters()
    )


def small(name, **options):
    """A call with those of the options that the factory or its inputs have."""
    given = [f"{option}={value}" for option, value in options.items() if option in FACTORIES[name].parameters]
    return f"{name}({', '.join(given)})"


@pytest.mark.parametrize("name", sorted(FACTORIES))
def test_runs_forward_and_backward(name):
    torch.manual_seed(0)
    model, inputs = build(CHEAP.get(name, small(name, resolution=64)))
    # Two images: of a single one, a map of one point has no variance to normalise by.
    outputs = tree_leaves(model(*(torch.rand(2, *each.shape[1:]) for each in inputs)))
    sum(output.square().mean() for output in outputs).backward()
    assert outputs
    assert all(output.isfinite().all() for output in outputs)
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("name", [name for name in sorted(FACTORIES) if "width" in FACTORIES[name].parameters])
@pytest.mark.parametrize("width", [0.25, 0.35, 0.5, 0.75, 1.3, 1.4])
def test_every_width_can_be_built(name, width):
    thin, inputs = on_meta(small(name, width=width, classes=7, resolution=96))
    with torch.no_grad():
        outputs = tree_leaves(thin.eval()(*inputs))
    assert all(output.numel() for output in outputs)
    assert "classes" not in FACTORIES[name].parameters or any(7 in output.shape for output in outputs)


@pytest.mark.parametrize("entry", case("mobilenet_v3_ablations.yml"), ids=lambda entry: entry["call"])
def test_the_ablations_of_mobilenet_v3_run(entry):
    model, images = build(entry["call"], resolution=64)
    scores = model.eval()(*map(torch.rand_like, images))
    assert scores.shape == (1, 1000)
    assert scores.isfinite().all()
    kinds = [type(module) for module in model.modules()]
    assert (kinds.count(nn.Hardswish), kinds.count(nn.ReLU)) == (entry["hswish"], entry["relu"])
