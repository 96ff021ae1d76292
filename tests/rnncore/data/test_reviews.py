"""The shipped reviews are short, clear, licensed, and what the script makes of VADER's archive."""

import io
import os
import sys
import tarfile
from pathlib import Path

import pytest

from rnncore.data import FILES
from rnncore.data.reviews import reviews, words
from tools.data import reviews as make_reviews


def test_the_reviews_are_many_balanced_and_licensed():
    rows = reviews()
    assert len(rows) > 5000 and len({sentence for sentence, _ in rows}) == len(rows)
    assert 0.45 < sum(rating > 0 for _, rating in rows) / len(rows) < 0.55
    assert all(1 <= abs(rating) <= 4 for _, rating in rows)
    assert all(3 <= len(words(sentence)) <= 20 for sentence, _ in rows)
    assert (FILES / "reviews.txt").stat().st_size < 500_000
    licence = (FILES / "reviews.LICENSE.txt").read_text(encoding="utf-8")
    assert "VADER" in licence and "Permission is hereby granted, free of charge" in licence


def test_words_are_lower_case_with_their_apostrophes():
    found = words("It’s fun -- 'tis, as they say, 90% Amélie's (rock'n'roll)!")
    assert found == ["it's", "fun", "tis", "as", "they", "say", "amélie's", "rock'n'roll"]


TEXT = (
    "1\t2.26666666667\tGreat   fun for all.\n"
    "2\t-0.6\tEffective but too tepid\n"
    "3\t-1.0\tDull, dull, dull!\n"
    "4\t3\tToo short\n"
    "5\t-2.5\tDull, dull, dull!\n"
    f"6\t2\t{'so ' * 21}\n"
)
KEPT = [("2.27", "Great fun for all."), ("-1.00", "Dull, dull, dull!")]


def archive_of(path, text):
    """An archive within an archive, as VADER's source has it."""

    def add(target, name, content):
        about = tarfile.TarInfo(name)
        about.size = len(content)
        target.addfile(about, io.BytesIO(content))

    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as target:
        add(target, make_reviews.SNIPPETS, text.encode())
    with tarfile.open(path, "w:gz") as target:
        add(target, make_reviews.INNER, inner.getvalue())
    return path


def test_the_script_selects_writes_and_compares(tmp_path, monkeypatch, capsys):
    archive, target = archive_of(tmp_path / "a.tar.gz", TEXT), tmp_path / "reviews.txt"
    assert make_reviews.rows(make_reviews.snippets(archive)) == KEPT
    monkeypatch.setattr(sys, "argv", ["make_reviews", str(archive), "--to", str(target)])
    make_reviews.main()
    assert target.read_text() == "".join(f"{rating}\t{sentence}\n" for rating, sentence in KEPT)
    assert capsys.readouterr().out.startswith("2 sentences written to ")
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--check"])
    for text, status in ((target.read_text(), 0), ("", 1)):
        target.write_text(text)
        with pytest.raises(SystemExit) as stop:
            make_reviews.main()
        assert stop.value.code == status and target.read_text() == text


def test_the_script_says_what_is_not_the_archive(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.txt").write_text("no archive")
    for name in ("a.txt", "nothing.tar.gz"):
        monkeypatch.setattr(sys, "argv", ["make_reviews", str(tmp_path / name)])
        with pytest.raises(SystemExit) as stop:
            make_reviews.main()
        assert stop.value.code == 1
        assert f"{name} is not there, or not the source archive of vaderS" in capsys.readouterr().err


def test_without_an_archive_pip_is_asked_for_it(tmp_path, monkeypatch):
    asked = []

    def run(command, check):
        asked.append(command)
        archive_of(Path(command[command.index("--dest") + 1]) / "vader.tar.gz", TEXT)

    monkeypatch.setattr(make_reviews.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["make_reviews", "--to", str(tmp_path / "reviews.txt")])
    make_reviews.main()
    assert len((tmp_path / "reviews.txt").read_text().splitlines()) == 2
    assert asked[0][1:4] == ["-m", "pip", "download"] and asked[0][-1] == "vaderSentiment==3.3.2"


def test_the_reviews_are_what_the_script_makes():
    archive = os.environ.get("VADER_ARCHIVE")
    if archive is None:
        pytest.skip("VADER_ARCHIVE names no vaderSentiment-3.3.2.tar.gz to compare with")
    made = make_reviews.rows(make_reviews.snippets(archive))
    assert [(sentence, float(rating)) for rating, sentence in made] == reviews()
