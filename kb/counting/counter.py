"""The counter: runs a network once on meta tensors and adds up what each operator costs, by layer."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from kb.counting.construction import made
from kb.counting.memory import LiveStorages
from kb.counting.meta import Building, MetaDevice, PlainMode, on_meta, tensors_in
from kb.counting.modules import Frame, Key, ModuleStack, is_attention
from kb.counting.operators import Cost, Operator, describe
from kb.counting.parameters import Owned, Ownership, count_buffers, group, kind_of
from kb.records import KindTotal, Layer, Measurement


@dataclass(slots=True)
class Tallied:
    """A layer while the network runs."""

    calls: int = 0
    input: tuple[int, ...] = ()
    output: tuple[int, ...] = ()
    params: int = 0
    macs: int = 0


class CountingMode(PlainMode):  # type: ignore[no-untyped-call]
    """Sees every operator that a network runs, and keeps the books."""

    def __init__(self, root: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.root = root
        self.stack = ModuleStack(root, self._finish_leaf)
        self.ownership = Ownership(root)
        self.memory = LiveStorages(each.tensor for each in self.ownership.all.values() if not is_lazy(each.tensor))
        self.layers: dict[Key, Tallied] = {}
        self.extras: Tally[str] = Tally()
        self.activations = 0
        self.largest_activation = 0
        self.classifier = ""
        self.incomplete: dict[str, None] = {}  # in order, each once
        self.failed_in = ""  # the layer whose operator raised first
        self.stopped = ""  # what could not be run, and where
        self._device = MetaDevice(root.parameters())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        operator = describe(func)
        kwargs = kwargs or {}
        if operator.role == "composite":
            with self:
                return func.decompose(*args, **kwargs)
        out = self._run(operator, func, args, kwargs)
        self._book(operator, args, kwargs, out)
        return out

    def _run(self, operator: Operator, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self._device.run(func, args, kwargs, operator.shortcut)
        except Exception as error:
            self.failed_in = self.failed_in or self.stack.top.path
            if operator.data_dependent or isinstance(error, NotImplementedError) or "meta" in str(error):
                self.stopped = f"{operator.name} at {self._here()}: its result depends on the data"
            raise

    def _here(self) -> str:
        return self.stack.top.path or "the top of the network"

    def _book(self, operator: Operator, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        operands = list(tensors_in((*args, *kwargs.values())))
        owned = [each for each in map(self.ownership.of, operands) if each]
        results = list(tensors_in((out,)))
        if operator.role == "unknown":
            self.incomplete[f"{operator.name} at {self._here()}"] = None
        elif operator.role == "extra":
            self.extras[operator.kind] += _elements(operator.kind, operands, results)
        if operator.formula:
            self._count(operator.formula(args, out), operands, owned, results)
        elif owned and len(owned) == len(operands):
            self._keep_as_weights(results, owned[0])
            return
        elif owned and not all(each.is_buffer for each in owned):
            self._use_uncounted(
                operator.kind if operator.kind == "normalisation" else "other", operands, owned, results
            )
        self._remember(results)

    def _use_uncounted(
        self, kind: str, operands: Sequence[Tensor], owned: Sequence[Owned], results: Sequence[Tensor]
    ) -> None:
        """Weights that only shift, scale or join activations make a layer too, without multiply-adds."""
        self.ownership.use(owned, kind)
        self._layer((self._path_of(owned), kind), operands, results)

    def _keep_as_weights(self, results: Sequence[Tensor], owned: Owned) -> None:
        self.ownership.derive(results, owned)
        for tensor in results:
            self.memory.add_weight(tensor)

    def _remember(self, results: Sequence[Tensor]) -> None:
        for tensor in results:
            if self.memory.add(tensor):
                self.largest_activation = max(self.largest_activation, tensor.numel())

    def _count(self, cost: Cost, operands: Sequence[Tensor], owned: Sequence[Owned], results: Sequence[Tensor]) -> None:
        kind = self._refined(cost.kind, owned)
        self.ownership.use(owned, kind)
        path = self._path_of(owned)
        layer = self._layer((path, kind), operands, results)
        layer.macs += cost.macs
        self.activations += cost.activations
        if any(not each.is_buffer for each in owned) and cost.macs:
            self.classifier = path

    def _refined(self, kind: str, owned: Sequence[Owned]) -> str:
        """A product with a weight is linear, one of two activations in an attention module is attention's."""
        if kind != "matmul":
            return kind
        if owned:
            return "linear"
        return "attention" if is_attention(self.stack.top.module) else kind

    def _path_of(self, owned: Sequence[Owned]) -> str:
        """The running module, unless the weight that it uses is another module's (as in `F.linear(x, head.weight)`)."""
        here = self.stack.top.path
        parameters = [each for each in owned if not each.is_buffer]
        if self.stack.top.is_leaf or not parameters or any(here in each.owners for each in parameters):
            return here
        return parameters[0].path

    def _layer(self, key: Key, operands: Sequence[Tensor], results: Sequence[Tensor]) -> Tallied:
        frame = self.stack.top
        if key not in self.layers:
            x = next((each for each in operands if not self.ownership.of(each)), operands[0])
            self.layers[key] = Tallied(0, tuple(x.shape), tuple(results[0].shape))
        if not frame.is_leaf:
            self.layers[key].calls += 1
        elif key not in frame.touched:
            frame.touched.append(key)
        return self.layers[key]

    def _finish_leaf(self, frame: Frame, output: tuple[int, ...] | None) -> None:
        """A leaf's layers show the shapes that the module itself was given and gave, the first time it ran."""
        for key in frame.touched:
            layer = self.layers[key]
            layer.calls += 1
            if layer.calls == 1:
                layer.input, layer.output = frame.input or layer.input, output or layer.output


