"""Counting what a network costs: parameters, multiply-adds, activations. Everything here imports torch."""

from kb.counting.construction import made, noting_lines
from kb.counting.counter import measure_module
from kb.counting.meta import build, make_inputs

__all__ = ["build", "made", "make_inputs", "measure_module", "noting_lines"]
