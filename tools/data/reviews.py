"""Make reviews.txt again from the source archive of VADER: python -m tools.data.reviews [ARCHIVE]

The ARCHIVE is vaderSentiment-3.3.2.tar.gz. Without one, pip fetches it: it is what
``pip download --no-deps --no-binary :all: vaderSentiment==3.3.2`` leaves in a folder. In it lies another
archive, with the labelled snippets. Nothing of either is run. --check writes nothing and compares. The
lessons read reviews.txt and need no VADER.
"""

import argparse
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from rnncore.data import FILES
from rnncore.data.reviews import words

RELEASE = "vaderSentiment==3.3.2"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SNIPPETS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
CLEAREST = 1.0  # how far from 0 a mean rating must be
FEWEST, MOST = 3, 20  # words


def fetch(folder):
    """Let pip put the archive into a folder; returns its path."""
    options = ["--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, RELEASE], check=True)
    return next(Path(folder).glob("*.tar.gz"))


def snippets(archive):
    """The text of the file of snippets: a line for each, number, mean rating and sentence, tabs between."""
    with tarfile.open(archive) as outer:
        inner = io.BytesIO(outer.extractfile(INNER).read())
    with tarfile.open(fileobj=inner) as resources:
        return resources.extractfile(SNIPPETS).read().decode("utf-8")


def rows(text):
    """(rating, sentence) of the short and clear ones, each once, in their order."""
    found = {}
    for line in text.splitlines():
        _, rating, sentence = line.split("\t")
        sentence = " ".join(sentence.split())
        if abs(float(rating)) >= CLEAREST and FEWEST <= len(words(sentence)) <= MOST:
            found.setdefault(sentence, f"{float(rating):.2f}")
    return [(rating, sentence) for sentence, rating in found.items()]


def main():
    parser = argparse.ArgumentParser(description="Make the lessons' film reviews from VADER's archive.")
    parser.add_argument(
        "archive", type=Path, nargs="?", help="vaderSentiment-3.3.2.tar.gz; else pip fetches it"
    )
    parser.add_argument("--to", type=Path, default=FILES / "reviews.txt", help="the file to write or compare")
    parser.add_argument("--check", action="store_true", help="write nothing, compare with the file")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        try:
            archive = options.archive or fetch(folder)
            made = rows(snippets(archive))
        except (OSError, KeyError, tarfile.TarError):
            parser.exit(1, f"{archive} is not there, or not the source archive of {RELEASE}\n")
        except subprocess.CalledProcessError:
            parser.exit(1, f"pip could not fetch {RELEASE}; give the path of its source archive\n")
    text = "".join("\t".join(row) + "\n" for row in made)
    if options.check:
        same = options.to.read_text(encoding="utf-8") == text
        parser.exit(not same, f"{options.to} {'is' if same else 'is not'} what this archive gives\n")
    options.to.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(made)} sentences written to {options.to}")


if __name__ == "__main__":
    main()
