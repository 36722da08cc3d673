"""Hatchling's hook: before a wheel, a source archive or an editable install, the front-end files are fetched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs frontend.py, which needs npm only where the files are not there yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Fetch, or stop the build with frontend.py's own words."""
        script = Path(self.root, "frontend.py")
        if subprocess.run([sys.executable, str(script)], check=False).returncode:
            sys.exit("The package cannot be built without its front-end files.")
