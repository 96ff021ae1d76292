"""The kill matrix: every known mistake loses marks and is named; every correct variant keeps them all."""

from importlib import import_module
from pathlib import Path

import pytest

from rnncore.check import check
from rnncore.check.matrix import kill_matrix
from rnncore.exercises import MODULES, by_name, of_lesson
from rnncore.exercises.exercise import Exercise, Mistake
from tests.rnncore.exercises.variants import VARIANTS

for module in MODULES.values():
    import_module(f"tests.rnncore.exercises.variants.{module}")

EXERCISES = list(by_name().values())
TWINS = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]
CORRECT = [variant for exercise in EXERCISES for variant in VARIANTS[exercise.name]]
SEEDS = range(3)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_reference_itself_gets_full_marks(exercise):
    for seed in SEEDS:
        verdict = check(exercise.reference, 4, seed=seed)
        assert (verdict.earned, verdict.status, verdict.mistakes, verdict.remarks) == (4, "right", (), ())


@pytest.mark.parametrize(("exercise", "mistake"), TWINS, ids=[f"{e.name}-{m.id}" for e, m in TWINS])
def test_every_mistake_loses_marks_and_is_named(exercise, mistake):
    for wording in mistake.wordings():
        for seed in SEEDS:
            verdict = check(exercise.twin(wording), 4, seed=seed)
            assert verdict.earned < 4, verdict
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
    matrix = kill_matrix()
    with capsys.disabled():
        killed = sum(
            line.count("| ") > 3 and not line.startswith("| mistake") for line in matrix.splitlines()
        )
        print(
            f"\nkill matrix: {killed} mistakes in {len(EXERCISES)} exercises, {len(CORRECT)} correct variants"
        )
    path = Path(__file__).parents[3] / "docs" / "mistakes.md"
    assert path.read_text(encoding="utf-8") == matrix, "run: python -m rnncore.check.matrix docs/mistakes.md"


def test_each_lesson_has_exercises_of_distinct_names():
    names = [exercise.name for lesson in MODULES for exercise in of_lesson(lesson)]
    assert len(set(names)) == len(names) == len(by_name())
