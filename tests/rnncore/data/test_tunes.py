"""The shipped tunes are what the script makes, and their bars are as long as their dances say."""

import re
import sys
from importlib.metadata import version
from itertools import product
from types import SimpleNamespace

import pytest

from rnncore.data import FILES
from rnncore.data.tunes import BAR, tunes
from rnncore.given import music
from tools.data import tunes as make_tunes

LICENCE = (FILES / "tunes.LICENSE.txt").read_text(encoding="utf-8")


def test_the_tunes_are_many_and_their_source_is_named():
    rows = tunes()
    assert len(rows) > 500 and {dance for _, dance, _ in rows} == set(BAR)
    assert len({(dance, *symbols) for _, dance, symbols in rows}) == len(rows)
    assert (FILES / "tunes.txt").stat().st_size < 300_000
    assert "public domain" in LICENCE and "music21" in LICENCE


def test_every_strain_has_eight_bars_of_its_dances_length_and_ends_on_one():
    for title, dance, symbols in tunes():
        *bars, rest = " ".join(symbols).split("|")
        lengths = [sum(length for _, length in music.notes(bar.split())) for bar in bars]
        pickup, lengths = (lengths[0], lengths[1:]) if len(lengths) == 9 else (0, lengths)
        assert rest == "" and pickup < BAR[dance], title
        assert lengths[:-1] == [BAR[dance]] * 7 and lengths[-1] in (BAR[dance], BAR[dance] - pickup), title


def test_most_strains_in_d_major_end_on_its_keynote():
    last = [music.notes(symbols)[-1][0] % 12 for _, _, symbols in tunes()]
    assert sum(pitch == 2 for pitch in last) / len(last) > 0.6  # of twelve pitches, the D


def test_the_tunes_are_what_the_script_makes():
    pytest.importorskip("music21", reason="music21 is needed only to make the tunes again")
    shipped = re.search(r"version ([\d.]+\d),", LICENCE)[1]
    if version("music21") != shipped:
        pytest.skip(f"the tunes were made with music21 {shipped}, and this is {version('music21')}")
    assert [(title, dance, text.split()) for title, dance, text in make_tunes.rows()] == tunes()


def test_a_symbol_says_which_note_it_was_made_of():
    for note in product(range(48, 96), range(1, 5)):
        assert music.notes([make_tunes.symbol(*note)]) == [note]


def test_a_strain_is_eight_full_bars_with_a_pickup_that_the_last_may_lack():
    full, half = [(62, 4), (64, 4)], [(62, 4)]
    assert make_tunes.strain([full] * 8, 8) and make_tunes.strain([half, *[full] * 8], 8)
    assert make_tunes.strain([half, *[full] * 7, half], 8)
    for wrong in ([full] * 7, [full] * 9, [*[full] * 4, half, *[full] * 4], [half, *[full] * 6, half, full]):
        assert make_tunes.strain(wrong, 8) is None
    for note in ((None, 0), (62, 8), (62, 1.5)):
        assert make_tunes.strain([[note, (64, 8 - note[1])], *[full] * 7], 8) is None


def test_grace_notes_are_left_out_and_sections_cut():
    abc = pytest.importorskip("music21.abcFormat")
    text = "X:1\nT:x\nM:2/4\nL:1/16\nK:G\nG2{a}F2 | B4 :| [BD]4 z4 | c8 |]\n"
    tokens = abc.ABCFile().readstr(text).tokens
    first, second = (part for part in make_tunes.sections(tokens, 4) if any(part))
    assert first == [[(67, 2), (66, 2)], [(71, 4)]]
    assert second == [[(None, 0), (None, 0)], [(72, 8)]]


def test_a_strain_moves_to_d_by_the_nearer_octave():
    assert make_tunes.in_d([[(67, 1), (69, 2)]], make_tunes.TONICS["G"]) == ["d", "e2", "|"]
    assert make_tunes.in_d([[(79, 1), (81, 2)]], make_tunes.TONICS["G"]) == ["d", "e2", "|"]
    assert make_tunes.in_d([[(69, 1), (73, 1), (70, 1)]], make_tunes.TONICS["A"]) == ["d", "f", "^d", "|"]


def test_the_script_writes_and_compares(tmp_path, monkeypatch, capsys):
    target = tmp_path / "tunes.txt"
    monkeypatch.setattr(make_tunes, "rows", lambda: [("A", "jig", "d | e |"), ("B", "reel", "f |")])
    monkeypatch.setattr(sys, "argv", ["make_tunes", "--to", str(target)])
    make_tunes.main()
    assert target.read_bytes().decode() == "A\tjig\td | e |\nB\treel\tf |\n"
    assert capsys.readouterr().out.startswith("2 strains written to ")
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--check"])
    make_tunes.main()
    assert "is what this script makes" in capsys.readouterr().out
    target.write_text("A\tjig\td |\n")
    with pytest.raises(SystemExit) as stop:
        make_tunes.main()
    assert stop.value.code == 1 and target.read_text() == "A\tjig\td |\n"


def test_the_script_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "music21", None)
    monkeypatch.setattr(sys, "argv", ["make_tunes"])
    with pytest.raises(SystemExit) as stop:
        make_tunes.main()
    assert stop.value.code == 1
    assert "music21 is not installed; install it with: python -m pip install" in capsys.readouterr().err


def test_files_of_other_dances_metres_and_keys_are_passed_over(tmp_path):
    pytest.importorskip("music21.abcFormat")
    good = SimpleNamespace(R="reel", M="C|", K="D")
    body = "L:1/8\nK:{0.K}\n" + "dcde fgab | " * 8 + "|]\n"
    head = "X:1\nT:THE {0.R} -- x\nR:{0.R}\nM:{0.M}\n"
    for change, count in (({}, 1), ({"R": "jig"}, 0), ({"M": "9/8"}, 0), ({"K": "Em"}, 0)):
        said = SimpleNamespace(**vars(good) | change)
        (tmp_path / "x.abc").write_text((head + body).format(said))
        found = make_tunes.strains(tmp_path / "x.abc")
        assert len(found) == count
        assert all(row[:2] == ("The Reel", "reel") for row in found)
