"""How many bytes of activations are alive at once: storages counted when they appear, forgotten when freed."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from torch import Tensor


class LiveStorages:
    """Follows the storages of a run by their reference counts. Those of weights are not activations."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        self._weights = {_key(tensor) for tensor in weights}
        self._alive: dict[int, weakref.ref[object]] = {}
        self._bytes = 0
        self.peak = 0

    def add(self, tensor: Tensor) -> bool:
        """Counts a tensor's storage; False if it was known already, as a view's is."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._alive or key in self._weights:
            return False
        size = storage.nbytes()
        self._alive[key] = weakref.ref(storage, lambda _: self._free(key, size))
        self._bytes += size
        self.peak = max(self.peak, self._bytes)
        return True

    def add_weight(self, tensor: Tensor) -> None:
        """What is made from weights alone, and kept with them, is a weight."""
        self._weights.add(_key(tensor))

    def _free(self, key: int, size: int) -> None:
        if self._alive.pop(key, None):
            self._bytes -= size


def _key(tensor: Tensor) -> int:
    key: int = tensor.untyped_storage()._cdata
    return key
