"""Build step: puts the pinned htmx into app/static/, so that no third-party code is committed.

Runs for `pip install -e .` and for the wheel. The package that carries htmx is needed here only.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CopyHtmx(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        source = files("django_htmx") / "static/django_htmx/htmx-2.min.js"
        Path(self.root, "app/static/htmx.min.js").write_bytes(source.read_bytes())
