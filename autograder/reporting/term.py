"""A class over all lessons, as plain data: who is where, who needs a word and why, and what exercises tell.

Shares are points earned by points to be had, from 0 to 1; a lesson that somebody did not hand in is no share,
never a zero. All rules by which somebody or something is named stand here, each with its words.
"""

import statistics
from collections import defaultdict
from dataclasses import dataclass, field

from autograder.course.places import all_lessons
from autograder.course.spec import read_spec
from autograder.gradebook.database import in_short
from autograder.gradebook.results import read_results
from autograder.reporting.grades import grades
from autograder.reporting.ideas import OTHER, idea_of

USUAL = 0.5  # of the class: a lesson that so many have handed in is one that was due
MISSED = 2  # of those lessons in a row, without which somebody has stopped
FALLEN, LOW = 0.25, 0.5  # of a lesson's points: a fall, and a mean below which somebody needs help
OFTEN_LATE = 3
FEW = 8  # students with fewer of whom an exercise's numbers say nothing
EASY, HARD, APART = (
    0.95,
    0.35,
    0.15,
)  # mean shares, and the correlation below which an exercise tells nobody apart


@dataclass
class Term:
    """What is known of a class over all lessons that were graded."""

    lessons: list = field(default_factory=list)  # names, in order
    shares: dict = field(default_factory=dict)  # {student: {lesson: share, or None where nobody knows it}}
    exercises: dict = field(default_factory=dict)  # {(lesson, exercise): {student: share}}
    mistakes: list = field(default_factory=list)  # (student, lesson, exercise, id, says)
    late: dict = field(default_factory=lambda: defaultdict(int))  # {student: lessons}
    waiting: dict = field(default_factory=lambda: defaultdict(int))  # {lesson: students}

    def of_lesson(self, lesson):
        """The known shares of a lesson."""
        found = (one.get(lesson) for one in self.shares.values())
        return [share for share in found if share is not None]

    def handed_in(self, lesson):
        """How many handed a lesson in."""
        return sum(lesson in one for one in self.shares.values())

    def mean(self, student):
        """A student's mean share of what they handed in; None where there is none."""
        known = [share for share in self.shares[student].values() if share is not None]
        return statistics.mean(known) if known else None


def gather(workspace, course):
    """The Term of a workspace: all lessons of the course of which something was graded."""
    term, late = Term(), in_short(workspace)
    for lesson in all_lessons(course):
        if not lesson.lesson_path.is_file() or lesson.name not in late:
            continue
        spec = read_spec(lesson.lesson_path)
        if not read_results(workspace, spec):
            continue
        term.lessons.append(lesson.name)
        for grade in grades(workspace, spec):
            top = grade.max_score - grade.unmarked  # what nobody has read yet counts neither way
            known = grade.score is not None and top > 0
            share = min(1.0, grade.score / top) if known else None
            term.shares.setdefault(grade.student, {})[lesson.name] = share
            term.waiting[lesson.name] += grade.waits
            term.late[grade.student] += late[lesson.name].get(grade.student, (0, False))[1]
            for name, (points, most, _) in grade.parts.items() if known else ():
                if name.endswith("-check") and most:
                    exercise = lesson.name, name.removesuffix("-check")
                    term.exercises.setdefault(exercise, {})[grade.student] = min(1.0, points / most)
            for mistake in grade.mistakes:
                told = lesson.name, mistake["exercise"], mistake["id"], mistake["says"]
                term.mistakes.append((grade.student, *told))
    return term


# Who needs a word


def words_needed(term):
    """{student: sentences} on those whom somebody should talk to, those who have stopped first."""
    usual = [one for one in term.lessons if term.handed_in(one) >= USUAL * len(term.shares)]
    found = {}
    for student in term.shares:
        said = [*_stopped(term, student, usual), *_fallen(term, student), *_low(term, student)]
        if term.late[student] >= OFTEN_LATE:
            said.append(f"was late {term.late[student]} times")
        if said:
            found[student] = said
    return dict(sorted(found.items(), key=lambda one: (not one[1][0].startswith("has stopped"), one[0])))


def has_stopped(sentences):
    """Whether that is what is said of somebody."""
    return any(one.startswith("has stopped") for one in sentences)


def _stopped(term, student, usual):
    done = [one for one in term.lessons if one in term.shares[student]]
    since = [one for one in usual if one > done[-1]] if done else []
    if len(since) >= MISSED:
        yield f"has stopped: nothing since {done[-1]}"
    elif missing := [one for one in usual if one not in done and one not in since]:
        if len(missing) >= MISSED:
            yield f"has left out {', '.join(missing)}"


def _fallen(term, student):
    known = [(one, share) for one in term.lessons if (share := term.shares[student].get(one)) is not None]
    if len(known) < 4:
        return
    before = statistics.mean(share for _, share in known[:-2])
    now = statistics.mean(share for _, share in known[-2:])
    if before - now >= FALLEN:
        yield f"has fallen from {before:.0%} to {now:.0%} in the last two lessons"


def _low(term, student):
    known = [share for share in term.shares[student].values() if share is not None]
    if len(known) >= 2 and statistics.mean(known) < LOW:
        yield f"has {statistics.mean(known):.0%} of the points on average"


# What was learned of mistakes and exercises


def by_idea(term):
    """[(idea, students, [(id, says, exercise, lesson, students)])], the ideas of most students first."""
    ideas = defaultdict(lambda: defaultdict(set))
    for student, lesson, exercise, name, says in term.mistakes:
        ideas[idea_of(name)][name, says, exercise, lesson].add(student)
    found = []
    for idea, made in ideas.items():
        each = [(*mistake, len(students)) for mistake, students in made.items()]
        each.sort(key=lambda one: (-one[4], one[:4]))
        found.append((idea, len(set().union(*made.values())), each))
    return sorted(found, key=lambda one: (one[0] == OTHER, -one[1], one[0]))


def odd_exercises(term):
    """[((lesson, exercise), mean share, sentence)] of exercises that tell too little."""
    found = []
    for exercise, shares in sorted(term.exercises.items()):
        if len(shares) < FEW:
            continue
        mean = statistics.mean(shares.values())
        apart = _separates(term, exercise, shares)
        if mean >= EASY:
            says = "Nearly everybody has all of it: easy, or well taught; it does not tell who needs help."
        elif mean < HARD:
            says = "Few have much of it: hard, or the lesson before it left something out."
        elif apart is not None and apart < APART:
            says = "Those who do well elsewhere do no better here: is what it asks for clear?"
        else:
            continue
        found.append((exercise, mean, says))
    return found


def _separates(term, exercise, shares):
    """The correlation of an exercise with all others that the same students did; None if there is none."""
    others = defaultdict(list)
    for other, theirs in term.exercises.items():
        for student, share in theirs.items() if other != exercise else ():
            others[student].append(share)
    both = [(share, statistics.mean(others[one])) for one, share in shares.items() if others[one]]
    if len(both) < FEW:
        return None
    try:
        return statistics.correlation(*zip(*both, strict=True))
    except statistics.StatisticsError:  # all the same
        return None
