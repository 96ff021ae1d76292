"""A made-up class over a whole course, with everybody in it whom a report must name."""

import numpy as np

from autograder.reporting.term import Term
from rnncore.exercises import MODULES, of_lesson

NAMES = (
    "Ada Ben Cleo Dina Emre Fay Gus Hana Ivo Jun Kofi Lea Milo Nora Omar Pia Quin Rosa Sami Tess Uli Vera "
    "Wim Xenia Yuki Zoe Alma Bram Cora Dov Elif Finn"
).split()


def term(students=NAMES, seed=0):
    """Everybody has an ability of their own; Gus stopped, Hana fell, Ivo is low, Jun is often late."""
    random = np.random.default_rng(seed)
    made = Term(lessons=list(MODULES))
    for student in students:
        able = random.uniform(0.7, 0.95)
        made.shares[student] = {}
        for number, lesson in enumerate(made.lessons):
            if (student == "Gus" and number > 6) or (student == "Kofi" and number in (3, 4)):
                continue
            level = {"Ivo": 0.3}.get(student, able)
            level = 0.35 if student == "Hana" and number >= len(made.lessons) - 2 else level
            share = float(np.clip(random.normal(level, 0.07), 0, 1))
            made.shares[student][lesson] = share
            for place, exercise in enumerate(of_lesson(lesson)):
                own = float(np.clip(random.normal(share, 0.1), 0, 1))
                if number == 0 and place == 0:
                    own = 1.0
                if number == 1 and place == 0:
                    own = float(random.uniform(0.4, 0.9))  # whoever it is
                made.exercises.setdefault((lesson, exercise.name), {})[student] = own
                if own < 0.75 and exercise.mistakes:
                    mistake = exercise.mistakes[int(random.integers(len(exercise.mistakes)))]
                    told = (student, lesson, exercise.name, mistake.id, mistake.says)
                    made.mistakes.append(told)
    made.late["Jun"] = 4
    made.waiting[made.lessons[-1]] = 5
    return made
