"""From solutions/ to lessons/: what a student opens is made here, and nowhere else.

``release`` runs nbgrader's own GenerateAssignment in a temporary folder, puts the result in canonical
form, and refuses to hand out a lesson in which anything of the solution or a mark scheme is left.
``check`` compares instead of writing. ``tidy`` puts the solutions themselves in canonical form, so that
two people's edits differ only where they changed something.
"""

import logging
import re
import tempfile
from itertools import pairwise
from pathlib import Path

import nbformat
from traitlets.config import Config

from autograder.course import CourseError, all_lessons, write_atomically
from autograder.spec import KERNELSPEC

CODE_STUB = {"python": "raise NotImplementedError"}
TEXT_STUB = "*Write your answer here.*"
MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN MARK SCHEME", "END MARK SCHEME", "HIDDEN TESTS")
CELL_METADATA = ("nbgrader", "tags", "deletable", "editable")
WIDGETS = "application/vnd.jupyter.widget"
SHORT_WORD = re.compile(r"[a-z][a-z0-9_-]{1,39}")
MACHINE_ID = re.compile(r"(?=.*\d)[0-9a-f]{6,}(-[0-9a-f]{4,})*|[0-9a-f]{8}")


class ReleaseError(CourseError):
    """A solution that cannot be released, and why."""


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
    return to_text(notebook)


def read_solution(lesson):
    """The solution's notebook, or one sentence on why there is none."""
    try:
        return nbformat.read(lesson.solution_path, as_version=4)
    except FileNotFoundError:
        raise ReleaseError(f"The solution {lesson.solution_path} is missing.") from None
    except Exception as error:
        raise ReleaseError(f"The solution {lesson.solution_path} is no notebook: {error}") from error


def release(course, lessons=None):
    """Write the lessons, and the lists of them, that changed; returns their paths.

    Stray files are left to `check` to name.
    """
    from autograder import overview

    written = []
    for lesson in lessons or all_lessons(course):
        text = build_lesson(lesson)
        if not lesson.lesson_path.is_file() or lesson.lesson_path.read_text() != text:
            write_atomically(lesson.lesson_path, text)
            written.append(lesson.lesson_path)
    for path, content in overview.files(course, all_lessons(course)).items():
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
            written.append(path)
    return written


def check(course, lessons=None):
    """One sentence for each lesson or solution that is not as `release` and `tidy` would leave it."""
    every = all_lessons(course)
    problems = []
    expected = {lesson.lesson_path for lesson in every if lesson.solution_path.is_file()}
    for lesson in lessons or every:
        try:
            text = build_lesson(lesson)
            if tidy_text(lesson) != lesson.solution_path.read_text():
                problems.append(
                    f"untidy: {lesson.solution_path.relative_to(course)} (run `unrolled release --tidy`)"
                )
        except ReleaseError as error:
            problems.append(f"wrong: {error}")
            continue
        path = lesson.lesson_path
        if not path.is_file():
            problems.append(f"missing: {path.relative_to(course)} (run `unrolled release`)")
        elif path.read_text() != text:
            problems.append(f"changed: {path.relative_to(course)} (run `unrolled release`)")
    if lessons is None:
        told = _overview(course, problems)
        expected |= told.keys()
        for path, content in told.items():
            if not path.is_file() or path.read_bytes() != content:
                problems.append(f"changed: {path.relative_to(course)} (run `unrolled release`)")
        ignored = {".ipynb_checkpoints", "__pycache__"}
        for path in sorted((course / "lessons").rglob("*")):
            if path.is_file() and path not in expected and not ignored & set(path.parts):
                problems.append(f"stray: {path.relative_to(course)} (nothing in solutions/ makes it)")
    return problems


def _overview(course, problems):
    """What overview.files says; nothing where a lesson is missing or wrong, which is said already."""
    from autograder import overview

    try:
        return overview.files(course, all_lessons(course))
    except ReleaseError as error:
        if not problems:
            problems.append(f"wrong: {error}")
        return {}


def tidy(course, lessons=None):
    """Put the solutions in canonical form; returns the paths of those that changed."""
    changed = []
    for lesson in lessons or all_lessons(course):
        text = tidy_text(lesson)
        if text != lesson.solution_path.read_text():
            write_atomically(lesson.solution_path, text)
            changed.append(lesson.solution_path)
    return changed


