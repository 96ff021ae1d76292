"""Grading what arrives: look, collect, grade, write feedback, and look again.

It is a loop over what there is already, and remembers nothing that a restart would miss: the results say who
is to be graded, the pages who has none, and each is written last. Only how often a student was graded in the
last day is kept besides, in watched/LESSON.json. One worker grades, and a few notebooks a look, so that
whoever comes late waits for those few only.
"""

import json
import os
import time
from collections import defaultdict
from datetime import UTC, datetime

from autograder.classroom import runner
from autograder.course.places import FULL, CourseError, write_atomically
from autograder.course.spec import read_spec
from autograder.gradebook import database
from autograder.gradebook.configuration import instructors_config, limits_of
from autograder.gradebook.due import due, handed_in, is_told
from autograder.gradebook.results import CHANGED, feedback_path, read_results
from autograder.intake.collect import CHANGES, NothingThere, collect
from autograder.intake.naming import said
from autograder.judging.status import Status

FAILED, NEW, ANEW, LATER = "the grader failed", "new", CHANGED["submission"], CHANGED["received"]
ARRIVED = (
    NEW,
    ANEW,
    LATER,
    FAILED,
)  # why a submission is graded here; for all else there is `unrolled grade`
COUNTED = (NEW, ANEW)  # what a student's limit is about
FAULT = Status.INFRASTRUCTURE_FAULT
DAY = 24 * 3600
BATCH = 8  # notebooks in a round
SETTLE, MOST_SETTLING = 1.0, 30  # seconds between two looks at a folder that is being written to; how often
PAUSE = 600  # seconds before what failed is tried again
WAITING = "waiting.txt"  # beside the feedback page, until the next one is written


