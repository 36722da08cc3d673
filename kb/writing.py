"""The only module that writes files: nothing is written whose bytes are already there, nothing is left half written."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

AT_FDCWD = -100
RENAME_EXCHANGE = 2
ASIDE = ".aside-"


def as_bytes(content: str | bytes) -> bytes:
    """The bytes that a file of this content has: UTF-8, line ends as they are."""
    return content.encode("utf-8") if isinstance(content, str) else content


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Give the file this content; False, and the file untouched, where it has it already."""
    data = as_bytes(content)
    try:
        if path.read_bytes() == data:
            return False
    except (FileNotFoundError, NotADirectoryError):
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_beside(path, data)
    return True


def put(path: Path, content: str | bytes) -> bool:
    """The same in a tree that nobody believes while it is being made: a new file is written at once."""
    data = as_bytes(content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
    except (FileExistsError, NotADirectoryError):
        return write_if_changed(path, data)
    return True


def replace_atomically(path: Path, content: str | bytes) -> None:
    """Replace the file in one step; who reads meanwhile sees the old content or the new, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_beside(path, as_bytes(content), durable=True)


def change_together(moves: Sequence[tuple[Path, Path]], contents: Mapping[Path, str | bytes]) -> None:
    """Move files and folders, then give files new contents; where a step fails, those before it are taken back."""
    undo: list[Callable[[], object]] = []
    try:
        for old, new in moves:
            old.rename(new)
            undo.append(partial(new.rename, old))
        for path, content in contents.items():
            before = path.read_bytes()
            replace_atomically(path, content)
            undo.append(partial(replace_atomically, path, before))
    except BaseException:
        for step in reversed(undo):
            step()
        raise


def create(path: Path, content: str | bytes) -> bool:
    """Write a file that is not there yet; False, and nothing written, where one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(as_bytes(content))
    except FileExistsError:
        return False
    return True


@contextmanager
def laid_aside(folder: Path) -> Iterator[IO[bytes]]:
    """A new file for what this very run reads again."""
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=ASIDE, delete=False) as file:
        yield file


def forget_asides(folder: Path) -> None:
    """Remove what runs that were cut off had laid aside."""
    for path in folder.glob(f"{ASIDE}*"):
        path.unlink(missing_ok=True)


def _write_beside(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write to a neighbour first and rename it, so that `path` is never half written."""
    neighbour = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with neighbour.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(path, neighbour)
        neighbour.replace(path)
    except BaseException:
        neighbour.unlink(missing_ok=True)
        raise


def sync_tree(folder: Path, files: Mapping[str, str | bytes]) -> int:
    """Make `folder` hold these files (by relative path) and no others; the number of files written or removed."""
    removed = remove_others(folder, {folder / path for path in files})
    return removed + sum(write_if_changed(folder / path, content) for path, content in sorted(files.items()))


def remove_others(folder: Path, wanted: Container[Path]) -> int:
    """Remove every file below `folder` that is not wanted, and the folders that this leaves empty."""
    removed = 0
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            if (path := Path(parent, name)) not in wanted:
                path.unlink()
                removed += 1
        if Path(parent) != folder and not os.listdir(parent):
            os.rmdir(parent)
    return removed


def remove(path: Path, top: Path | None = None) -> None:
    """Remove a file, if it is there, and the folders below `top` that this leaves empty."""
    path.unlink(missing_ok=True)
    for folder in (each for each in path.parents if top and top in each.parents):
        if not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()


def remove_tree(folder: Path) -> None:
    """Remove a folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def copy(source: Path, target: Path) -> None:
    """Give a file of its own the content of another."""
    write_if_changed(target, source.read_bytes())


def link(source: Path, target: Path) -> None:
    """Let a path lead to a file that another leads to: it is replaced as a whole, and so need not be copied."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def follow(folder: Path, other: Path, behind: Iterable[str]) -> None:
    """Make a folder hold what another holds; it does already, but for the paths where it is behind."""
    if not folder.is_dir():
        behind = (
            os.path.relpath(os.path.join(parent, name), other) for parent, _, names in os.walk(other) for name in names
        )
        folder.mkdir(parents=True)
    for path in behind:
        if (other / path).exists():
            link(other / path, folder / path)
        else:
            remove(folder / path, folder)


def publish(new: Path, site: Path, *, keep: bool = False) -> None:
    """Put the folder `new` in the place of `site` in one step; with `keep`, what was there before is `new` afterwards.

    A process killed at any point leaves the old site or the new one, whole. Where the system cannot exchange two
    folders, the old one is renamed first: `recover` puts it back if the second rename never came.
    """
    site = site.resolve()
    site.parent.mkdir(parents=True, exist_ok=True)
    recover(site)
    new = _on_the_same_device(new, site)
    if not site.exists():
        new.rename(site)
    elif exchange(new, site):
        if not keep:
            shutil.rmtree(new)
    else:
        site.rename(_old(site))
        new.rename(site)
        shutil.rmtree(_old(site))


def recover(site: Path) -> None:
    """Finish, or take back, a publication that was cut off between two renames."""
    site = site.resolve()
    if _old(site).exists():
        if site.exists():
            shutil.rmtree(_old(site))
        else:
            _old(site).rename(site)
    shutil.rmtree(_new(site), ignore_errors=True)


def _old(site: Path) -> Path:
    return site.with_name(f".{site.name}.old")


def _new(site: Path) -> Path:
    return site.with_name(f".{site.name}.new")


def _on_the_same_device(new: Path, site: Path) -> Path:
    """`new`, or a copy of it beside `site` where a rename could not reach from one to the other."""
    if new.stat().st_dev == site.parent.stat().st_dev:
        return new
    shutil.copytree(new, _new(site))
    shutil.rmtree(new)
    return _new(site)


def exchange(first: Path, second: Path) -> bool:
    """Let two folders change places in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), str(second))
