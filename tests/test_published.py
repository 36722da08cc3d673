"""The counter against what torchvision publishes of its own models: read from its metadata, all of it."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from kb.counting import measure_module
from kb.counting.packages import build_package_model, find_factory, input_for

models = find_factory("torchvision", "models")  # imported in the one way that fits any torch
ONE_STAGE = ("fcos", "retinanet", "ssd")


def _entries(module):
    """All entries of weights of a module's models, as (model, entry)."""
    names = models.list_models(module)
    return [(name, entry) for name in names for entry in models.get_model_weights(name)]


CLASSIFICATION = _entries(models)
SEGMENTATION = _entries(models.segmentation)
VIDEO = _entries(models.video)
DETECTION = _entries(models.detection)


def _named(entries):
    return [pytest.param(name, entry, id=f"{name}-{entry.name}") for name, entry in entries]


def test_all_entries_are_met():
    counts = [len(each) for each in (CLASSIFICATION, SEGMENTATION, VIDEO, DETECTION)]
    assert counts == [115, 6, 10, 13]


def _shape(name, entry):
    """The shape of a model's input with these weights; what a network itself knows of it is not asked."""
    factory = models.get_model_builder(name)
    return tuple(input_for(factory, torch.nn.Module(), {}, entry)[0].shape)


@cache
def _measured(name, weights, shape):
    """A model's measurement. Entries of one model that differ in nothing but their values share one."""
    entry = next(each for each in models.get_model_weights(name) if each.name == weights)
    network = build_package_model(models.get_model_builder(name), {"weights": entry})
    return measure_module(network, torch.empty(shape, device="meta"))


def _measurement(name, entry):
    params, shape = entry.meta["num_params"], _shape(name, entry)
    alike = (each for each in models.get_model_weights(name) if each.meta["num_params"] == params)
    return _measured(name, next(each.name for each in alike if _shape(name, each) == shape), shape)


def _agree(measurement, entry):
    """Parameters to the last one, multiply-adds to the three decimals that are published."""
    assert measurement.params == entry.meta["num_params"]
    assert f"{measurement.macs / 1e9:.3f}" == f"{entry.meta['_ops']:.3f}"


@pytest.mark.parametrize(("name", "entry"), _named(CLASSIFICATION + SEGMENTATION + VIDEO))
def test_as_published(name, entry):
    measurement = _measurement(name, entry)
    _agree(measurement, entry)
    assert measurement.incomplete == ()


@pytest.mark.parametrize(("name", "entry"), _named(each for each in DETECTION if each[0].startswith(ONE_STAGE)))
def test_one_stage_detectors_up_to_their_boxes(name, entry):
    """Which boxes are kept depends on the data: all that has weights has run by then."""
    measurement = _measurement(name, entry)
    _agree(measurement, entry)
    (reason,) = measurement.incomplete
    assert reason.endswith("its result depends on the data; by then all layers with weights had run")


@pytest.mark.parametrize(("name", "entry"), _named(each for each in DETECTION if not each[0].startswith(ONE_STAGE)))
def test_two_stage_detectors_say_up_to_where(name, entry):
    """The heads run on as many boxes as were found."""
    measurement = _measurement(name, entry)
    assert measurement.params == entry.meta["num_params"]
    assert measurement.macs / 1e9 <= entry.meta["_ops"] + 0.0005
    (reason,) = measurement.incomplete
    assert "at rpn: its result depends on the data; roi_heads." in reason
