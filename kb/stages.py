"""The stages of a network, as a paper's table of its body lists them, read from its measured layers.

A *unit* is a block – the outermost module of a class that the model's file defines – or a layer that stands by itself.
Units that follow each other, alike but for what the first is given, make a *stage*: MobileNetV2's row (6, 24, 2, 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise, zip_longest
from math import isqrt, prod

from kb.records import Layer

CONVOLUTIONS = frozenset({"conv1x1", "depthwise", "grouped", "conv", "transposed"})
_SHAPED = CONVOLUTIONS | {"linear", "recurrent", "embedding"}  # kinds whose shapes say how many channels there are
TORCH = "nn."  # how the classes of torch begin in `Layer.made`

_REPEATED = ("name", "kind", "channels", "output", "kernel", "expansion")  # what the units of a stage have in common

Sides = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A block, or a layer that stands by itself. `name` is the block's class, "" for a layer.

    `channels` are those that it gives, `kernel` is the side of its widest convolution, 0 where that is not known.
    `expansion` is how many times wider than its input a block with a depthwise convolution is in its middle. `stride`
    is how many times smaller its output is than its input, as measured. `made` is the place that made it,
    `file.py:12`; "" where none is known.
    """

    path: str
    name: str
    made: str
    layers: tuple[Layer, ...]
    given: int = 0  # channels of its input
    channels: int = 0
    input: Sides = ()
    output: Sides = ()
    stride: int = 1
    kernel: int = 0
    expansion: Fraction | None = None

    @property
    def params(self) -> int:
        """Its parameters."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Its multiply-adds."""
        return sum(layer.macs for layer in self.layers)

    @property
    def kind(self) -> str:
        """The kind of its first layer."""
        return self.layers[0].kind


@dataclass(frozen=True, slots=True)
class Stage:
    """Units that repeat each other."""

    units: tuple[Unit, ...] = field(default=())

    @property
    def first(self) -> Unit:
        """The unit that the others repeat; it alone may have a stride."""
        return self.units[0]

    @property
    def last(self) -> Unit:
        """What the stage gives, it gives."""
        return self.units[-1]

    @property
    def params(self) -> int:
        """The parameters of all its units."""
        return sum(unit.params for unit in self.units)

    @property
    def macs(self) -> int:
        """The multiply-adds of all its units."""
        return sum(unit.macs for unit in self.units)


def stages(layers: Sequence[Layer]) -> tuple[Stage, ...]:
    """The stages of a network, in the order in which it runs."""
    found: list[list[Unit]] = []
    for unit in units(layers):
        if found and _repeats(unit, found[-1][-1]):
            found[-1].append(unit)
        else:
            found.append([unit])
    return tuple(Stage(tuple(each)) for each in found)


def _repeats(unit: Unit, before: Unit) -> bool:
    """Whether a unit is as the one before, and is given what that one gives."""
    alike = all(getattr(unit, name) == getattr(before, name) for name in _REPEATED)
    return alike and unit.given == before.channels and unit.input == before.output


def units(layers: Sequence[Layer]) -> tuple[Unit, ...]:
    """The units of a network; what costs no multiply-adds and stands in no block belongs to the unit before it."""
    prefixes = [list(_prefixes(layer.path)) for layer in layers]
    counted = sum(layer.macs > 0 for layer in layers)
    sizes = Counter(each for layer, found in zip(layers, prefixes, strict=True) if layer.macs for each in found)
    gathered: dict[str, tuple[int, list[Layer]]] = {}  # by path: how many components it has, and the layers
    for layer, found in zip(layers, prefixes, strict=True):
        depth = _depth(layer, found, sizes, counted)
        path = found[depth - 1]
        if path not in gathered and not layer.macs and gathered:
            path = next(reversed(gathered))
        gathered.setdefault(path, (depth, []))[1].append(layer)
    return tuple(_with_outputs([_unit(path, depth, tuple(each)) for path, (depth, each) in gathered.items()]))


def _prefixes(path: str) -> Iterator[str]:
    """The paths of all modules on the way to a path, and it."""
    end = path.find(".")
    while end >= 0:
        yield path[:end]
        end = path.find(".", end + 1)
    yield path


