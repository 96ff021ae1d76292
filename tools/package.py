"""What the package index is told, made when the package is built: README.md with links that hold there.

Hatchling loads this file by its path (`tool.hatch.metadata.hooks` in pyproject.toml).
"""

import os
import runpy
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class MetadataHook(MetadataHookInterface):
    def update(self, metadata):
        repository = runpy.run_path(str(Path(__file__).with_name("repository.py")))
        home, version = repository["address"](), os.environ.get("GITHUB_REF_NAME", "main")
        page = Path(self.root, "README.md").read_text("utf-8")
        text = repository["link_elsewhere"](page, home, version)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["urls"] = {"Repository": home} if home else {}
