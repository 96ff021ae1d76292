"""What lessons hand out, so that a reader can get on with the lesson's own question.

The network of lesson 01's contest, baselines to beat, the sound of a tune, a whole training loop, a
stopwatch, lesson 15's contest of memories, and the device that torch code runs on. Lessons import from
here; nobody is asked to write any of it. It may stand on the library, on data and on topics, and knows no
exercise and no check.
"""
