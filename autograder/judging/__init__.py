"""One submission judged: from a notebook of ours to points, verdicts and pages that are safe to show.

``submission`` is the way in, for workers and for nbgrader alike; ``notebook`` runs the cells, ``judge`` the
test cells, in this trusted process; ``sanitise`` cleans what people will see; ``graded`` and ``status`` are
what comes out. All of it is plain data in and out: no gradebook, no workspace, no other submission.
"""
