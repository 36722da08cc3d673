"""When the machine fails, not what somebody wrote: a full disk, a folder that is only to be read, no memory."""

from __future__ import annotations

import errno

ADVICE = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your share of that disk",
    errno.EFBIG: "let files grow larger (`ulimit -f`)",
    errno.EROFS: "let the disk be written to",
    errno.EACCES: "let yourself write there",
    errno.EPERM: "let yourself write there",
    errno.EIO: "look after that disk",
    errno.EMFILE: "let more files be open at a time (`ulimit -n`)",
    errno.ENFILE: "let more files be open at a time",
}
NO_MEMORY = "there is not enough memory: end other programs, and run the same command again"
AGAIN = "and run the same command again; no file is half written"


def failed(error: BaseException) -> bool:
    """Whether an error is the machine's."""
    return isinstance(error, MemoryError | ChildProcessError) or getattr(error, "errno", None) in ADVICE


def told(error: OSError | MemoryError) -> str:
    """What failed, where, and what to do."""
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if error.errno is None or not error.strerror:
        return str(error)
    said = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{said}: {ADVICE[error.errno]}, {AGAIN}" if error.errno in ADVICE else said
