"""Grades for other programs: a module for each form of its own, and ``files``, which writes them.

In come ``reporting.grades``' values, and the file that a platform exported itself; out go files that it takes
back. Nothing is decided about a grade here.
"""
