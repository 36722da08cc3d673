"""Running torch code on shapes alone: what is large lies on the meta device, what is small stays real.

Networks are built without weights, yet constructors may do arithmetic on small tensors and read its result
(`torch.linspace(0, 0.1, 12).tolist()`): so tensors that hold few elements are real, on the CPU, and become
meta tensors only where they meet one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

SMALL_ALLOCATION = 4096  # elements; a factory that is asked for more gives a meta tensor
SMALL_RESULT = 65536  # elements; a result on the CPU that is larger becomes a meta tensor

Shortcut = Callable[[tuple[Any, ...]], Any]

NEED_VALUES = frozenset(("aten::_pack_padded_sequence",))  # of their real operands, though others are meta
SHAPELESS = {"alpha", "approximate", "scale", "enable_gqa", "rounding_mode"}  # keywords that no output's shape shows
UNFILLED = frozenset(("aten::empty", "aten::empty_strided", "aten::empty_permuted"))
FILLED = frozenset(f"aten::{name}" for name in ("zeros", "ones", "full", "rand", "randn", "randint", "normal"))
INITIALISERS = frozenset(
    f"aten::{name}_"
    for name in ("uniform", "normal", "fill", "zero", "copy", "erfinv", "mul", "add", "sub", "div", "clamp")
)


def tensors_in(values: Any) -> Iterator[Tensor]:
    """The tensors among an operator's arguments or results, in order."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)
        elif isinstance(value, Mapping):
            yield from tensors_in(value.values())


class MetaDevice:
    """Runs operators so that meta tensors and small real ones mix. Keeps the meta twin of each real tensor."""

    def __init__(self, valueless: Iterable[Tensor] = ()) -> None:
        """The valueless are treated as meta tensors wherever they lie: parameters, once a network is built."""
        self._valueless = {id(tensor) for tensor in valueless}
        self._twins: dict[int, tuple[Tensor, Tensor]] = {}  # by id, with the tensor itself: so no id is reused

    def twin(self, tensor: Tensor) -> Tensor:
        """The meta tensor that stands for this one wherever it meets another."""
        if tensor.is_meta:
            return tensor
        known = self._twins.get(id(tensor))
        if known is None:
            with torch.inference_mode(tensor.is_inference()):  # else a view of it would not be one of the same sort
                known = self._twins[id(tensor)] = (tensor, _meta_like(tensor))
        return known[1]

    def run(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], shortcut: Shortcut | None = None
    ) -> Any:
        """The operator's result. It is real only if all operands are, and it is small.

        A shortcut is asked first where there are meta tensors; what it gives None for is run.
        """
        operands = list(tensors_in((*args, *kwargs.values())))
        if not operands:
            return self._allocated(func, args, kwargs)
        real = [tensor for tensor in operands if not tensor.is_meta]
        if len(real) == len(operands) and not any(id(tensor) in self._valueless for tensor in real):
            return _shrunk(func(*args, **kwargs), args)
        if real and _name(func) not in NEED_VALUES:
            args = tuple(self._with_twins(value) for value in args)
            kwargs = {name: self._with_twins(value) for name, value in kwargs.items()}
        result = shortcut(args) if shortcut and kwargs.keys() <= SHAPELESS else None
        return func(*args, **kwargs) if result is None else result

    def _with_twins(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.twin(value)
        if isinstance(value, list | tuple):
            return [self._with_twins(each) for each in value]
        return value

    def _allocated(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if "device" in kwargs or _is_factory(func):
            device = kwargs.get("device")
            elsewhere = device is not None and torch.device(device).type != "cpu"
            if elsewhere and _is_short_range(func, args):
                return _meta_like(func(*args, **kwargs | {"device": "cpu"}))
            if elsewhere or _is_large(func, args):
                kwargs = kwargs | {"device": "meta", "pin_memory": None}
        return _shrunk(func(*args, **kwargs), ())


def _is_factory(func: Any) -> bool:
    return _name(func) in UNFILLED or _name(func) in FILLED


def _name(func: Any) -> str:
    schema = getattr(func, "_schema", None)
    return str(schema.name) if schema else ""


def _is_short_range(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether this is an arange that is quickly made for real: torch's meta kernel of it loads the compiler."""
    return _name(func) == "aten::arange" and all(abs(each) <= SMALL_RESULT for each in args[:2])


def _is_large(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether a factory is to give a meta tensor: always where it fills in nothing, as for weights."""
    if _name(func) in UNFILLED:
        return True
    size = next((value for value in args if isinstance(value, list | tuple)), ())
    return _name(func) in FILLED and prod(size) > SMALL_ALLOCATION


def _meta_like(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def _shrunk(result: Any, operands: tuple[Any, ...]) -> Any:
    """A new large result as a meta tensor; views and operands changed in place stay what they are."""
    if isinstance(result, Tensor) and not result.is_meta and result.numel() > SMALL_RESULT:
        storages = {tensor.untyped_storage()._cdata for tensor in tensors_in(operands)}
        if result.untyped_storage()._cdata not in storages:
            return _meta_like(result)
    return result


class PlainMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode that leaves the compiler out: loading it takes a second, and asking it costs each operator."""

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class Building(PlainMode):  # type: ignore[no-untyped-call]
    """While a network is built: allocations go to meta, and initialisers do nothing there."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._device = MetaDevice()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if _name(func) in INITIALISERS and args[0].is_meta:
            return args[0]
        return self._device.run(func, args, kwargs or {})


def build(factory: Callable[..., nn.Module], arguments: Mapping[str, object]) -> nn.Module:
    """The network, in eval and without weights.

    A constructor that needs the values of large tensors fails on meta; it is run again for real, so that what
    it then raises is its own mistake.
    """
    try:
        with torch.no_grad(), Building():
            module = factory(**arguments)
    except Exception:  # noqa: BLE001 (whatever it is, the second run tells whether it is the network's own)
        with torch.no_grad():
            module = factory(**arguments)
    return module.eval() if isinstance(module, nn.Module) else module


def make_inputs(function: Callable[..., Any], arguments: Mapping[str, object]) -> Any:
    """What an inputs function returns: floating-point tensors, and large ones, without values."""
    with torch.no_grad(), Building():
        return on_meta(function(**arguments))


def on_meta(inputs: Any) -> Any:
    """The same structure with meta tensors. Small integers (lengths, token ids) keep their values."""
    if isinstance(inputs, Tensor):
        small = inputs.numel() <= SMALL_ALLOCATION and not inputs.is_floating_point()
        return inputs if inputs.is_meta or small else _meta_like(inputs)
    if isinstance(inputs, Mapping):
        return {name: on_meta(value) for name, value in inputs.items()}
    if isinstance(inputs, list | tuple):
        return type(inputs)(map(on_meta, inputs))
    return inputs
