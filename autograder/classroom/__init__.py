"""A class of submissions: who is to be graded, by which workers, again after a fault, each written once.

In comes a workspace with submissions; out go results. ``runner`` grades a class, ``pool`` sends and sends
again; ``processes`` are this machine's workers, which a ``zygote`` forks and each of which runs ``worker``,
and ``cluster`` those of many machines; ``explain`` plays one check again, ``demo`` makes a sample class.
What a grade is made of, and how it looks, is not known here.
"""
