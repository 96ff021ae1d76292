"""The files of ``rnncore.data``, made again from the packages that they come from: ``make data``.

One script for each file says how it is made and what it needs; ``command`` is the command line that they
share: write the file, or check it. Nothing here is used when a lesson runs.
"""

import argparse
from pathlib import Path


def command(description, file, make, missing):
    """Write ``file``, or with --check compare it; exits with one sentence where that cannot be done.

    make() gives the file's bytes and what they hold, as in "1797 digits". It may raise FileNotFoundError
    or ModuleNotFoundError for what is not installed: ``missing`` is the sentence that says what to do,
    in which {} stands for the error's own words.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--to", type=Path, default=file, help="the file to write or to compare")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file would change")
    told = parser.parse_args()
    try:
        content, holds = make()
    except (FileNotFoundError, ModuleNotFoundError) as error:
        parser.exit(1, f"{missing.format(error)}\n")
    if not told.check:
        told.to.write_bytes(content)
        print(f"{holds} written to {told.to}")
    elif told.to.is_file() and told.to.read_bytes() == content:
        print(f"{told.to} is what this script makes")
    else:
        parser.exit(1, f"{told.to} is not what this script makes\n")
