"""From solutions/ to lessons/: what a student opens is made here, and nowhere else.

``release`` runs nbgrader's own GenerateAssignment in a temporary folder, puts the result in canonical
form (``solutions``), and refuses to hand out a lesson in which anything of the solution or a mark scheme is
left (``leaks``). ``check`` compares instead of writing.
"""

import logging
import tempfile
from pathlib import Path

import nbformat
from traitlets.config import Config

from autograder.course import contents
from autograder.course.leaks import refuse_leaks
from autograder.course.places import all_lessons, write_atomically
from autograder.course.solutions import (
    ReleaseError,
    canonical,
    points_of_check,
    read_solution,
    tidy_text,
    to_text,
)
from autograder.course.spec import SpecError, cell_kind, read_exercises

CODE_STUB = {"python": "raise NotImplementedError"}
TEXT_STUB = "*Write your answer here.*"


def nbgrader_release_config():
    """How GenerateAssignment makes a lesson; shared with the workspace's nbgrader_config."""
    config = Config()
    config.ClearSolutions.code_stub = dict(CODE_STUB)
    config.ClearSolutions.text_stub = TEXT_STUB
    # nbgrader allows mark schemes in "task" cells only; ours sit in ordinary written answers.
    config.ClearMarkScheme.enforce_metadata = False
    return config


def build_lesson(lesson):
    """The text of the lesson that the solution makes; raises ReleaseError if anything would leak."""
    solution = read_solution(lesson)
    # Importing nbgrader takes a second, which `unrolled --help` should not.
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    with tempfile.TemporaryDirectory(prefix="unrolled-release-") as folder:
        source = Path(folder, "source", lesson.name, f"{lesson.notebook}.ipynb")
        source.parent.mkdir(parents=True)
        nbformat.write(solution, source)
        config = nbgrader_release_config()
        config.CourseDirectory.root = folder
        config.CourseDirectory.assignment_id = lesson.name
        config.CourseDirectory.db_url = "sqlite://"
        # no_database alone still opens the database, through this preprocessor.
        config.SaveCells.enabled = False
        converter = GenerateAssignment(
            coursedir=CourseDirectory(config=config), config=config, no_database=True
        )
        converter.log = _Collector()
        try:
            converter.start()
        except Exception as error:
            said = converter.log.last_sentence() or str(error)
            raise ReleaseError(f"nbgrader cannot release {lesson.solution_path}: {said}") from error
        made = Path(folder, "release", lesson.name, source.name)
        notebook = nbformat.read(made, as_version=4)
    canonical(notebook)
    refuse_leaks(solution, notebook, lesson)
    refuse_two_numbers_of_points(notebook, lesson)
    return to_text(notebook)


def refuse_two_numbers_of_points(notebook, lesson):
    """Raise ReleaseError where a student reads other points in a check than nbgrader will give for it."""
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader") or {}
        said = points_of_check(cell.source) if cell_kind(cell) == "test" else None
        if said is not None and said != marks.get("points"):
            raise ReleaseError(
                f"{lesson.name}: the cell {marks.get('grade_id')!r} says check(..., points={said:g}) and its "
                f"metadata {marks.get('points', 0):g} points; `unrolled release --tidy` makes them the same."
            )


def build(lesson):
    """{path: text} of what a lesson is handed out as: its notebook, and the exercises of its own."""
    made = {lesson.lesson_path: build_lesson(lesson)}
    try:
        exercises = read_exercises(lesson.own_exercises)
    except SpecError as error:
        raise ReleaseError(str(error)) from None
    return made | ({lesson.released_exercises: exercises} if exercises else {})


def release(course, lessons=None, begin=lambda lesson: None, dry_run=False):
    """Write the lessons, and the lists of them, that changed; returns their paths.

    ``begin(lesson)`` follows the progress. ``dry_run``: write nothing, and return what would be written.
    Stray files are left to `check` to name.
    """
    written = []
    for lesson in lessons or all_lessons(course):
        begin(lesson)
        for path, text in build(lesson).items():
            if not path.is_file() or path.read_text("utf-8") != text:
                if not dry_run:
                    write_atomically(path, text)
                written.append(path)
    for path, content in contents.files(course, all_lessons(course)).items():
        if not path.is_file() or path.read_bytes() != content:
            if not dry_run:
                write_atomically(path, content)
            written.append(path)
    return written


def check(course, lessons=None):
    """One sentence for each lesson or solution that is not as `release` and `tidy` would leave it."""
    every = all_lessons(course)
    problems = []
    expected = {lesson.lesson_path for lesson in every if lesson.solution_path.is_file()}
    expected |= {lesson.released_exercises for lesson in every if lesson.own_exercises.is_file()}
    for lesson in lessons or every:
        try:
            made = build(lesson)
            if tidy_text(lesson) != lesson.solution_path.read_text():
                problems.append(
                    f"untidy: {lesson.solution_path.relative_to(course)} (run `unrolled release --tidy`)"
                )
        except ReleaseError as error:
            problems.append(f"wrong: {error}")
            continue
        for path, text in made.items():
            if not path.is_file():
                problems.append(f"missing: {path.relative_to(course)} (run `unrolled release`)")
            elif path.read_text("utf-8") != text:
                problems.append(f"changed: {path.relative_to(course)} (run `unrolled release`)")
    if lessons is None:
        told = _contents(course, problems)
        expected |= told.keys()
        for path, content in told.items():
            if not path.is_file() or path.read_bytes() != content:
                problems.append(f"changed: {path.relative_to(course)} (run `unrolled release`)")
        ignored = {".ipynb_checkpoints", "__pycache__"}
        for path in sorted((course / "lessons").rglob("*")):
            if path.is_file() and path not in expected and not ignored & set(path.parts):
                problems.append(f"stray: {path.relative_to(course)} (nothing in solutions/ makes it)")
    return problems


def _contents(course, problems):
    """What contents.files says; nothing where a lesson is missing or wrong, which is said already."""
    try:
        return contents.files(course, all_lessons(course))
    except ReleaseError as error:
        if not problems:
            problems.append(f"wrong: {error}")
        return {}


class _Collector(logging.Logger):
    """A logger that keeps what nbgrader says, for the one sentence of an error."""

    def __init__(self):
        super().__init__("unrolled.release")
        self.sentences = []
        self.propagate = False

    def handle(self, record):
        if record.levelno >= logging.ERROR:
            self.sentences.append(record.getMessage())

    def last_sentence(self):
        """The exception that nbgrader logged, which says more than the one it raises."""
        for text in self.sentences:
            if "Traceback" in text:
                return text.strip().splitlines()[-1]
        return None
