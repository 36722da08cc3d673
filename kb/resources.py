"""Where the files that come with kb lie: inside the wheel, or in the checkout that it was installed from."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def templates_dir() -> Path:
    """The default templates: `kb/templates` in a wheel, `templates/` beside the package in a checkout."""
    inside = PACKAGE / "templates"
    return inside if inside.is_dir() else PACKAGE.parent / "templates"


def frontend_dir() -> Path:
    """The front-end files (MathJax), fetched when the package was built."""
    return PACKAGE / "frontend"


def starter_dir() -> Path:
    """What `kb init` writes, a folder for each language."""
    return PACKAGE / "starter"
