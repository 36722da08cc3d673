"""Which names files can have, and letters that nobody sees: a knowledge base is copied to all kinds of systems."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

LONGEST = 200  # bytes of a name: most systems allow 255, of which endings and languages take some
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|\Z)", re.IGNORECASE)
# Letters that turn the direction of text or show nothing. Joiners and direction marks belong to some scripts.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LEFT_BEHIND = re.compile(r"\..*|#.*#|.*~|.*\.(?:bak|orig|rej|sw[op]|tmp)", re.IGNORECASE | re.DOTALL)
_JOINERS = "\u200c\u200d"
_DIRECTION_MARKS = "\u061c\u200e\u200f"


def fault(name: str) -> str:
    """Why a name cannot be that of files on every system, in words that follow it; "" where it can."""
    if is_reserved(name):
        return "is a name that Windows keeps for itself"
    return "ends in a dot or a space, which Windows leaves out" if name.endswith((".", " ")) else ""


def excess(name: str) -> str:
    """That a name is too long for files that are called by it, in words that follow it; "" where it is not."""
    size = len(name.encode(errors="surrogatepass"))
    return f"is {size} bytes long, and {LONGEST} are the most" if size > LONGEST else ""


def is_reserved(name: str) -> bool:
    """Whether Windows takes a file of this name for a device, whatever its ending."""
    return bool(_RESERVED.match(name))


def is_left_behind(name: str) -> bool:
    """Whether a file is hidden, or a copy that an editor or a merge has left: nobody's to publish."""
    return bool(_LEFT_BEHIND.fullmatch(name))


def same(name: str) -> str:
    """A name as systems see it that know no difference of case or Unicode form."""
    if name.isascii():
        return name.casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def hidden_letter(text: str) -> str:
    """The first letter of a text that turns its direction or cannot be seen; "" where there is none."""
    return next((found[0] for found in _HIDDEN.finditer(text) if not _belongs(found, text)), "")


def _belongs(found: re.Match[str], text: str) -> bool:
    """Whether such a letter is at home there: between letters of its script, or in a text that runs from the right."""
    if found[0] in _JOINERS:
        return not text[: found.start()][-1:].isascii()
    return found[0] in _DIRECTION_MARKS and any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def named(letter: str) -> str:
    """What to call a letter that cannot be seen."""
    return f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".rstrip()


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path below the root, or a link on it, leads out of the root."""
    inside, real = os.path.realpath(root), os.path.realpath(path)
    return real != inside and not real.startswith(inside.rstrip(os.sep) + os.sep)


def shortened(text: str, size: int) -> str:
    """The beginning of a text that takes no more bytes than this."""
    return text if len(text) * 4 <= size else text.encode(errors="ignore")[:size].decode(errors="ignore")
