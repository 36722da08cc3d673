"""The pictures of a card: where a network's costs go, its stages, and its figures printed against measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePosixPath

from markupsafe import Markup

from kb.drawing import network as drawn
from kb.drawing import ratios
from kb.pages import discrepancies, figures, formats
from kb.pages.panels import Share, colour_of
from kb.pages.views import CardView, Figure, ModelView
from kb.records import Layer, Measurement
from kb.stages import Stage
from kb.telling import MARKS
from kb.texts import Texts

MANY = 8  # figures from which a card shows a picture of them


def kinds(shares: Iterable[Share], measurement: Measurement, metric: str, texts: Texts) -> Markup:
    """A bar of a network's multiply-adds or parameters, by kind of layer."""
    whole = getattr(measurement, metric)
    parts = [
        drawn.Part(each.colour, getattr(each, metric) / whole, f"{each.kind}: {getattr(each, f'{metric}_share')}")
        for each in shares
        if whole and getattr(each, metric)
    ]
    return drawn.bar(parts, texts("list.comma").join(part.title for part in parts) or "–")


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage as a row of the table beside its picture."""

    name: str
    path: str
    href: str
    source: str
    kernel: str
    expansion: str
    channels: str
    repeats: int
    stride: int
    output: str
    macs_share: str
    params_share: str


def stage_rows(view: CardView, model: ModelView, texts: Texts) -> tuple[StageRow, ...]:
    """The stages of a model, as a paper's table of its body lists them."""
    return tuple(_row(stage, view, model, texts) for stage in model.stages)


def _row(stage: Stage, view: CardView, model: ModelView, texts: Texts) -> StageRow:
    assert model.measurement
    first, number = stage.first, len(stage.units)
    return StageRow(
        name=first.name or texts.named("kind", first.kind),
        path=first.path if number == 1 else f"{first.path} … {stage.last.path.rpartition('.')[2]}",
        href=source_link(view, model, first.made),
        source=first.made,
        kernel=f"{first.kernel}×{first.kernel}" if first.kernel else "–",
        expansion=_decimal(first.expansion) if first.expansion else "–",
        channels=f"{first.given} → {stage.last.channels}",
        repeats=number,
        stride=first.stride,
        output=formats.shape(stage.last.output),
        macs_share=formats.percent(stage.macs, model.measurement.macs),
        params_share=formats.percent(stage.params, model.measurement.params),
    )


def _decimal(value: Fraction) -> str:
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def source_link(view: CardView, model: ModelView, made: str) -> str:
    """The line of source on the card's page that a place of a model's file names; "" where it is not shown."""
    file, _, line = made.rpartition(":")
    number = view.sources.get(source_path(model, file)) if file else None
    return f"#source-{number}-{line}" if number else ""


def source_path(model: ModelView, file: str) -> str:
    """A file beside a model's, as a path from the root."""
    return (PurePosixPath(model.factory.path).parent / file).as_posix() if model.factory else ""


def network(model: ModelView, rows: tuple[StageRow, ...], texts: Texts) -> Markup:
    """The stages of a model, each with its costs by kind of layer, leading to the lines that make them."""
    columns = list(_columns(model, rows, texts))
    return drawn.network(columns, texts("stages.label", call=model.call, count=len(columns)))


def _columns(model: ModelView, rows: tuple[StageRow, ...], texts: Texts) -> Iterator[drawn.Column]:
    whole = model.measurement
    assert whole
    before = ""
    for stage, row in zip(model.stages, rows, strict=True):
        side = _side(stage.last.output)
        yield drawn.Column(
            macs=tuple(_shares(unit.layers, "macs", whole.macs) for unit in stage.units),
            params=tuple(_shares(unit.layers, "params", whole.params) for unit in stage.units),
            side=max(stage.last.output, default=0),
            texts=(str(stage.last.channels), f"×{row.repeats}" if row.repeats > 1 else "", side * (side != before)),
            title=_title(row, texts),
            href=row.href,
        )
        before = side or before


def _side(sizes: tuple[int, ...]) -> str:
    """A square by its side: 56²."""
    return f"{sizes[0]}²" if len(sizes) == 2 and sizes[0] == sizes[1] else "×".join(map(str, sizes))


def _shares(layers: Iterable[Layer], metric: str, whole: int) -> Mapping[int, float]:
    found: dict[int, float] = {}
    for layer in layers:
        if whole and getattr(layer, metric):
            colour = colour_of(layer.kind)
            found[colour] = found.get(colour, 0.0) + getattr(layer, metric) / whole
    return found


def _title(row: StageRow, texts: Texts) -> str:
    """A stage in words."""
    parts = [f"{row.name} ×{row.repeats}" if row.repeats > 1 else row.name]
    parts.append(texts("stages.channels_are", channels=row.channels))
    if row.output != "–":
        parts.append(texts("stages.output_is", output=row.output))
    if row.stride > 1:
        parts.append(texts("stages.stride_is", stride=row.stride))
    if row.expansion not in ("–", "1"):
        parts.append(texts("stages.expansion_is", expansion=row.expansion))
    parts.append(texts("stages.costs", macs=row.macs_share, params=row.params_share))
    return texts("list.separator").join(parts)


# ----------------------------------------------------------------------------------------- printed against measured


@dataclass(frozen=True, slots=True)
class RatioRow:
    """The tested figures of one table: what the card says of it, and their marks."""

    caption: str
    picture: Markup
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Ratios:
    """All tested figures of a card, by table, over one axis."""

    rows: tuple[RatioRow, ...]
    axis: Markup


def ratio_picture(view: CardView, texts: Texts) -> Ratios | None:
    """A picture of a card's tested figures; None where there are few."""
    compared = [figure for figure in view.judged if figure.verdict.measured and figure.verdict.printed.value]
    if len(compared) < MANY:
        return None
    scale = ratios.axis([difference(figure) for figure in compared])
    rows = []
    for line in dict.fromkeys(figure.row.table for figure in compared):
        of_table = tuple(figure for figure in compared if figure.row.table == line)
        caption = discrepancies.caption(view.card, line) or texts("ratios.table", line=line)
        rows.append(RatioRow(caption, ratios.row([_mark(each, texts) for each in of_table], scale, caption), of_table))
    return Ratios(tuple(rows), ratios.ticks(scale))


def difference(figure: Figure) -> float:
    """How far what a model gives, plainly counted, lies from the printed figure, relative to it."""
    return float(((figure.verdict.measured or 0) - figure.verdict.printed.value) / figure.verdict.printed.value)


def _mark(figure: Figure, texts: Texts) -> ratios.Mark:
    printed, status = figure.verdict.printed, figure.verdict.status
    metric = texts.named("metric", figure.verdict.metric)
    name = f"{figure.row.label} · {metric} {printed.printed} {printed.unit}".rstrip()
    title = f"{name}: {figures.in_words(figure.verdict, texts)}"
    return ratios.Mark(difference(figure), MARKS[status], f"kb-is-{status}", title, f"#{figure.anchor}")
