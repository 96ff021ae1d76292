"""What is in a file that was handed in: its cells, and which of them answers what.

In come bytes that nobody trusts; out go cells of plain types (``reading``), and the notebook of ours that is
graded (``rescue``), with a remark for whatever had to be mended. Nothing is known of folders, of students, or
of when anything came.
"""
