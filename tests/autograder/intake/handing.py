"""Archives and folders as students and platforms make them."""

import os
import zipfile
from datetime import UTC, datetime

UTC_TIME = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)


def everything(alike, others):
    """What an instructor says who takes all of it, as --yes does."""
    return True


def archive(path, entries):
    """A zip of {name: text or bytes}; or of (ZipInfo, data) pairs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items() if isinstance(entries, dict) else entries:
            file.writestr(name, data)
    return path


def folder(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def stamped(path, when):
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


def noted(workspace, student):
    path = workspace.submitted / student / "01-double" / "timestamp.txt"
    return path.read_text().strip() if path.exists() else None
