"""The versions of what a score may depend on, as they are kept with it."""

import functools
import importlib.metadata
import platform


def versions(needs):
    """{name: version} of Python, the packages that grading runs on, and a lesson's own."""
    names = ("numpy", "ipykernel", "unrolled", *needs)
    found = {name: version for name in names if (version := _version(name)) is not None}
    return {"python": platform.python_version(), **found}


@functools.cache
def _version(name):
    """The version of an installed package, as this process found it first; None where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
