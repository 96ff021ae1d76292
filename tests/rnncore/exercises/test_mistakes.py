"""The kill matrix: every known mistake loses marks and is named; every correct variant keeps them all."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from rnncore.check import check, matrix
from rnncore.exercises import MODULES, by_name, of_lesson
from rnncore.exercises.exercise import Exercise, Mistake
from tests.rnncore.asked import once_a_case
from tests.rnncore.exercises.variants import VARIANTS

for module in MODULES.values():
    import_module(f"tests.rnncore.exercises.variants.{module}")

EXERCISES = list(by_name().values())
TWINS = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]
CORRECT = [variant for exercise in EXERCISES for variant in VARIANTS[exercise.name]]
SEEDS = (0, 1, matrix.SEED)  # the last is what the page is made with
DOCS = (Path(__file__).parents[3] / "docs" / "mistakes.md").read_text(encoding="utf-8")
WRITE_IT = "run: python -m rnncore.check.matrix docs/mistakes.md"


def rows_in_the_docs():
    """{(exercise, mistake): its row}, by their names, as docs/mistakes.md has them."""
    rows, exercise = {}, None
    for line in DOCS.splitlines():
        if heading := re.match(r"### `(\w+)", line):
            exercise = heading[1]
        elif line.startswith("| "):
            rows[exercise, line.split(" | ")[0].removeprefix("| ")] = line
    return rows


ROWS = rows_in_the_docs()


@pytest.fixture(scope="module", autouse=True)
def answer_with():
    """Makes the twin that is handed in; what it is held against is asked once a seed."""
    with once_a_case() as twin:
        yield twin


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_reference_itself_gets_full_marks(exercise):
    for seed in SEEDS:
        verdict = check(exercise.reference, 4, seed=seed)
        assert (verdict.earned, verdict.status, verdict.mistakes, verdict.remarks) == (4, "right", (), ())


@pytest.mark.parametrize(("exercise", "mistake"), TWINS, ids=[f"{e.name}-{m.id}" for e, m in TWINS])
def test_every_mistake_loses_marks_and_is_named(answer_with, monkeypatch, exercise, mistake):
    verdicts = [
        check(answer_with(exercise, wording), 4, seed=seed)
        for wording in mistake.wordings()
        for seed in SEEDS[:2]
    ]

    def third(*words, **named):
        verdicts.append(check(*words, **named))
        return verdicts[-1]

    monkeypatch.setattr(matrix, "check", third)
    assert ROWS.get((exercise.name, mistake.id)) == matrix.checked_row(exercise, mistake), WRITE_IT
    assert {verdict.seed for verdict in verdicts} == set(SEEDS)
    for verdict in verdicts:
        assert verdict.earned < verdict.points, verdict
        assert [named.id for named in verdict.mistakes] == [mistake.id], verdict


@pytest.mark.parametrize("variant", CORRECT, ids=lambda variant: f"{variant.__name__}-{variant.variant}")
def test_every_correct_variant_keeps_full_marks_and_names_nothing(variant):
    for seed in SEEDS:
        verdict = check(variant, 4, seed=seed)
        assert (verdict.earned, verdict.status, verdict.mistakes) == (4, "right", ()), verdict


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_bank_of_variants_is_large_enough(exercise):
    assert len(VARIANTS[exercise.name]) >= 5


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_sentences_are_unique_and_ids_too(exercise):
    for field in ("id", "says"):
        values = [getattr(mistake, field) for mistake in exercise.mistakes]
        assert len(set(values)) == len(values)


def test_an_edit_that_does_not_fit_the_reference_is_refused():
    exercise = by_name()["rnn_cell"]
    stale = Mistake("stale", old="text that stands nowhere", new="", says="-")
    with pytest.raises(ValueError, match=r"'stale'.*0 times"):
        Exercise(exercise.reference, exercise.returns, exercise.draw, (stale,))
    vague = Mistake("vague", old="x", new="y", says="-")
    with pytest.raises(ValueError, match=r"'vague'.*expected once"):
        Exercise(exercise.reference, exercise.returns, exercise.draw, (vague,))


def test_the_kill_matrix_in_the_docs_is_fresh(capsys):
    """All but what the rows say, of which each mistake's own test makes sure above."""
    with capsys.disabled():
        print(
            f"\nkill matrix: {len(TWINS)} mistakes in {len(EXERCISES)} exercises, "
            f"{len(CORRECT)} correct variants"
        )
    whole = matrix.kill_matrix(lambda exercise, mistake: ROWS.get((exercise.name, mistake.id)) or "no row")
    assert whole == DOCS, WRITE_IT


def test_each_lesson_has_exercises_of_distinct_names():
    names = [exercise.name for lesson in MODULES for exercise in of_lesson(lesson)]
    assert len(set(names)) == len(names) == len(by_name())
