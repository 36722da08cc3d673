"""The only module that writes files: nothing is written whose bytes are already there, nothing is left half written.

A file is written under a neighbour's name and then renamed. Where a disk is full or a folder may not be written to, the
`OSError` names the file that was to be written. What a killed process leaves behind, the next one sweeps away.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from kb.file_names import LONGEST, shortened

AT_FDCWD = -100
RENAME_EXCHANGE = 2
ASIDE = ".aside-"
NEIGHBOUR = re.compile(r"\..+\.(\d+)\.kb-part")  # of a file, with the number of the process that writes it


def as_bytes(content: str | bytes) -> bytes:
    """The bytes that a file of this content has: UTF-8, line ends as they are."""
    return content.encode("utf-8") if isinstance(content, str) else content


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let what goes wrong on the disk be told of this file, where it would be told of none or of a neighbour."""
    try:
        yield
    except OSError as error:
        name = os.path.basename(error.filename or "")
        if error.errno is None or not (name == "" or NEIGHBOUR.fullmatch(name)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Give the file this content; False, and the file untouched, where it has it already."""
    data = as_bytes(content)
    if _holds(path, data):
        return False
    _replace(path, data)
    return True


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except (FileNotFoundError, NotADirectoryError):
        return False


def put(path: Path, content: str | bytes) -> bool:
    """The same in a tree that nobody believes while it is being made: a new file is written at once."""
    data = as_bytes(content)
    try:
        with naming(path), _opened(path, new=True) as file:
            file.write(data)
    except (FileExistsError, NotADirectoryError):
        return write_if_changed(path, data)
    return True


def replace_atomically(path: Path, content: str | bytes) -> None:
    """Replace the file in one step; who reads meanwhile sees the old content or the new, also after a power cut."""
    _replace(path, as_bytes(content), durable=True)


def create(path: Path, content: str | bytes) -> bool:
    """Write a file that is not there yet; False, and nothing written, where one is."""
    if os.path.lexists(path):
        return False
    with naming(path):
        neighbour = _neighbour(path, as_bytes(content), durable=True)
        try:
            os.link(neighbour, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            neighbour.rename(path)
        finally:
            neighbour.unlink(missing_ok=True)
    return True


def _replace(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write to a neighbour first and rename it, so that `path` is never half written."""
    with naming(path):
        neighbour = _neighbour(path, data, durable=durable)
        try:
            neighbour.replace(path)
        except BaseException:
            neighbour.unlink(missing_ok=True)
            raise


def _neighbour(path: Path, data: bytes, *, durable: bool = False) -> Path:
    """A new file beside another, which may be there or not: with this content, and as open to others as that one."""
    neighbour = path.with_name(f".{shortened(path.name, LONGEST)}.{os.getpid()}.kb-part")
    try:
        with _opened(neighbour) as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(path, neighbour)
    except BaseException:
        neighbour.unlink(missing_ok=True)
        raise
    return neighbour


def _opened(path: Path, *, new: bool = False) -> IO[bytes]:
    """A file to write, in a folder that is made for it where need be; with `new`, one that is not there yet."""
    try:
        return open(path, "xb") if new else open(path, "wb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "xb") if new else open(path, "wb")


def sweep(folder: Path, *, below: bool = True) -> None:
    """Remove what processes that were killed had begun to write in a folder, and in those below it."""
    for parent, names, files in os.walk(folder):
        for name in files:
            found = NEIGHBOUR.fullmatch(name)
            if found and not _lives(int(found[1])):
                with suppress(OSError):
                    Path(parent, name).unlink()
        if not below:
            names.clear()


def _lives(process: int) -> bool:
    """Whether another process of this number is at work; on Windows, where files stay while they are open, no."""
    if process == os.getpid() or os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@contextmanager
def laid_aside(folder: Path) -> Iterator[IO[bytes]]:
    """A new file for what this very run reads again."""
    from tempfile import NamedTemporaryFile

    folder.mkdir(parents=True, exist_ok=True)
    with naming(folder), NamedTemporaryFile(dir=folder, prefix=ASIDE, delete=False) as file:
        yield file


def forget_asides(folder: Path) -> None:
    """Remove what runs that were cut off had laid aside."""
    for path in folder.glob(f"{ASIDE}*"):
        path.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------------------- several at a time


def change_together(
    moves: Sequence[tuple[Path, Path]], contents: Mapping[Path, str | bytes], record: Path | None = None
) -> None:
    """Move files and folders, then give files new contents: all of it, or nothing where a step fails.

    What takes room on the disk is written before any file is replaced. A `record` of what is to be done stays where it
    is until all of it, or nothing of it, is done.
    """
    undo: list[Callable[[], object]] = [partial(remove, record)] if record else []
    try:
        for old, new in moves:
            old.rename(new)
            undo.append(partial(new.rename, old))
        beside = {}
        for path, data in ((path, as_bytes(content)) for path, content in contents.items()):
            if _holds(path, data):
                continue
            with naming(path):
                beside[path] = _neighbour(path, data, durable=True)
            undo.append(partial(beside[path].unlink, missing_ok=True))
        for path, neighbour in beside.items():
            undo.append(_put(neighbour, path))
    except BaseException:
        for step in reversed(undo):
            step()
        raise
    if record:
        remove(record)


def _put(neighbour: Path, path: Path) -> Callable[[], object]:
    """Put a neighbour in the place of a file; what takes that back."""
    before = path.read_bytes() if path.exists() else None
    with naming(path):
        neighbour.replace(path)
    return path.unlink if before is None else partial(replace_atomically, path, before)


# --------------------------------------------------------------------------------------------------------- folders


def sync_tree(folder: Path, files: Mapping[str, str | bytes]) -> int:
    """Make `folder` hold these files (by relative path) and no others; the number of files written or removed.

    Nothing is written or removed through a link to another folder: it is removed itself.
    """
    drop_link(folder)
    removed = remove_others(folder, {folder / path for path in files})
    return removed + sum(write_if_changed(folder / path, content) for path, content in sorted(files.items()))


def remove_others(folder: Path, wanted: Container[Path]) -> int:
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


def remove(path: Path, top: Path | None = None) -> None:
    """Remove a file, if it is there, and the folders below `top` that this leaves empty."""
    path.unlink(missing_ok=True)
    for folder in (each for each in path.parents if top and top in each.parents):
        if not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()


def drop_link(folder: Path) -> None:
    """Remove a link that stands where a folder of ours belongs: what it leads to is somebody else's."""
    if folder.is_symlink():
        folder.unlink()


def remove_tree(folder: Path) -> None:
    """Remove a folder, if it is there; of a link to another folder, the link alone."""
    drop_link(folder)
    if folder.exists():
        shutil.rmtree(folder)


def copy(source: Path, target: Path) -> None:
    """Give a file of its own the content of another, in a tree that nobody believes while it is being made."""
    put(target, source.read_bytes())


def link(source: Path, target: Path) -> None:
    """Let a path lead to a file that another leads to: it is replaced as a whole, and so need not be copied."""
    with naming(target):
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source, target)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def follow(folder: Path, other: Path, behind: Iterable[str]) -> None:
    """Make a folder hold what another holds; it does already, but for the paths where it is behind."""
    if not folder.is_dir():
        _follow_anew(folder, other)
        return
    for path in behind:
        if (other / path).exists():
            link(other / path, folder / path)
        else:
            remove(folder / path, folder)


def _follow_anew(folder: Path, other: Path) -> None:
    for parent, _, names in os.walk(other):
        below = os.path.normpath(os.path.join(folder, os.path.relpath(parent, other)))
        os.makedirs(below)
        for name in names:
            _link(os.path.join(parent, name), os.path.join(below, name))


def publish(new: Path, site: Path, *, keep: bool = False) -> None:
    """Put the folder `new` in the place of `site` in one step; with `keep`, what was there before is `new` afterwards.

    A process killed at any point leaves the old site or the new one, whole. Where the system cannot exchange two
    folders, the old one is renamed first: `recover` puts it back if the second rename never came.
    """
    site = site.resolve()
    site.parent.mkdir(parents=True, exist_ok=True)
    recover(site)
    near = _on_the_same_device(new, site)
    if not site.exists():
        near.rename(site)
    elif exchange(near, site):
        if not keep or near != new:
            remove_tree(near)
    else:
        change_together([(site, _old(site)), (near, site)], {})
        remove_tree(_old(site))


def recover(site: Path) -> None:
    """Finish, or take back, a publication that was cut off between two renames."""
    site = site.resolve()
    if _old(site).exists():
        if site.exists():
            remove_tree(_old(site))
        else:
            _old(site).rename(site)
    remove_tree(_new(site))


def _old(site: Path) -> Path:
    return site.with_name(f".{site.name}.old")


def _new(site: Path) -> Path:
    return site.with_name(f".{site.name}.new")


def _on_the_same_device(new: Path, site: Path) -> Path:
    """`new`, or a copy of it beside `site` where a rename could not reach from one to the other."""
    if new.stat().st_dev == site.parent.stat().st_dev:
        return new
    try:
        for path in (each for each in sorted(new.rglob("*")) if each.is_file()):
            copy(path, _new(site) / path.relative_to(new))
    except BaseException:
        remove_tree(_new(site))
        raise
    remove_tree(new)
    return _new(site)


@contextmanager
def alone(folder: Path, wait: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Let processes that change the same things follow each other; the lock falls with the process that holds it.

    What one that was killed has left in the folder is removed.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        wait()
        lock.acquire()
    try:
        sweep(folder, below=False)
        forget_asides(folder)
        yield
    finally:
        lock.release()


def exchange(first: Path, second: Path) -> bool:
    """Let two folders change places in one step; False where the system or the file system cannot."""
    import ctypes

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