class Watch:
    """Grades what arrives for some lessons of a course, look by look.

    ``source``: where it arrives, as for ``collect``; None: somebody else puts it into submitted/.
    ``at_most``: how often one student's lesson is graded in 24 hours. ``say``: prints a sentence. ``once``:
    whether nobody looks again, so that what hinders it now is raised. ``options`` go to the runner.
    """

    def __init__(
        self,
        workspace,
        course,
        lessons,
        source,
        *,
        at_most,
        say,
        yes=False,
        once=False,
        now=time.time,
        **options,
    ):
        self.once = once
        self.workspace, self.course, self.lessons, self.source = workspace, course, lessons, source
        self.at_most, self.say, self.yes, self.now, self.options = at_most, say, yes, now, options
        self._seen, self._told = {}, defaultdict(set)
        self._again, self._failed = {}, {}  # when to look again at a lesson, and at a student's

    def look(self):
        """Look once at every lesson; returns how many submissions were graded."""
        arriving = _settled(self.source)
        return sum(self._look_at(lesson, arriving) for lesson in self.lessons)

    def _look_at(self, lesson, arriving):
        try:
            return self._grade(lesson, arriving)
        except CourseError as error:  # in use, say: it may be over at the next look
            if self.once:
                raise
            self._once(lesson, str(error))
            self._seen.pop(lesson.name, None)
            return 0

    def _grade(self, lesson, arriving):
        spec = read_spec(lesson.lesson_path)
        named = [one for one in arriving if len(self.lessons) == 1 or lesson.name in one[0]]
        before = (spec.release_hash, named, self._lying(lesson))
        if self._seen.get(lesson.name) == before and self.now() < self._again.get(lesson.name, float("inf")):
            return 0
        self._collect(lesson, spec)
        self._again.pop(lesson.name, None)
        before = (*before[:2], self._lying(lesson))
        found = due(
            self.workspace,
            lesson,
            spec,
            limits_of(instructors_config(self.workspace)),
            sandbox=self.options.get("sandbox", True),
        )
        arrived = {student: why for student, why in found.items() if why in ARRIVED}
        if others := len(found) - len(arrived):
            self._once(
                lesson,
                f"{lesson.name}: {others} were graded by another edition of the lesson or the grader; "
                f"`unrolled grade {lesson.name}` grades them again.",
            )
        ready, held = self._within_limit(lesson, arrived)
        self._write_pages(lesson, spec, ready)
        for student, free in held.items():
            self._tell_to_wait(lesson, spec, student, free)
        if ready:
            self._run(lesson, spec, ready[:BATCH], arrived)
        if len(ready) <= BATCH:
            self._seen[lesson.name] = before
        return len(ready[:BATCH])

    def _lying(self, lesson):
        return [one for one in _listing(self.workspace.submitted) if lesson.name in one[0].split(os.sep)]

    def _collect(self, lesson, spec):
        if self.source is None:
            return
        options = {"admit": lambda alike, others: self.yes, "named_only": len(self.lessons) > 1}
        try:
            with database.sole_writer(self.workspace):
                collected = collect(self.source, self.workspace, lesson, spec, **options)
        except NothingThere:
            return
        for row in collected.rows:
            if row.outcome in CHANGES:
                self.say(f"{row.student}: {lesson.name} {row.outcome}")
            for remark in row.remarks if row.outcome != "unchanged" else ():
                self._once(lesson, f"{row.student}: {remark}")
        for remark in collected.remarks:
            self._once(lesson, remark)

    def _within_limit(self, lesson, arrived):
        """(the students to grade now, who was graded least first; {student: when} of those who must wait)."""
        counts, ready, held = self._journal(lesson), [], {}
        for student, why in arrived.items():
            times = counts.get(student, [])
            failed = self._failed.get((lesson.name, student), 0)
            if why in COUNTED and len(times) >= self.at_most:
                held[student] = sorted(times)[-self.at_most] + DAY
                self._again_at(lesson, held[student])
            elif why == FAILED and self.now() < failed:
                self._again_at(lesson, failed)
            else:
                ready.append(student)
        return sorted(ready, key=lambda student: (len(counts.get(student, [])), student)), held

    def _again_at(self, lesson, when):
        self._again[lesson.name] = min(when, self._again.get(lesson.name, when))

    def _tell_to_wait(self, lesson, spec, student, free):
        when = f"{datetime.fromtimestamp(free, UTC):%Y-%m-%d %H:%M} UTC"
        path = feedback_path(self.workspace, spec, student).with_name(WAITING)
        text = (
            f"What you handed in for {lesson.name} has arrived and is kept. The lesson was graded "
            f"{self.at_most} times for you within 24 hours, and is not graded more often. After {when} the "
            "newest that you have handed in by then is graded. A page beside this text is about what you "
            "handed in before.\n"
        )
        if not path.is_file() or path.read_text() != text:
            write_atomically(path, text)
            self.say(
                f"{student}: {lesson.name} was graded {self.at_most} times in 24 hours; it waits until {when}"
            )

    def _write_pages(self, lesson, spec, ready):
        """Pages that are missing since a run was stopped, or since somebody graded in another way.

        ``ready``: those who are graded now, and have theirs then.
        """
        results = read_results(self.workspace, spec)
        missing = [
            student
            for student in handed_in(self.workspace, lesson)
            if student not in ready
            and results.get(student, {}).get("status", FAULT) != FAULT
            and not is_told(self.workspace, spec, student)
        ]
        if missing:
            with database.sole_writer(self.workspace):
                for student in missing:
                    self._write_page(lesson, spec, student)

    def _write_page(self, lesson, spec, student):
        from autograder.gradebook.feedback import write_feedback

        try:
            write_feedback(self.workspace, self.course, spec, [student])
        except CourseError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            self._once(lesson, f"There is no page for {student}: {said(error)}.")
            self._again_at(lesson, self.now() + PAUSE)

    def _run(self, lesson, spec, students, why):
        def done(result):
            student = result["student"]
            if result["status"] == FAULT:
                self._failed[lesson.name, student] = self.now() + PAUSE
                self._again_at(lesson, self.now() + PAUSE)
                self.say(f"{student}: {lesson.name} could not be graded, and is tried again later")
                return
            self._write_page(lesson, spec, student)
            if why[student] in COUNTED:
                self._count(lesson, student)
            self.say(
                f"{student}: {lesson.name} graded, {result['score']:g} of {result['max_score']:g} points"
            )

        options = {"workers": 1, **self.options, "only": students}
        runner.run(self.workspace, lesson, spec, on_result=done, **options)

    def _path(self, lesson):
        return self.workspace.root / "watched" / f"{lesson.name}.json"

    def _journal(self, lesson):
        """{student: [when graded]} of the last 24 hours."""
        try:
            data = json.loads(self._path(lesson).read_text())
        except (OSError, ValueError):
            return {}
        since = self.now() - DAY
        found = {name: [one for one in times if one > since] for name, times in data.items()}
        return {name: times for name, times in found.items() if times}

    def _count(self, lesson, student):
        counts = self._journal(lesson)
        counts.setdefault(student, []).append(self.now())
        write_atomically(self._path(lesson), json.dumps(counts, indent=1) + "\n")

    def _once(self, lesson, sentence):
        """Say what would else be said at every look."""
        if sentence not in self._told[lesson.name]:
            self._told[lesson.name].add(sentence)
            self.say(sentence)


def _settled(folder):
    """What lies in a folder, when nobody has written to it for a moment."""
    found = _listing(folder)
    for _ in range(MOST_SETTLING):
        if not found or time.time() - max(changed for _, changed, _ in found) / 1e9 > SETTLE:
            break
        time.sleep(SETTLE)
        before, found = found, _listing(folder)
        if found == before:
            break
    return found


def _listing(folder):
    """[(path, when it was changed, size)] of all files in a folder, or of one file."""
    if folder is None:
        return []
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(place, name)
            try:
                told = os.lstat(path)
            except OSError:
                continue
            found.append((path, max(told.st_mtime_ns, told.st_ctime_ns), told.st_size))
    return sorted(found)
