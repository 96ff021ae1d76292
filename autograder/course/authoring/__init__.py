"""Making a course of one's own: begun from a starter, drafted, adopted from nbgrader's form, kept up to date.

In come the package's lessons and what an author has; out go folders that ``course`` reads like our own.
Nothing is released or run here.
"""
