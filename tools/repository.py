"""Where this repository can be read by others, and links to it in place of paths.

The address is looked up, not written down: a copy of the course under another name points to itself.
Standard library only, since it is needed where the package is built.
"""

import os
import posixpath
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(r"(?:git@|ssh://git@|https://)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def address():
    """https://github.com/OWNER/NAME, as GitHub's own machines say, else git's `origin`, else None."""
    name = os.environ.get("GITHUB_REPOSITORY")
    if not name:
        command = ["git", "-C", str(ROOT), "config", "--get", "remote.origin.url"]
        try:
            said = subprocess.run(command, capture_output=True, text=True).stdout.strip()
        except OSError:  # no git here
            return None
        found = ADDRESS.fullmatch(said)
        name = found and found[1]
    return f"https://github.com/{name}" if name else None


def link_elsewhere(page, home, version, folder="", kept=()):
    """A Markdown page of the repository's ``folder`` with links that hold wherever it is shown.

    ``home``: the repository's address; without one, links become their words and pictures are left out.
    ``version``: the tag or branch to link to. ``kept``: paths that lie beside it there, too.
    """
    link = re.compile(r"(!?)\[((?:[^\[\]]|\[[^]]*\])*)\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
    image = re.compile(r'<img src="(?!\w+:)([^"]+)"[^>]*>')

    def linked(found):
        picture, words, target = found[1], found[2], posixpath.normpath(posixpath.join(folder, found[3]))
        if target in kept:
            return found[0]
        if home is None:
            return "" if picture else words
        return f"{picture}[{words}]({home}/{'raw' if picture else 'blob'}/{version}/{target}{found[4] or ''})"

    def shown(found):
        return "" if home is None else found[0].replace(found[1], f"{home}/raw/{version}/{found[1]}", 1)

    return image.sub(shown, link.sub(linked, page))
