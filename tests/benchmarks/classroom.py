"""A class of 500, one in ten broken, hostile or endless, with the run killed on the way.

    python -m tests.benchmarks.classroom --students 500 --kills 3

Grades lesson 03 with `unrolled grade`, kills the whole run without warning as often as asked, at moments
spread over the class, and runs it again until it ends. Prints the memory of the parent as the class goes
on, of the fullest worker (its process, the nursery and the kernel in it, shared pages counted once), and
whether everybody has the row that they must have.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np

from autograder.classroom import demo
from autograder.course.places import Workspace, find_course, find_lesson, write_atomically
from autograder.course.spec import read_spec
from autograder.gradebook import database
from autograder.gradebook.results import read_results
from rnncore.exercises import of_lesson

UNROLLED = str(Path(sys.executable).with_name("unrolled"))
# Of the demo's class: who is broken, hostile or endless.
TROUBLE = (
    *("Lena Fischer", "Mateo Garcia", "Nora Haugen", "Omar Siddiqui", "Priya Nair", "Tomas Novak"),
    "Uma Krishnan",
)
MIB = 2**20


def write_class(lesson, workspace, students, rng):
    """Nine of ten are right, or made one or two known mistakes; returns {student: what they handed in}."""
    released = nbformat.read(lesson.lesson_path, as_version=4)
    troubles = {name: demo.students()[name](released) for name in TROUBLE}
    exercises = of_lesson(lesson.name)
    kinds = {}
    for number in range(students):
        name = f"student{number:04d}"
        if number % 10 == 7:
            kind = TROUBLE[number // 10 % len(TROUBLE)]
            raw = troubles[kind]
        else:
            made = {int(rng.integers(len(exercises))): int(rng.integers(60)) for _ in range(rng.integers(3))}
            answers, ids = {}, []
            for place, exercise in enumerate(exercises):
                mistakes = [exercise.mistakes[made[place] % len(exercise.mistakes)]] if place in made else []
                answers[exercise.name] = exercise.twin_source(*mistakes)
                ids += [f"{exercise.name}: {mistake.id}" for mistake in mistakes]
            kind = ", ".join(ids)
            raw = demo.filled(answers)(released)
        kinds[name] = kind or "right"
        write_atomically(workspace.submitted / name / lesson.name / f"{lesson.notebook}.ipynb", raw)
    return kinds


# Memory ------------------------------------------------------------------------------------------------


def children(pid):
    """The processes that this one started and that are still its children."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        lines = [Path(f"/proc/{pid}/task/{task}/children").read_text() for task in tasks]
    except OSError:
        return []
    return [int(one) for line in lines for one in line.split()]


def below(pid):
    """A process and everything that it started."""
    return [pid, *(one for child in children(pid) for one in below(child))]


def held(pid, what="Pss"):
    """Bytes of memory of one process; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(what + ":")), 0)


def workers_memory(parent):
    """Bytes that each worker holds, with the nursery and the kernels in it."""
    found = []
    for worker in children(parent):
        processes = below(worker)
        if len(processes) > 1:  # else it is no worker, or an idle one
            found.append(sum(map(held, processes)))
    return found


# The run -----------------------------------------------------------------------------------------------


def graded_so_far(workspace, lesson):
    return len(list((workspace.results / lesson.name).glob("*.json")))


def run(lesson, workspace, workers, stop_at):
    """Grade until the end, or until ``stop_at`` results are there; then everything is killed at once.

    Returns whether it ended by itself, [(results, bytes of the parent)], and each second's fullest worker.
    """
    command = [UNROLLED, "grade", lesson.name, "--workspace", str(workspace.root), "--workers", str(workers)]
    process = subprocess.Popen(
        [*command, "--course", str(lesson.course)], stdout=subprocess.DEVNULL, start_new_session=True
    )
    parent, worker = [], []
    while process.poll() is None:
        done = graded_so_far(workspace, lesson)
        parent.append((done, held(process.pid, "Rss")))
        worker.append(max(workers_memory(process.pid), default=0))
        if stop_at is not None and done >= stop_at:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False, parent, worker
        time.sleep(1.0)
    if process.returncode:
        raise RuntimeError(f"unrolled grade ended with status {process.returncode}")
    return True, parent, worker


def main():
    parser = argparse.ArgumentParser(description="Grade a large class, and kill the run on the way.")
    parser.add_argument("--students", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--lesson", default="03-bptt")
    options = parser.parse_args()
    lesson = find_lesson(find_course(), options.lesson)
    with tempfile.TemporaryDirectory(prefix="unrolled-class-") as folder:
        workspace = Workspace(Path(folder))
        kinds = write_class(lesson, workspace, options.students, np.random.default_rng(0))
        stops = [options.students * (one + 1) // (options.kills + 1) for one in range(options.kills)]
        started, fullest = time.monotonic(), []
        for stop_at in (*stops, None):
            ended, parent, worker = run(lesson, workspace, options.workers, stop_at)
            fullest += worker
            size = [f"{done}: {held / MIB:.0f}" for done, held in parent[:: max(1, len(parent) // 6)]]
            print(
                f"{'ended' if ended else 'killed'}; results: MiB of the parent  {', '.join(size)}", flush=True
            )
        seconds = time.monotonic() - started
        report(lesson, workspace, kinds)
        middle, high, most = (np.quantile(fullest, part) / MIB for part in (0.5, 0.9, 1.0))
        print(f"fullest worker, MiB: median {middle:.0f}, nine tenths of the time below {high:.0f},", end=" ")
        print(f"most {most:.0f} (a memory hog is stopped at its limit)")
        print(f"{seconds:.0f} s, {seconds / len(kinds):.2f} s a notebook")


def report(lesson, workspace, kinds):
    """Print how the class ended; raises AssertionError where a row is missing or not as it must be."""
    spec = read_spec(lesson.lesson_path)
    results, rows = read_results(workspace, spec), database.standings(workspace, spec)
    assert results.keys() == rows.keys() == kinds.keys(), "somebody has no row"
    scores = {}
    for name, kind in kinds.items():
        assert results[name]["score"] == rows[name][0], name
        scores.setdefault(kind, set()).add((results[name]["status"], rows[name][0]))
    unequal = {kind: found for kind, found in scores.items() if len(found) > 1}
    print(f"{len(rows)} rows; the same work with different results: {unequal or 'none'}")
    print(Counter(one["status"] for one in results.values()))
    for kind in ("right", *TROUBLE):
        print(f"  {kind}: {sorted(scores.get(kind, []))}")


if __name__ == "__main__":
    main()
