"""For the teacher's server, which starts at home: its formgrader works in the course's classroom."""

from pathlib import Path

load_subconfig("nbgrader_config.py", path=str(Path.home() / "unrolled" / "classroom"))  # noqa: F821
