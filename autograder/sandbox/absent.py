"""Says in a sandbox why a module of rnncore is not there; Python runs it at its start, as sitecustomize.

The last of the finders: it is asked only for what no other has found, and holds no name of what is hidden.
"""

import sys


class NotShown:
    """Finds nothing, and says so in a sentence where Python's own would look like a broken installation."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("rnncore."):
            raise ModuleNotFoundError(
                f"No module named {name!r} while this lesson is graded: of rnncore only what the lesson's "
                "own cells import is there.",
                name="rnncore",  # with its own, `from rnncore import` would say something else
            )


if __name__ == "sitecustomize":
    sys.meta_path.append(NotShown)
