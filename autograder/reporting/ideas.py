"""Which idea a known mistake is about, over all exercises: told by its name, in this one table.

A mistake belongs to the first idea of which a word stands in its id. An id that none fits is "Something
else"; then a word is missing here.
"""

import re

OTHER = "Something else"
# idea: the words, of which one is enough; * stands for any ending
IDEAS = {
    "Numbers too large or too small": "overflow unstable underflow",
    "Padding and masks": "pad* mask* length* unpadded",
    "Which way round a matrix stands": "transpos* untranspos* turned view outer reshape* rows columns",
    "Copies and caches": "cache* copy copies in-place overwrites overwritten written-over changes changed",
    "What is carried from step to step": "carry carried carries carrying recurrence restarts hidden state* "
    "cell memory",
    "Signs": "sign signs signed negat* minus plus subtract* inverted upside uphill",
    "Sums, means and factors": "averag* mean sum* divide* scale* factor* half halved doubled normali* norm "
    "product loss multiplied added clip* average error errors",
    "Biases": "bias* intercept",
    "Which gate is which": "gate* order* block blocks reset update candidate forget swapped exchanged halves",
    "Slopes of the activations": "tanh sigmoid* relu slope* derivative* squared activation* softmax",
    "Axes of time and batch": "axis axes time batch* stacked layer layers channels features",
    "Training and its gradients": "detached tracked training evaluation requires-grad gradients gradient",
    "Where a sequence begins and ends": "first last end ends ended start* early late window* step steps "
    "shift* overlap wraps newest newline cut off symbol* next previous future truncat* reverse* from up-to",
    "Probabilities and choices": "log* probabilit* maximum greedy sample* temperature argmax score* beam "
    "blank* random rng generator seed target* word words likel*",
    "Which of several things is meant": "for in with keys values queries query key value another",
    "Something left out, or counted twice": "missing forgotten lost skipped without ignore* no not only "
    "dropped twice both never whole all left itself too one each every",
}


def _pattern(words):
    each = (re.escape(word).replace(r"\*", r"\w*") for word in words.split())
    return re.compile(rf"(?:^|-)(?:{'|'.join(each)})(?=-|$)")


_PATTERNS = {idea: _pattern(words) for idea, words in IDEAS.items()}


def idea_of(mistake):
    """The idea that a mistake's id is about."""
    return next((idea for idea, pattern in _PATTERNS.items() if pattern.search(mistake)), OTHER)
