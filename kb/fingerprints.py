"""What a measurement depends on, in one number: the model's source, its call, and the counter's version."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from kb.calls import is_package_call
from kb.factories import read_model_files
from kb.records import Factory

COUNTER_VERSION = "1"  # to be raised whenever the counter gives another number for the same model


def fingerprint(call: str, factories: Mapping[str, Factory], root: Path) -> str:
    """SHA-256 over what decides a measurement; "" where the call's model is not there.

    For a package's model that is the call alone: `package_versions` says what it was measured with.
    """
    digest = hashlib.sha256(f"{COUNTER_VERSION}\n{call}\n".encode())
    if not is_package_call(call):
        factory = factories.get(call.partition("(")[0])
        if factory is None:
            return ""
        for path in sources(factory.path, root):
            digest.update(f"{PurePosixPath(path).name}\n".encode())
            digest.update(same_line_ends((root / path).read_bytes()))
    return digest.hexdigest()


def sources(path: str, root: Path) -> list[str]:
    """A model's file and the siblings that it imports, and those they import; sorted."""
    folder = PurePosixPath(path).parent
    files, _ = read_model_files(root, str(folder))
    found: set[str] = set()
    waiting = [PurePosixPath(path).stem]
    while waiting:
        file = files.get(waiting.pop())
        if file and file.path not in found:
            found.add(file.path)
            waiting += [stem for sibling, name in file.imports.values() for stem in (sibling, name)]
    return sorted(found)


def can_measure() -> bool:
    """Whether torch is installed; it is not imported to find out."""
    return find_spec("torch") is not None


def package_versions(call: str) -> dict[str, str]:
    """Name and version of the package that a call names; empty where it is not installed, or cannot run without torch.

    What a version says of its build (`0.28.0+cu130`) makes no difference to the networks.
    """
    if not is_package_call(call) or not can_measure():
        return {}
    name = package_of(call)
    version = installed_version(name)
    return {name: version} if version else {}


def package_of(call: str) -> str:
    """The installed package that a call names a model of; "" for a reference model."""
    return call.partition(":")[0].partition(".")[0] if is_package_call(call) else ""


def installed_version(distribution: str) -> str:
    """The version of an installed distribution; "" where there is none."""
    try:
        return importlib.metadata.version(distribution).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return ""


def same_line_ends(source: bytes) -> bytes:
    """Source with the line ends of one system, whichever it was written on."""
    return source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
