"""A Python-Markdown extension: a placeholder line in a page becomes the body that was rendered before.

Bodies are complete and sanitised when a site builder starts; passing them through Python-Markdown would
cost time and change what stands in <pre>. So a page holds `<!-- kb-body: cards/K/problem.html -->`, and the
file of that name below `folder` takes its place after everything else has run, byte for byte.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

_PLACEHOLDER = re.compile(r"<!-- kb-body: ([^\s<>]+) -->")


def placeholder(name: str) -> str:
    """The line that stands for the body called `name`."""
    return f"<!-- kb-body: {name} -->"


class _Insert(Postprocessor):
    def __init__(self, md: Markdown, folder: Path) -> None:
        super().__init__(md)
        self._folder = folder.resolve()

    def run(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: self._body(match[1]), text)

    def _body(self, name: str) -> str:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise ValueError(f"{name} is not in {self._folder}")
        return path.read_bytes().decode("utf-8")


class InsertExtension(Extension):
    """Option `folder`: where the bodies are, relative to the folder that the builder runs in."""

    def __init__(self, **options: Any) -> None:
        self.config = {"folder": ["build/bodies", "folder of the rendered bodies"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        """Run last, so that nothing touches a body."""
        md.postprocessors.register(_Insert(md, Path(self.getConfig("folder"))), "kb_insert", -100)


def makeExtension(**options: Any) -> InsertExtension:  # noqa: N802 (Python-Markdown's name)
    """What Python-Markdown calls to load the extension."""
    return InsertExtension(**options)
