"""How fast a class is graded, beside `nbgrader autograde`: python -m tests.benchmarks.grading

The same files on the same cores, one run of each after the other. Cells that only show something are
left out of the lesson for both, since nbgrader would run them and we do not. Stock nbgrader runs as it is
installed: one process, a cold kernel for each notebook, no sandbox. Then, in one process, the CPU time of
one notebook is split into starting the kernel, the student's cells, judging, and writing.
With ``--write docs/speed.md`` the tables become that page's last section.
"""

import argparse
import os
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
OVERHEAD = 0.15
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
    root = folder / "stock"
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


def ours(lesson, folder, students, workers):
    """Seconds that `unrolled grade` takes for the same class."""
    root = folder / f"ours-{workers}"
    hand_in(lesson, root / "submitted", students)
    command = [UNROLLED, "grade", lesson.name, "--course", str(lesson.course), "--workspace", str(root)]
    started = time.perf_counter()
    subprocess.run([*command, "--workers", str(workers)], check=True, capture_output=True)
    taken = time.perf_counter() - started
    rows = database.standings(Workspace(root), read_spec(lesson.lesson_path))
    assert len(rows) == students and len({score for score, _ in rows.values()}) == 1, rows
    return taken


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


def rows(names, students, sample):
    """The rows of both tables, each printed as soon as it is there."""
    throughput, parts = [], []
    for name in names:
        lesson = find_lesson(find_course(), name)
        with tempfile.TemporaryDirectory(prefix="unrolled-speed-") as folder:
            folder = Path(folder)
            plain = course_without_experiments(lesson, folder / "course")
            theirs = stock(plain, folder, sample) / sample
            mine = ours(plain, folder, students, 2) / students
            aim = LESSONS.get(name, 6.0)
            said = f"{theirs / mine:.1f} (target {aim:g}{'' if theirs / mine >= aim else ', missed'})"
            throughput.append([name, f"{theirs:.2f}", f"{mine:.2f}", said])
            spent = split(plain, folder)
            overhead = sum(spent.values()) - spent["student"]
            missed = "" if overhead <= OVERHEAD else ", missed"
            cells = [f"{1e3 * seconds:.0f}" for seconds in spent.values()]
            parts.append([name, *cells, f"{1e3 * overhead:.0f} (target {1e3 * OVERHEAD:.0f}{missed})"])
            print("  ".join(throughput[-1]), "  ".join(parts[-1]), sep="\n", flush=True)
    return throughput, parts


def section_of(path):
    """The section on grading of a page, from its title to the end of the page; nothing if there is none."""
    text = path.read_text() if path.is_file() else ""
    start = text.find(TITLE)
    return text[start:] if start >= 0 else ""


def main():
    from tests.benchmarks.layers import table

    parser = argparse.ArgumentParser(description="Time grading beside nbgrader autograde.")
    parser.add_argument("--lessons", default=",".join(LESSONS), help="which, separated by commas")
    parser.add_argument("--students", type=int, default=100, help="how many notebooks we grade")
    parser.add_argument("--sample", type=int, default=12, help="how many of them nbgrader grades")
    parser.add_argument("--write", type=Path, help="a Markdown file with a section for the tables")
    options = parser.parse_args()
    throughput, parts = rows(options.lessons.split(","), options.students, options.sample)
    tables = {"throughput": table(THROUGHPUT, throughput), "parts": table(PARTS, parts)}
    print(*tables.values(), sep="\n\n")
    if options.write:
        text = options.write.read_text().removesuffix(section_of(options.write))
        measured = {
            "students": options.students,
            "sample": options.sample,
            "version": metadata.version("nbgrader"),
            **tables,
        }
        options.write.write_text(text + SECTION.format(**measured))


THROUGHPUT = ["lesson", "nbgrader, s", "ours, s", "nbgrader / ours"]
PARTS = ["lesson", "start, ms", "student's cells, ms", "judge, ms", "writing, ms", "all but the cells, ms"]
TITLE = "\n## Grading a class\n"
SECTION = (
    TITLE
    + """
Written by `python -m tests.benchmarks.grading --write docs/speed.md`. Seconds for each notebook, on the same
two cores: `nbgrader autograde` ({version}, as it is installed: one process, a new kernel for each notebook,
no sandbox) on {sample} of them, and `unrolled grade --workers 2` on a class of {students}, start-up and a new
gradebook included, all of them right. Cells that only show something are left out for both.

{throughput}

The CPU time of one notebook, graded warm: what starting its kernel takes, the student's own cells, judging
(drawing inputs, calling, comparing), and writing (file and gradebook), in this process and in the kernel.

{parts}
"""
)

if __name__ == "__main__":
    main()
