"""The theme's files: kb's own, a knowledge base's where it has the same ones, and the front-end files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kb.file_names import is_left_behind, leads_out
from kb.resources import frontend_dir, templates_dir

STYLE = "theme/assets/kb.css"
BASE = "theme/styles/base.css"


def theme_files(root: Path) -> dict[str, bytes]:
    """All files below `build/theme`, by path below `build`."""
    files = {
        **dict(_files(frontend_dir(), "theme/assets")),
        **dict(_files(templates_dir() / "theme", "theme")),
        **dict(_files(root / "templates" / "theme", "theme", root)),
    }
    files = {STYLE: joined_styles(files), **{path: data for path, data in files.items() if not is_style(path)}}
    if not any(path.startswith("theme/assets/mathjax/") for path in files):
        raise FileNotFoundError(2, "is missing; in a checkout, `make site` fetches it", "kb/frontend/mathjax")
    return files


def joined_styles(files: Mapping[str, bytes]) -> bytes:
    """The style sheets below `theme/styles` as one, the base first: a page asks for a single file."""
    names = sorted(filter(is_style, files), key=lambda path: (path != BASE, path))
    return b"\n".join(files[name] for name in names)


def is_style(path: str) -> bool:
    """Whether a file of the theme is a part of the style sheet."""
    return path.startswith("theme/styles/") and path.endswith(".css")


def _files(folder: Path, below: str, root: Path | None = None) -> Iterator[tuple[str, bytes]]:
    """The files below a folder; of those below a root, none that a link to elsewhere brings in."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not is_left_behind(path.name) and not (root and leads_out(path, root)):
            yield f"{below}/{path.relative_to(folder).as_posix()}", path.read_bytes()
