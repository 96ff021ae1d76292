"""The shipped names are what the script makes, and a batch predicts every letter of every name once."""

import re
import sys
from collections import Counter
from importlib.metadata import version

import numpy as np
import pytest

from rnncore.data import FILES, Vocabulary, name_batches, names
from tools.data import names as make_names


def test_the_names_are_many_plain_and_licensed():
    pairs = names()
    counts = Counter(language for _, language in pairs)
    assert len(counts) >= 8 and min(counts.values()) >= 100
    assert len(set(pairs)) == len(pairs) and pairs == sorted(pairs)
    assert all(name.isalpha() and name == name.lower() and 3 <= len(name) <= 12 for name, _ in pairs)
    assert len(Vocabulary(name for name, _ in pairs)) < 60
    assert (FILES / "names.txt").stat().st_size < 150_000
    licence = (FILES / "names.LICENSE.txt").read_text(encoding="utf-8")
    assert "Faker" in licence and "Permission is hereby granted, free of charge" in licence


def test_the_names_are_what_the_script_makes():
    pytest.importorskip("faker", reason="Faker is needed only to make the names again")
    licence = (FILES / "names.LICENSE.txt").read_text(encoding="utf-8")
    shipped = re.search(r"version ([\d.]+\d),", licence)[1]
    if version("faker") != shipped:
        pytest.skip(f"the names were made with Faker {shipped}, and this is {version('faker')}")
    assert make_names.rows() == names()


def test_the_script_writes_the_file_it_is_told_to(tmp_path, monkeypatch, capsys):
    pairs = [("þór", "icelandic"), ("zoé", "french")]
    monkeypatch.setattr(make_names, "rows", lambda: pairs)
    monkeypatch.setattr(sys, "argv", ["make_names", "--to", str(tmp_path / "names.txt")])
    make_names.main()
    assert (tmp_path / "names.txt").read_bytes().decode() == "þór\ticelandic\nzoé\tfrench\n"
    assert capsys.readouterr().out.startswith("2 names in 14 languages written to ")


def test_the_script_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "faker.providers.person.nl_NL", None)
    monkeypatch.setattr(sys, "argv", ["make_names"])
    with pytest.raises(SystemExit) as stop:
        make_names.main()
    assert stop.value.code == 1
    assert "Faker is not installed; install it with: python -m pip install Faker" in capsys.readouterr().err


def test_a_vocabulary_spells_what_it_encoded():
    vocabulary = Vocabulary(["þóra", "anna"])
    assert vocabulary.symbols == [".", "a", "n", "r", "ó", "þ"] and len(vocabulary) == 6
    np.testing.assert_array_equal(vocabulary.encode("anna"), [0, 1, 2, 2, 1, 0])
    for text in ("anna", "þóra", ""):
        assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.decode([1, 2, 0, 3, 3]) == "an"


def test_a_vocabulary_names_the_symbol_that_it_does_not_have():
    with pytest.raises(ValueError, match="text has 'x', which is not one of the 3 symbols"):
        Vocabulary(["an"]).encode("naxos")


def test_batches_hold_every_name_once_and_predict_the_letter_that_follows():
    everyone = sorted({name for name, _ in names()})[:300]
    vocabulary = Vocabulary(everyone)
    batches = name_batches(everyone, vocabulary, 16, np.random.default_rng(0))
    spelled = []
    for inputs, targets in batches:
        assert inputs.shape == targets.shape and len(inputs) <= 16
        np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])
        assert not inputs[:, 0].any() and not targets[:, -1].any()
        assert inputs[:, 1:].all() and not np.shares_memory(inputs, targets)
        spelled += [vocabulary.decode(row) for row in inputs]
    assert sorted(spelled) == everyone and spelled != everyone


def test_batches_of_pairs_say_each_names_language():
    pairs = names()[::7]
    vocabulary = Vocabulary(name for name, _ in pairs)
    spelled = []
    for inputs, targets, languages in name_batches(pairs, vocabulary, 16, np.random.default_rng(0)):
        assert inputs.shape == targets.shape and languages.shape == inputs.shape[:1]
        spelled += [(vocabulary.decode(row), str(of)) for row, of in zip(targets, languages, strict=True)]
    assert sorted(spelled) == pairs


def test_batches_depend_on_the_generator_alone():
    everyone = [name for name, _ in names()[:100]]
    vocabulary = Vocabulary(everyone)
    one, same, other = (name_batches(everyone, vocabulary, 9, np.random.default_rng(s)) for s in (1, 1, 2))
    assert all((a[0] == b[0]).all() for a, b in zip(one, same, strict=True))
    assert any(a[0].shape != b[0].shape or (a[0] != b[0]).any() for a, b in zip(one, other, strict=True))
    with pytest.raises(ValueError, match="batch_size is 0, expected at least 1"):
        name_batches(everyone, vocabulary, 0, np.random.default_rng(0))
