"""How fast a class is graded, beside `nbgrader autograde`: python -m tests.benchmarks.grading

The same files on the same cores, one run of each after the other, for a small class and for larger ones.
Cells that only show something are left out of the lesson for both, since nbgrader would run them and we do
not. Stock nbgrader runs as it is installed: one process, a cold kernel for each notebook, no sandbox. Where
otter-grader is installed (its command `otter` on the path, in an environment that has ipykernel and what the
lesson imports), it grades one of the same notebooks, too. Then, in one process, the CPU time of one notebook
is split into starting the kernel, the student's cells, judging, and writing; and it is measured what somebody
waits for who has typed a command.
With ``--write docs/speed.md`` the tables become that page's last section.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import nbformat

from autograder.course.places import Workspace, find_course, find_lesson
from autograder.course.release import nbgrader_release_config, release
from autograder.course.spec import read_spec
from autograder.gradebook import database
from autograder.gradebook.configuration import quiet_log
from autograder.gradebook.writer import Writer
from autograder.intake.submissions import read_submission
from autograder.judging.submission import Task, grade_task
from autograder.sandbox.box import Limits
from autograder.sandbox.kernels import StudentKernel

LESSONS = {"03-bptt": 6.0, "09-pytorch": 10.0}  # and how many times nbgrader's throughput is aimed at
CLASSES = (12, 30, 100)
OVERHEAD = {"03-bptt": 0.12, "09-pytorch": 0.18}  # seconds of CPU beside the student's own cells
FIRST_ROW, HELP = 2.5, 0.3  # seconds: from Enter to the first student's row, and for `unrolled --help`
UNROLLED, NBGRADER = (str(Path(sys.executable).with_name(name)) for name in ("unrolled", "nbgrader"))


def course_without_experiments(lesson, folder):
    """A course in ``folder`` with this one lesson, without the cells that only show something."""
    notebook = nbformat.read(lesson.solution_path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "experiment" not in cell.metadata.get("tags", ())]
    path = folder / "solutions" / lesson.name / f"{lesson.notebook}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    release(folder)
    return find_lesson(folder, lesson.name)


def hand_in(lesson, submitted, students):
    """Every student hands in the solved lesson."""
    for number in range(students):
        path = submitted / f"student{number:03d}" / lesson.name / f"{lesson.notebook}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(lesson.solution_path.read_bytes())


def stock(lesson, folder, students):
    """Seconds that `nbgrader autograde` takes for a class."""
    root = folder / f"stock-{students}"
    source = root / "source" / lesson.name
    source.mkdir(parents=True)
    (source / f"{lesson.notebook}.ipynb").write_bytes(lesson.solution_path.read_bytes())
    settings = nbgrader_release_config()
    lines = [f"c.{name}.{key} = {value!r}" for name, one in settings.items() for key, value in one.items()]
    (root / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *lines]))
    hand_in(lesson, root / "submitted", students)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def nbgrader(command):
        started = time.perf_counter()
        process = subprocess.run(
            [NBGRADER, command, lesson.name], cwd=root, env=environment, capture_output=True, text=True
        )
        if process.returncode:
            raise RuntimeError(f"nbgrader {command} failed: {process.stderr[-2000:]}")
        return time.perf_counter() - started

    nbgrader("generate_assignment")
    taken = nbgrader("autograde")
    graded = len(list((root / "autograded").glob(f"*/{lesson.name}/*.ipynb")))
    assert graded == students, f"nbgrader graded {graded} of {students}"
    return taken


def stock_for(lesson, folder, classes, sample):
    """{students: seconds} of nbgrader for ``classes``; above ``sample`` by the line through two smaller ones.

    It grades one notebook after another in one process, so that is a line: a start, and so much for each.
    """
    small, large = max(1, min(*classes, sample) // 4), min(max(classes), sample)
    taken = {
        students: stock(lesson, folder, students)
        for students in {small, large, *classes}
        if students <= sample
    }
    each = (taken[large] - taken[small]) / (large - small)
    return {students: taken.get(students, taken[large] + each * (students - large)) for students in classes}


def command_for(lesson, root, workers):
    command = [UNROLLED, "grade", lesson.name, "--course", str(lesson.course), "--workspace", str(root)]
    return [*command, "--workers", str(workers)]


def ours(lesson, folder, students, workers):
    """Seconds that `unrolled grade` takes for the same class."""
    root = folder / f"ours-{students}"
    hand_in(lesson, root / "submitted", students)
    started = time.perf_counter()
    subprocess.run(command_for(lesson, root, workers), check=True, capture_output=True)
    taken = time.perf_counter() - started
    rows = database.standings(Workspace(root), read_spec(lesson.lesson_path))
    assert len(rows) == students and len({score for score, _ in rows.values()}) == 1, rows
    return taken


def first_row(lesson, folder, workers, students=12, times=3):
    """Seconds from Enter to the first student's result, in a workspace that there is; the median."""
    root = folder / "first-row"
    hand_in(lesson, root / "submitted", students)
    subprocess.run(command_for(lesson, root, workers), check=True, capture_output=True)
    results = root / "results" / lesson.name
    taken = []
    for _ in range(times):
        last = max(path.stat().st_mtime_ns for path in results.glob("*.json"))
        started = time.perf_counter()
        command = [*command_for(lesson, root, workers), "--force"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while all(path.stat().st_mtime_ns <= last for path in results.glob("*.json")):
                assert process.poll() is None, "grading ended without a row"
                time.sleep(0.005)
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def help_seconds(times=5):
    """Seconds of CPU that `unrolled --help` takes; the median."""
    taken = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([UNROLLED, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(taken)


OTTER_TEST = """OK_FORMAT = True
test = {{"name": {name!r}, "points": {points!r}, "suites": [{{"cases": [{{"code": {code!r}, "hidden": False,
"locked": False}}], "scored": True, "setup": "", "teardown": "", "type": "doctest"}}]}}
"""


def otter(lesson, folder, times=3):
    """Seconds that `otter run`, otter-grader's grading without containers, takes for a notebook; the median.

    Its tests are our checks, each made once, after the notebook has run. None where it is not installed.
    """
    command = shutil.which("otter")
    if command is None:
        return None
    folder = folder / "otter"
    for name in ("tests", "out"):
        (folder / name).mkdir(parents=True)
    tests = {
        cell.grade_id: cell.points for cell in read_spec(lesson.lesson_path).cells if cell.kind == "test"
    }
    notebook = nbformat.read(lesson.solution_path, as_version=4)
    marks = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    notebook.cells = [cell for cell, name in zip(notebook.cells, marks, strict=True) if name not in tests]
    nbformat.write(notebook, folder / "submission.ipynb")
    for grade_id, points in tests.items():
        name = grade_id.removesuffix("-check")
        call = f"check({name}, points={points}).earned == {points}"
        code = f">>> from rnncore.check import check\n>>> {call}\nTrue"
        text = OTTER_TEST.format(name=name, points=points, code=code)
        (folder / "tests" / f"{name}.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = {"cwd": folder, "env": environment, "check": True, "capture_output": True}
    plain = ["--no-config", "--no-requirements", "--no-environment"]
    subprocess.run([command, "generate", "-t", "tests", "-o", "autograder.zip", *plain], **words)
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run([command, "run", "submission.ipynb", "-a", "autograder.zip", "-o", "out"], **words)
        taken.append(time.perf_counter() - started)
    scored = json.loads((folder / "out" / "results.json").read_text())["tests"]
    earned = sum(test.get("score", 0) for test in scored)
    assert earned == sum(tests.values()), f"otter gave {earned} of {sum(tests.values())} points"
    return statistics.median(taken)


PARTS_OF = {"__init__": "start", "run": "student", "ask": "judge"}  # what StudentKernel's methods are for


class Split:
    """CPU seconds of grading in this process and in the kernels that it talks to, by what they were for."""

    def __init__(self):
        self.seconds = dict.fromkeys(("start", "student", "judge", "writing"), 0.0)
        self._kept = {name: getattr(StudentKernel, name) for name in PARTS_OF}
        self._inside = 0.0

    def __enter__(self):
        for name, part in PARTS_OF.items():
            setattr(StudentKernel, name, self._measured(self._kept[name], part))
        return self

    def __exit__(self, *_):
        for name, method in self._kept.items():
            setattr(StudentKernel, name, method)

    def _measured(self, method, part):
        def measured(kernel, *arguments, **named):
            here, there = time.process_time(), cpu_of(kernel)
            try:
                return method(kernel, *arguments, **named)
            finally:
                spent = time.process_time() - here + max(0.0, cpu_of(kernel) - there)
                self.seconds[part] += spent
                self._inside += time.process_time() - here

        return measured

    def notebook(self, task, writer):
        """Grade and write one submission."""
        self._inside, started = 0.0, time.process_time()
        graded = grade_task(task)
        between = time.process_time()
        writer.write(task.submission.student, None, graded, {})
        self.seconds["writing"] += time.process_time() - between
        # Between the questions the judge draws inputs and compares; the rest is reading and rescuing.
        self.seconds["judge"] += between - started - self._inside
        return graded


def cpu_of(kernel):
    """CPU seconds that the kernel's processes have used so far."""
    contained = getattr(getattr(getattr(kernel, "manager", None), "provisioner", None), "contained", None)
    spent = 0
    for pid in contained.pids() if contained else ():
        try:
            spent += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        except OSError:
            continue
    return spent / 1e9


def split(lesson, folder, students=12):
    """Median CPU seconds of one warm notebook, by part."""
    workspace, spec = Workspace(folder / "split"), read_spec(lesson.lesson_path)
    hand_in(lesson, workspace.submitted, students + 2)
    quiet_log()
    with Writer(workspace, spec) as writer:
        rows = []
        for path in sorted(workspace.submitted.iterdir()):
            task = Task(read_submission(path, lesson), spec, Limits(), workspace.secret(), True, True)
            with Split() as measured:
                measured.notebook(task, writer)
            rows.append(measured.seconds)
    return {part: statistics.median(row[part] for row in rows[2:]) for part in rows[0]}


def rows(names, classes, sample):
    """The rows of the three tables, each printed as soon as it is there."""
    tables = throughput, parts, waits = [], [], []
    said = help_seconds()
    waits.append(["`unrolled --help`, CPU", "", aimed(said, HELP)])
    for name in names:
        lesson = find_lesson(find_course(), name)
        with tempfile.TemporaryDirectory(prefix="unrolled-speed-") as folder:
            folder = Path(folder)
            plain = course_without_experiments(lesson, folder / "course")
            theirs = stock_for(plain, folder, classes, sample)
            for students in classes:
                mine = ours(plain, folder, students, 2)
                ratio = theirs[students] / mine
                aim = LESSONS.get(name, 6.0)
                missed = "" if ratio >= aim else ", missed"
                cells = [f"{seconds / students:.2f}" for seconds in (theirs[students], mine)]
                throughput.append([name, str(students), *cells, f"{ratio:.1f} (target {aim:g}{missed})"])
                print("  ".join(throughput[-1]), flush=True)
            try:
                with_otter, why = otter(plain, folder), "is not installed here"
            except subprocess.CalledProcessError as failed:
                *_, last = failed.stderr.decode().splitlines() or [""]
                with_otter, why = None, f"does not run here ({last})"
            if with_otter is None:
                print(f"otter-grader {why}, so nothing is said of it.")
            else:
                throughput.append([f"{name}, `otter run`", "1", f"{with_otter:.2f}", "", ""])
            spent = split(plain, folder)
            overhead = sum(spent.values()) - spent["student"]
            cells = [f"{1e3 * seconds:.0f}" for seconds in spent.values()]
            parts.append([name, *cells, aimed(1e3 * overhead, 1e3 * OVERHEAD.get(name, 0.12), ".0f")])
            waits.append(["from Enter to the first row", name, aimed(first_row(plain, folder, 2), FIRST_ROW)])
            print("  ".join(parts[-1]), "  ".join(waits[-1]), sep="\n", flush=True)
    return tables


def aimed(value, aim, form=".2f"):
    """A number that should be at most ``aim``, and whether it is."""
    return f"{value:{form}} (target {aim:g}{'' if value <= aim else ', missed'})"


def section_of(path):
    """The section on grading of a page, from its title to the end of the page; nothing if there is none."""
    text = path.read_text() if path.is_file() else ""
    start = text.find(TITLE)
    return text[start:] if start >= 0 else ""


def main():
    from tests.benchmarks.layers import table

    parser = argparse.ArgumentParser(description="Time grading beside nbgrader autograde.")
    parser.add_argument("--lessons", default=",".join(LESSONS), help="which, separated by commas")
    parser.add_argument("--classes", default=",".join(map(str, CLASSES)), help="how many students, each time")
    parser.add_argument(
        "--sample", type=int, default=30, help="the largest class that nbgrader grades itself"
    )
    parser.add_argument("--write", type=Path, help="a Markdown file with a section for the tables")
    options = parser.parse_args()
    classes = [int(students) for students in options.classes.split(",")]
    throughput, parts, waits = rows(options.lessons.split(","), classes, options.sample)
    tables = {
        "throughput": table(THROUGHPUT, throughput),
        "parts": table(PARTS, parts),
        "waits": table(WAITS, waits),
    }
    print(*tables.values(), sep="\n\n")
    if options.write:
        text = options.write.read_text().removesuffix(section_of(options.write))
        measured = {"sample": options.sample, "version": metadata.version("nbgrader"), **tables}
        options.write.write_text(text + SECTION.format(**measured))


THROUGHPUT = ["lesson", "class", "nbgrader, s", "ours, s", "nbgrader / ours"]
PARTS = ["lesson", "start, ms", "student's cells, ms", "judge, ms", "writing, ms", "all but the cells, ms"]
WAITS = ["what", "lesson", "seconds"]
TITLE = "\n## Grading a class\n"
SECTION = (
    TITLE
    + """
Written by `python -m tests.benchmarks.grading --write docs/speed.md`. Seconds for each notebook, on the same
two cores: `nbgrader autograde` ({version}, as it is installed: one process, a new kernel for each notebook,
no sandbox), and `unrolled grade --workers 2`, start-up and a new gradebook included for both, all of the
notebooks right. Classes of more than {sample} nbgrader does not grade itself: its time is a start and so much
for each notebook, and is reckoned from smaller ones. Cells that only show something are left out for both.
Where there is a row of `otter run`, that is otter-grader's way of grading one notebook without containers and
without a sandbox; its tests are our checks.

{throughput}

The CPU time of one notebook, graded warm: what starting its kernel takes, the student's own cells, judging
(drawing inputs, calling, comparing), and writing (file and gradebook), in this process and in the kernel.

{parts}

What somebody waits for who has typed a command; the first row is that of a class of 12 in a workspace that
there is, all of it graded anew.

{waits}
"""
)

if __name__ == "__main__":
    main()
