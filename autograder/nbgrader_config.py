"""The name by which a workspace's nbgrader_config.py finds us; all workspaces hold it, so it stays."""

from autograder.gradebook.configuration import configure

__all__ = ["configure"]
