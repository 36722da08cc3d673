"""A file that Python can read but not run."""

import no_such_package
from torch import nn


def broken_import() -> nn.Module:
    return no_such_package.network()


def example_inputs():
    return ()