def _depth(layer: Layer, prefixes: Sequence[str], sizes: Counter[str], whole: int) -> int:
    """How many components of a layer's path name its unit.

    A block holds at most half of the network's layers. A layer that stands by itself brings along the containers
    that hold no other: the `nn.Sequential` of a convolution and its normalisation.
    """
    modules = layer.made.split(" ") if layer.made else []
    for depth, (module, prefix) in enumerate(zip(modules, prefixes, strict=False), 1):
        if not module.startswith(TORCH) and sizes[prefix] <= max(1, whole // 2):
            return depth
    return next((depth for depth, prefix in enumerate(prefixes, 1) if sizes[prefix] <= 1), len(prefixes))


def _unit(path: str, depth: int, layers: tuple[Layer, ...]) -> Unit:
    modules = layers[0].made.split(" ")[:depth] if layers[0].made else []
    name = modules[-1].partition("@")[0] if modules else ""
    shaped = _shaped(layers) or [layers[0]]
    given, sides = _channels(shaped[0].kind, shaped[0].input), _sides(shaped[0].kind, shaped[0].input)
    return Unit(
        path=path,
        name="" if name.startswith(TORCH) else name,
        made=_place(modules),
        layers=layers,
        given=given,
        channels=_channels(shaped[-1].kind, shaped[-1].output),
        input=sides,
        output=_sides(shaped[-1].kind, shaped[-1].output),
        stride=max(_strides(shaped)),
        kernel=max(map(_kernel, shaped)),
        expansion=_expansion(shaped),
    )


def _shaped(layers: Sequence[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.kind in _SHAPED and layer.input and layer.output]


def _strides(layers: Sequence[Layer]) -> Iterator[int]:
    """The stride of each layer; where none branches off, that of all of them together, too."""
    for layer in layers:
        yield _stride(_sides(layer.kind, layer.input), _sides(layer.kind, layer.output))
    if not _forks(layers):
        yield _stride(_sides(layers[0].kind, layers[0].input), _sides(layers[-1].kind, layers[-1].output))


def _stride(given: Sides, output: Sides) -> int:
    return max(1, round(given[0] / output[0])) if given and output else 1


def _kernel(layer: Layer) -> int:
    """The side of a convolution's kernel, from its multiply-adds; 0 where they do not tell."""
    if layer.kind not in ("conv", "depthwise", "conv1x1"):
        return 0
    each = layer.calls * prod(layer.output) * (1 if layer.kind == "depthwise" else layer.input[1])
    side = isqrt(layer.macs // each) if each else 0
    return side if side * side * each == layer.macs else 0


def _expansion(layers: Sequence[Layer]) -> Fraction | None:
    wide = next((layer for layer in layers if layer.kind == "depthwise"), None)
    given = _channels(layers[0].kind, layers[0].input)
    return Fraction(wide.input[1], given) if wide and given and len(layers) > 1 and not _forks(layers) else None


def _place(modules: Sequence[str]) -> str:
    """Where the last of some modules is made; the file is named where it is another than before."""
    file = ""
    for module in modules:
        place = module.partition("@")[2]
        file = place.rpartition(":")[0] or file
    line = modules[-1].partition("@")[2].rpartition(":")[2] if modules else ""
    return f"{file}:{line}" if line else ""


def _channels(kind: str, shape: tuple[int, ...]) -> int:
    if not shape:
        return 0
    return shape[1] if kind in CONVOLUTIONS and len(shape) > 1 else shape[-1]


def _sides(kind: str, shape: tuple[int, ...]) -> Sides:
    return shape[2:] if kind in CONVOLUTIONS else ()


def _with_outputs(found: Sequence[Unit]) -> Iterator[Unit]:
    """A block that joins branches gives more channels than its last layer: as many as the next unit is given."""
    for unit, following in zip_longest(found, found[1:]):
        joined = following and (_forks(_shaped(unit.layers)) or unit.given + unit.channels == following.given)
        yield replace(unit, channels=following.given) if following and unit.name and joined else unit


def _forks(layers: Sequence[Layer]) -> bool:
    """Whether one of the layers is given something else than the layer before it gives."""
    return any(_channels(one.kind, one.output) != _channels(two.kind, two.input) for one, two in pairwise(layers))
