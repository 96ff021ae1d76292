"""Is a course as it should be? What `unrolled test` finds out, one sentence for each fault.

Of every exercise of the course's own: the reference has full marks, every mistake loses some and is named,
every variant keeps them. Of every lesson: what is released is what its solution makes, the solution is graded
full and the untouched lesson has nothing. Grading goes the way of every submission, in the sandbox.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import partial

from autograder.classroom.processes import process_pool
from autograder.course import release
from autograder.course.places import CourseError
from autograder.course.spec import SpecError, read_exercises, read_spec
from autograder.intake.submissions import Submission
from autograder.judging.obstacles import obstacles
from autograder.judging.status import Status
from autograder.judging.submission import Task, grade_task
from autograder.sandbox.box import Limits, NoSandbox, Sandbox
from rnncore.check import mark
from rnncore.check.matrix import checked_row, kill_matrix
from rnncore.exercises import NotExercises, own, using
from rnncore.exercises.beside import module

SEEDS = range(3)
SECRET = b"what tests are drawn with: nobody's work depends on it"
INTRODUCTION = """# Known mistakes

Written by `unrolled test --mistakes`; do not edit.

Each row is one mistake, made as an edit of the exercise's reference and then checked like a student's answer.
*Costs* is the share of the points that it takes, *spoils* lists the parts that are then wrong, and the last
column is what the student is told.
"""


@dataclass(frozen=True)
class Step:
    """One thing to look at: what is said while it lasts, and a function to the sentences on what is wrong."""

    says: str
    look: Callable[[], Iterable[str]]

    def faults(self):
        """The sentences; what an exercise raises is one of them."""
        try:
            return list(self.look())
        except (CourseError, SpecError, NoSandbox):
            raise
        except Exception as error:
            return [f"{self.says}: {type(error).__name__}: {error}"]


def exercises_of(lesson):
    """A lesson's own exercises by name, from beside its solution; CourseError if they cannot be used."""
    path = lesson.own_exercises
    return own(read_exercises(path), str(path))


def variants_of(lesson, exercises):
    """{exercise: other right answers} from the variants.py beside a solution; CourseError if it is none."""
    path = lesson.own_exercises.with_name("variants.py")
    if not path.is_file():
        return {}
    try:
        listed = getattr(module(path.read_text("utf-8"), str(path)), "VARIANTS", None)
    except NotExercises as error:
        raise CourseError(str(error)) from None
    if not isinstance(listed, dict):
        raise CourseError(
            f'{path} lists no variants; it ends with VARIANTS = {{"exercise": (function, ...)}}.'
        )
    for name, functions in listed.items():
        if name not in exercises:
            raise CourseError(f"{path}: there is no exercise {name!r} beside it to be a variant of.")
        if not isinstance(functions, tuple | list) or not all(map(callable, functions)):
            raise CourseError(f"{path}: the variants of {name!r} belong in a tuple of functions.")
    return listed


def of_exercises(lessons):
    """A Step for every mistake and right answer of these lessons' own exercises."""
    for lesson in lessons:
        exercises = exercises_of(lesson)
        variants = variants_of(lesson, exercises)
        for exercise in exercises.values():
            yield from _of_exercise(lesson, exercises, exercise, variants.get(exercise.name, ()))


def _of_exercise(lesson, exercises, exercise, variants):
    where = f"{lesson.name}, {exercise.name}"

    def right(function, what):
        for verdict in _verdicts(exercises, exercise, function):
            if (verdict.earned, verdict.mistakes) != (1, ()):
                return [f"{where}: {what} is right and gets {verdict.earned:g} of 1 point; {_told(verdict)}"]
        return []

    def wrong(mistake):
        for wording in mistake.wordings():
            try:
                twin = exercise.twin(wording)
            except SyntaxError as error:
                return [f"{where}: the mistake {mistake.id!r} makes no Python of it: {error.msg}."]
            for verdict in _verdicts(exercises, exercise, twin):
                named = [one.id for one in verdict.mistakes]
                if verdict.earned >= 1:
                    free = f"costs nothing with seed {verdict.seed}; {NO_CASE}"
                    return [f"{where}: the mistake {mistake.id!r} {free}"]
                if named != [mistake.id]:
                    other = f"it is told as {' and '.join(named)}" if named else "no mistake is named"
                    return [
                        f"{where}: the mistake {mistake.id!r} is not recognised: {other}; {_told(verdict)}"
                    ]
        return []

    yield Step(f"{where}: the reference", lambda: right(exercise.reference, "the reference"))
    for mistake in exercise.mistakes:
        yield Step(f"{where}: mistake {mistake.id}", lambda mistake=mistake: wrong(mistake))
    for variant in variants:
        name = getattr(variant, "__name__", "?")
        yield Step(
            f"{where}: variant {name}", lambda one=variant, name=name: right(one, f"the variant {name}")
        )


