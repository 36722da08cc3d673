"""The panel of a measured model: its figures, and how they are shared out among the kinds of layers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from jinja2 import Environment

from kb.drawing.marks import COLOURS
from kb.pages import addresses, formats
from kb.pages.views import CardView, ModelView
from kb.records import Layer, Measurement
from kb.texts import Texts

MOST_INLINE = 5  # models whose panels are whole in their card's page; the others' pictures come when they are opened

# What most networks are made of has a colour of its own, the last one is for the rest.
_COLOURS = {"conv1x1": 1, "depthwise": 2, "conv": 3, "linear": 4, "grouped": 5, "attention": 6, "matmul": 6}
_COLOURS |= {"transposed": 7, "recurrent": 7, "embedding": 7}


@dataclass(frozen=True, slots=True)
class Share:
    """One kind of layer's part of the whole; colours count from 1."""

    kind: str
    colour: int
    params: int
    macs: int
    params_share: str
    macs_share: str


def shares(measurement: Measurement, texts: Texts) -> tuple[Share, ...]:
    """The kinds of layers, the one with most multiply-adds first."""
    kinds = sorted(measurement.by_kind.items(), key=lambda item: (-item[1].macs, -item[1].params, item[0]))
    return tuple(
        Share(
            kind=texts.named("kind", kind),
            colour=colour_of(kind),
            params=total.params,
            macs=total.macs,
            params_share=formats.percent(total.params, measurement.params),
            macs_share=formats.percent(total.macs, measurement.macs),
        )
        for kind, total in kinds
        if total.params or total.macs
    )


def colour_of(kind: str) -> int:
    """The number of a kind's colour: the same in every picture."""
    return _COLOURS.get(kind, COLOURS)


def smaller_figures(measurement: Measurement, texts: Texts) -> tuple[tuple[str, str], ...]:
    """The figures below the headline ones, as label and text."""
    peak = measurement.peak_activation_bytes
    classifier = f"{measurement.classifier}: {formats.grouped(measurement.classifier_params)}"
    return (
        (texts("models.weights"), formats.grouped(measurement.weights)),
        (texts("models.biases"), formats.grouped(measurement.biases)),
        (texts("models.normalisation"), formats.grouped(measurement.normalisation)),
        (texts("models.buffers"), formats.grouped(measurement.buffers)),
        (texts("models.activations"), formats.grouped(measurement.activations)),
        (texts("models.largest_activation"), formats.grouped(measurement.largest_activation)),
        (texts("models.peak_activation_bytes"), formats.mebibytes(peak)),
        (texts("models.arithmetic_intensity"), f"{measurement.arithmetic_intensity:.1f}"),
        (texts("models.classifier"), classifier if measurement.classifier else "–"),
    )


def apart(env: Environment, view: CardView) -> str:
    """What the page of a card with many models fetches when their panels are opened: HTML by anchor, as JSON."""
    parts: Any = env.get_template("_model.md.j2").make_module({"here": partial(addresses.link, view.path)})
    others = measured(view.models[MOST_INLINE:])
    found = {model.anchor: str(parts.details(view, model, model.measurement)).strip() for model in others}
    return json.dumps(found, ensure_ascii=False) if found else ""


def measured(models: tuple[ModelView, ...]) -> tuple[ModelView, ...]:
    """The models that have a measurement."""
    return tuple(model for model in models if model.measurement)


def package_versions(models: tuple[ModelView, ...]) -> dict[str, str]:
    """The installed packages that the models come from, with the versions that were measured."""
    found = [dict(model.measurement.versions) for model in models if model.measurement]
    return dict(sorted((name, version) for each in found for name, version in each.items()))


def layers_table(layers: Iterable[Layer], texts: Texts) -> str:
    """A model's layers as lines of cells between tabs, as they are shown; the first line names the columns.

    A page fetches it when the table is opened: some cards have dozens of models with hundreds of layers.
    """
    names = [texts(f"models.{name}") for name in ("layer", "kind", "input", "output", "params_short")]
    return "".join("\t".join(cells) + "\n" for cells in ([*names, "MACs"], *(_cells(each, texts) for each in layers)))


def _cells(layer: Layer, texts: Texts) -> list[str]:
    path = (layer.path or "·") + (f" × {layer.calls}" if layer.calls > 1 else "")
    shapes = (formats.shape(layer.input), formats.shape(layer.output))
    return [path, texts.named("kind", layer.kind), *shapes, formats.grouped(layer.params), formats.grouped(layer.macs)]