def tidy_text(lesson):
    """The solution's text in canonical form; raises ReleaseError where a stored output is an error."""
    notebook = read_solution(lesson)
    for index, cell in enumerate(notebook.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            raise ReleaseError(
                f"{lesson.solution_path} stores an error in cell {index} ({cell.source.strip()[:40]!r}); "
                "run the notebook again."
            )
    return to_text(canonical(notebook))


def canonical(notebook):
    """The one form in which notebooks are committed (changes ``notebook`` and returns it)."""
    asks = notebook.metadata.get("unrolled")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    if asks is not None:
        notebook.metadata["unrolled"] = asks
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken = set()
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        )
        cell.id = _unique(_cell_word(cell), taken)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [output for output in map(_canonical_output, cell.outputs) if output]
    return notebook


def _canonical_output(output):
    if output.output_type == "stream" and output.name == "stderr":
        return None
    if "execution_count" in output:
        output.execution_count = None
    if "data" in output:
        output.data = {kind: data for kind, data in output.data.items() if not kind.startswith(WIDGETS)}
        # A picture's description for screen readers is all that is kept beside it.
        output.metadata = {
            kind: {"alt": about["alt"]}
            for kind, about in output.get("metadata", {}).items()
            if kind in output.data and isinstance(about, dict) and "alt" in about
        }
        if not output.data:
            return None
    return output


def _cell_word(cell):
    """The cell's id: its grade_id, the word it already has, or one made from its first words."""
    grade_id = (cell.metadata.get("nbgrader") or {}).get("grade_id")
    if grade_id:
        return grade_id
    old = cell.get("id", "")
    if SHORT_WORD.fullmatch(old) and not MACHINE_ID.fullmatch(old):
        return old
    words = re.findall(r"[a-z]+", cell.source.lower() if cell.cell_type == "markdown" else "")
    return "-".join(words[:3])[:32] or cell.cell_type


def _unique(word, taken):
    name, number = word, 2
    while name in taken:
        name, number = f"{word}-{number}", number + 1
    taken.add(name)
    return name


def to_text(notebook):
    """The notebook as the text of its file: sorted keys, one space of indent, a last line end."""
    return nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False).rstrip("\n") + "\n"


def refuse_leaks(solution, lesson_notebook, lesson):
    """Raise ReleaseError if the lesson holds anything that only the solution should.

    The markers and outputs must be gone. Of a solution's code, two lines in a row (or the whole of a
    one-line solution) must not appear in any code cell; of a model answer or a mark scheme, no line of
    20 characters or more may appear anywhere. Shorter scraps occur by chance, and hints quote code.
    """
    for cell in solution.cells:
        if "BEGIN HIDDEN TESTS" in cell.source:
            raise ReleaseError(
                f"{lesson.name}: cell {cell.id!r} hides tests, and grading would never run them, because it "
                "runs the cells that are released; draw fresh inputs instead, as `check` does."
            )
    where = f"{lesson.name} would leak its solution"
    secrets_of_code, secrets_of_text = _secrets(solution)
    for cell in lesson_notebook.cells:
        for marker in MARKERS:
            if marker in cell.source:
                raise ReleaseError(f"{where}: cell {cell.id!r} still contains {marker!r}.")
        if cell.get("outputs"):
            raise ReleaseError(f"{where}: cell {cell.id!r} still has outputs.")
        lines = _significant(cell.source)
        for secret in secrets_of_text:
            if any(secret in line for line in lines):
                raise ReleaseError(f"{where}: cell {cell.id!r} contains {secret!r}, from a model answer.")
        if cell.cell_type == "code":
            for secret in secrets_of_code:
                if _contains_run(lines, secret):
                    raise ReleaseError(
                        f"{where}: cell {cell.id!r} contains {' / '.join(secret)!r}, from between "
                        "BEGIN SOLUTION and END SOLUTION."
                    )


def _secrets(solution):
    """What must not reach a lesson: runs of code lines, and lines of model answers."""
    code, text = [], []
    for cell in solution.cells:
        marks = cell.metadata.get("nbgrader") or {}
        if cell.cell_type == "code":
            for region in _regions(cell.source, "SOLUTION"):
                lines = _significant(region)
                code.extend(pairwise(lines))
                if len(lines) == 1 and len(lines[0]) >= 12:
                    code.append((lines[0],))
        else:
            regions = _regions(cell.source, "MARK SCHEME") + _regions(cell.source, "SOLUTION")
            if marks.get("solution") and not _regions(cell.source, "SOLUTION"):
                regions.append(cell.source)
            for region in regions:
                text.extend(line for line in _significant(region) if len(line) >= 20)
    return code, [line for line in text if not any(marker in line for marker in MARKERS)]


def _regions(source, name):
    return re.findall(rf"BEGIN {name}[^\n]*\n(.*?)\n[^\n]*END {name}", source, flags=re.DOTALL)


def _significant(source):
    lines = (line.strip() for line in source.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _contains_run(lines, run):
    width = len(run)
    return any(tuple(lines[start : start + width]) == run for start in range(len(lines) - width + 1))


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
