"""What students write in lessons beyond the cells: one module for each topic, as the lesson compares with.

Plain functions of arrays or tensors that trust their arguments, as a textbook prints them. They stand on
the library and on ``rnncore.data``. They know no exercise, no check and nothing that a lesson hands out,
and while a lesson is graded its topics do not exist where students' code runs.
"""
