"""Where students' code runs: what it can see and use, the kernels in there, and the one line to them.

In come cells and questions; out come outputs and plain data, each within its size and time. ``view`` says
what exists inside, ``seccomp`` what is refused, ``box`` starts it, ``nursery`` and ``warm`` fork kernels in
it, ``provisioner`` starts them either way, ``kernels`` runs cells, ``bridge`` is what passes between, and
``doctor`` attacks it all. Nothing here knows what is right, nor what a point, a student or a class is.
"""
