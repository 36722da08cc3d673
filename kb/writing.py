"""The only module that writes files: nothing is written whose bytes are already there, nothing is left half written."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from kb.file_names import LONGEST, shortened

AT_FDCWD = -100
RENAME_EXCHANGE = 2


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


def discard(folder: Path) -> None:
    """Remove a folder and all that is in it, if it is there; of a link to another folder, the link alone."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def _write_beside(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write to a neighbour first and rename it, so that `path` is never half written."""
    neighbour = path.with_name(f".{shortened(path.name, LONGEST)}.{os.getpid()}.tmp")
    try:
        with neighbour.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, neighbour)
        neighbour.replace(path)
    finally:
        neighbour.unlink(missing_ok=True)


def sync_tree(folder: Path, files: Mapping[str, str | bytes]) -> int:
    """Make `folder` hold these files (by relative path) and no others; the number of files written or removed.

    Nothing is written or removed through a link to another folder: it is removed itself.
    """
    if folder.is_symlink():
        folder.unlink()
    removed = _remove_others(folder, {folder / path for path in files})
    return removed + sum(write_if_changed(folder / path, content) for path, content in sorted(files.items()))


def _remove_others(folder: Path, wanted: set[Path]) -> int:
    """Remove every file below `folder` that is not wanted, and the folders that this leaves empty."""
    removed = 0
    for parent, folders, names in os.walk(folder, topdown=False):
        links = [name for name in folders if os.path.islink(Path(parent, name))]
        for name in (*links, *names):
            if (path := Path(parent, name)) not in wanted or name in links:
                path.unlink()
                removed += 1
        if Path(parent) != folder and not os.listdir(parent):
            os.rmdir(parent)
    return removed


def publish(new: Path, site: Path) -> None:
    """Put the folder `new` in the place of `site` in one step, and remove what was there before.

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