def _elements(kind: str, operands: Sequence[Tensor], results: Sequence[Tensor]) -> int:
    """Pooling costs what it reads; the others what they write."""
    return (operands if kind == "pooling" else results)[0].numel()


def measure_module(module: nn.Module, inputs: Any, call: str = "") -> Measurement:
    """Counts a network in one run on meta tensors. `inputs` are a tensor, a tuple of arguments or a dict of keywords.

    An operator that cannot be counted, or whose result depends on data, makes the measurement incomplete; what
    the network itself raises is raised.
    """
    inputs = on_meta(inputs)
    module.eval()
    if any(each is not None and is_lazy(each) for part in module.modules() for each in part._parameters.values()):
        with torch.no_grad(), Building():
            _call(module, inputs)  # gives lazy modules their weights
    mode = CountingMode(module)
    try:
        _run(mode, module, inputs)
    except Exception as error:
        if not mode.stopped and "meta" not in str(error):
            if mode.failed_in:
                error.add_note(f"in layer {mode.failed_in}")
            raise
        mode.stopped = mode.stopped or f"{mode._here()}: {error}"
    if mode.stopped:
        mode.incomplete[f"{mode.stopped}{_reach(mode.ownership)}"] = None
    return _measurement(mode, inputs, call)


def _reach(ownership: Ownership) -> str:
    """How far a run that stopped had come, by the layers whose weights it had used."""
    parameters = [each for each in ownership.all.values() if not each.is_buffer]
    waiting = list(dict.fromkeys(each.path for each in parameters if not each.kind))
    if not parameters:
        return ""
    if not waiting:
        return "; by then all layers with weights had run"
    more = f" and {len(waiting) - 1} more layers" if len(waiting) > 1 else ""
    return f"; {waiting[0]}{more} had not run"


def _run(mode: CountingMode, module: nn.Module, inputs: Any) -> None:
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode(), mode.stack.following():
            for tensor in tensors_in((inputs,)):
                mode.memory.add(tensor)
            with mode:
                _call(module, inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _call(module: nn.Module, inputs: Any) -> None:
    if isinstance(inputs, Mapping):
        module(**inputs)
    elif isinstance(inputs, list | tuple):
        module(*inputs)
    else:
        module(inputs)


def _measurement(mode: CountingMode, inputs: Any, call: str) -> Measurement:
    groups = _parameters_into_layers(mode)
    layers = tuple(
        Layer(path, kind, layer.calls, layer.input, layer.output, layer.params, layer.macs, made(mode.root, path))
        for (path, kind), layer in mode.layers.items()
        if layer.params or layer.macs
    )
    classifier = [layer for layer in layers if mode.classifier and layer.path == mode.classifier]
    return Measurement(
        call=call,
        input=", ".join("×".join(map(str, tensor.shape)) for tensor in tensors_in((inputs,))),
        params=groups.total(),
        weights=groups["weights"],
        biases=groups["biases"],
        normalisation=groups["normalisation"],
        buffers=count_buffers(mode.ownership),
        macs=sum(layer.macs for layer in layers),
        activations=mode.activations,
        peak_activation_bytes=mode.memory.peak,
        largest_activation=mode.largest_activation,
        classifier=mode.classifier,
        classifier_params=sum(layer.params for layer in classifier),
        classifier_macs=sum(layer.macs for layer in classifier),
        by_kind=_by_kind(layers),
        layers=layers,
        incomplete=tuple(mode.incomplete),
        extras=dict(sorted(mode.extras.items())),
    )


def _parameters_into_layers(mode: CountingMode) -> Tally[str]:
    """Adds each parameter, once, to the layer that uses it; gives the sums of weights, biases and normalisation."""
    groups: Tally[str] = Tally()
    for owned in mode.ownership.all.values():
        if not owned.is_buffer:
            groups[group(owned)] += owned.numel
            mode.layers.setdefault((owned.path, kind_of(owned)), Tallied()).params += owned.numel
    return groups


def _by_kind(layers: Sequence[Layer]) -> dict[str, KindTotal]:
    totals: dict[str, KindTotal] = {}
    for layer in layers:
        before = totals.get(layer.kind, KindTotal(0, 0))
        totals[layer.kind] = KindTotal(before.params + layer.params, before.macs + layer.macs)
    return dict(sorted(totals.items()))