NO_CASE = "let `draw` make a case in which it shows."


def _verdicts(exercises, exercise, function):
    with using(exercises):
        for seed in SEEDS:
            yield mark(exercise, function, 1, seed)


def _told(verdict):
    """The check's own words, as the end of a sentence."""
    faults = [part.says for part in verdict.parts if not part.right and part.says]
    said = [verdict.headline, *(one.says for one in verdict.mistakes), *faults[:1]]
    return f"the check says: {' '.join(text for text in said if text)}"


def of_release(course, lessons):
    """The Step that compares lessons/ with what solutions/ makes."""
    yield Step("lessons/ against solutions/", lambda: release.check(course, lessons))


def of_tests(lessons):
    """A Step for each lesson's test cells: can the judge run them?"""
    for lesson in lessons:
        yield Step(f"{lesson.name}: tests", partial(_tests, lesson))


def _tests(lesson):
    for name, why in obstacles(read_spec(lesson.lesson_path)).items():
        yield f"{lesson.name}: the test {name} cannot be judged as it stands: {'; and '.join(why)}."


def of_grading(lessons, workers, sandbox=True):
    """A Step for each solution and each untouched lesson; ``workers`` processes grade them meanwhile."""
    specs = {lesson: read_spec(lesson.lesson_path) for lesson in lessons}
    if sandbox:
        for spec in specs.values():
            Sandbox(spec.hides, spec.needs)  # without a working one nothing starts
    pool = process_pool(max(1, min(workers, 2 * len(lessons))))
    try:
        sent = {}
        for lesson, spec in specs.items():
            for what, path in (("the solution", lesson.solution_path), ("the lesson", lesson.lesson_path)):
                submission = Submission("test", path.read_bytes())
                task = Task(submission, spec, Limits(), SECRET, sandbox, warm=False)
                sent[pool.submit(grade_task, task)] = lesson, what
        for done in as_completed(sent):
            lesson, what = sent[done]
            look = _solution if what == "the solution" else _untouched
            yield Step(f"{lesson.name}: {what}, graded", partial(_looked, look, lesson, done))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _looked(look, lesson, done):
    return look(lesson, done.result())


def _solution(lesson, graded):
    """What is wrong with how a solution was graded."""
    for name, score in graded.scores.items():
        if score.points < score.max_points:
            verdict = score.verdict or {}
            said = [verdict.get("headline", ""), *(one["says"] for one in verdict.get("mistakes", ()))]
            why = " ".join(said)
            yield (
                f"{lesson.name}: the solution gets {score.points:g} of {score.max_points:g} points in {name}"
                f"{f'; the check says: {why}' if why.strip() else '.'}"
            )
    if graded.status != Status.GRADED:
        remarks = f" {' '.join(graded.remarks)}" if graded.remarks else ""
        yield f"{lesson.name}: grading the solution ended as {str(graded.status)!r}.{remarks}"


def _untouched(lesson, graded):
    """What is wrong with how a lesson was graded in which nothing was written."""
    for name, score in graded.scores.items():
        if score.points > 0:
            free = f"{score.points:g} points in {name}, and should get none"
            yield f"{lesson.name}: the untouched lesson gets {free}."
    if graded.status not in (Status.NOT_ATTEMPTED, Status.PARTLY_GRADED, Status.GRADED):
        remarks = " ".join(graded.remarks)
        yield f"{lesson.name}: grading the untouched lesson ended as {str(graded.status)!r}. {remarks}"


def matrix(lessons):
    """The kill matrix of the course's own exercises, as Markdown."""
    every = {lesson.name: exercises_of(lesson) for lesson in lessons}
    of = {id(exercise): own for own in every.values() for exercise in own.values()}

    def row(exercise, mistake):
        with using(of[id(exercise)]):
            return checked_row(exercise, mistake)

    return kill_matrix(row, {name: own.values() for name, own in every.items() if own}, INTRODUCTION)
