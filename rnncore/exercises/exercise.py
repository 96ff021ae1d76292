"""What an exercise is: a reference, how its cases are drawn, and the mistakes that people make.

A mistake is an *edit* of the reference's own source text. Applying it gives a wrong twin of the
reference, and the twin does two jobs: a student's result that equals a twin's is told which mistake it
holds, and a test proves that every twin loses marks and is named. An edit whose ``old`` text does not
stand exactly once in the source is refused here, so the bank cannot rot.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain, islice

import numpy as np

from rnncore.observe import Formula, Outcome, observe, observe_groups, viewable
from rnncore.versions import run_versions


@dataclass(frozen=True)
class Mistake:
    """One mistake: replace ``old`` by ``new`` in the reference, and the sentence to say about it.

    ``also`` holds other texts for ``new`` that make the same mistake, such as other step sizes. ``cost`` is the
    share of the points that it takes, from 0 to 1; None where nobody has put a price on it.
    """

    id: str
    old: str
    new: str
    says: str
    also: tuple[str, ...] = ()
    cost: float | None = None

    def wordings(self) -> "list[Mistake]":
        """This mistake once for each of its texts."""
        return [self, *(replace(self, new=new, also=()) for new in self.also)]


@dataclass(frozen=True)
class Case:
    """One call of the function: its arguments, and the sizes behind them by letter.

    ``when`` is empty for an ordinary case and otherwise says what is special about it ("T = 1"); an
    answer that is wrong only in special cases loses less than one that is wrong everywhere. ``part``
    names what this case alone decides, where the cases of an exercise are marked one by one. ``more``
    holds the arguments of further calls, whose values the exercise's view is given as well: whether a
    random result is drawn from the generator that was passed in shows only in several calls.
    """

    args: tuple
    sizes: dict[str, int] = field(default_factory=dict)
    when: str = ""
    part: str = ""
    more: tuple[tuple, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """An exercise: the right function, what it returns, and all that ``check`` needs to grade it.

    ``returns`` names the returned values in order; a dict among them is graded key by key, and a tuple
    of names stands for a tuple graded item by item, as in (("h_next", "c_next"), "cache").
    ``uses`` names the student's own earlier functions that this one may call: an answer that is right
    given those earns its marks. ``layout`` names the items of a cache, ``gates`` the blocks of rows of the
    parameters, so that a wrong block can be named. ``view`` turns a returned value
    into what is compared, where many values are right: a random matrix, say, into its product with its
    transpose. It may raise on a value of the wrong kind, which is then compared as it is. ``use``
    is for an answer that plain arguments cannot show, such as a class, or a function of a model and its
    optimiser: a function that is called where the answer lives, with the answer and the case's arguments,
    and returns plain data or tensors. It travels as its text, so it must import what it needs itself.
    ``by_row`` is such a use that hands an answer the rows of a batch one by one and puts together what it
    gives: it tells an answer that was written for one row alone.
    ``one_idea`` names the returned dicts whose keys count together as one part of the marks.
    ``many_calls``: a case has so many that fewer edits are tried in search of a name.
    """

    reference: Callable
    returns: tuple[str | tuple[str, ...], ...]
    draw: Callable[[np.random.Generator], list[Case]]
    mistakes: tuple[Mistake, ...]
    uses: tuple[str, ...] = ()
    layout: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    tolerance: float = 1e-5
    view: Callable[..., object] | None = None
    use: Callable[..., object] | None = None
    by_row: Callable[..., object] | None = None
    one_idea: tuple[str, ...] = ()
    many_calls: bool = False

    def __post_init__(self):
        for mistake in self.mistakes:
            if self.source.count(mistake.old) != 1:
                raise ValueError(
                    f"mistake {mistake.id!r} of {self.name}: its old text stands "
                    f"{self.source.count(mistake.old)} times in the reference, expected once: {mistake.old!r}"
                )

    @property
    def name(self) -> str:
        return self.reference.__name__

    def outcome(self, function: Callable, case: Case) -> Outcome:
        """What ``function`` does with a case, its value as this exercise views it."""
        return self.viewed(case, (observe(function, args) for args in self.calls(case)))

    def outcomes(self, function: Callable, cases: list[Case]) -> list[Outcome]:
        """The same of several cases."""
        calls = [self.calls(case)[: None if self.view else 1] for case in cases]
        return [
            self.viewed(case, found)
            for case, found in zip(cases, observe_groups(function, calls), strict=True)
        ]

    def unviewed_outcome(self, function: Callable, args: tuple) -> Outcome:
        """What ``function`` does with some arguments, its value as it is."""
        (call,) = self.calls(Case(args))
        return self._of_a_call(observe(function, call))

    def calls(self, case: Case) -> list[tuple]:
        """The arguments of every call that a case consists of, the use that is made of the answer in front."""
        use = () if self.use is None else (self._use_as_text,)
        return [(*use, *args) for args in (case.args, *case.more)]

    def viewed(self, case: Case, outcomes: Iterable[Outcome]) -> Outcome:
        """What the outcomes of a case's calls come to; calls behind one that fails are not asked for."""
        outcomes = iter(outcomes)
        outcome, values = self._of_a_call(next(outcomes)), []
        if self.view is None or outcome.error:
            return outcome
        for further in outcomes:
            if further.error:
                return self._of_a_call(further)
            values.append(further.value)
        try:
            if not all(map(viewable, (outcome.value, *values))):
                return replace(outcome, unviewed=True)
            return replace(outcome, value=self.view(case, outcome.value, *values))
        except Exception:  # not a value that can be viewed: none of it is right, whatever it looks like
            return replace(outcome, unviewed=True)

    def _of_a_call(self, outcome: Outcome) -> Outcome:
        """An outcome without what was done to the use, which is an argument like the others in a call."""
        return outcome if self.use is None else replace(outcome, args_after=outcome.args_after[1:])

    @cached_property
    def _use_as_text(self) -> Formula:
        return Formula(inspect.getsource(self.use))

    @property
    def slow(self) -> bool:
        """Whether a case takes milliseconds: a model is made and used, or many calls are viewed together."""
        return self.use is not None or self.many_calls

    @property
    def signature(self) -> str:
        return str(inspect.signature(self.reference))

    @cached_property
    def arguments(self) -> list[str]:
        """The names of a case's arguments, in order: the reference's, or those of its use."""
        if self.use is not None:
            return list(inspect.signature(self.use).parameters)[1:]
        return list(inspect.signature(self.reference).parameters)

    @cached_property
    def source(self) -> str:
        """The reference's own text."""
        return inspect.getsource(self.reference)

    def twin_source(self, *mistakes: Mistake) -> str:
        """The reference's text with the mistakes made, or "" where one edit removes another's place."""
        source = self.source
        for mistake in mistakes:
            if source.count(mistake.old) != 1:
                return ""
            source = source.replace(mistake.old, mistake.new)
        return source

    def twin(self, *mistakes: Mistake) -> Callable | None:
        """The function with the mistakes made; None where two edits do not go together."""
        source = self.twin_source(*mistakes)
        try:
            code = _compiled(source)
        except SyntaxError:
            if len(mistakes) < 2:
                raise
            return None
        return self._defined(code) if source else None

    def versions(self, function: Callable, sources: list[str], cases: list[Case]) -> list[list[Outcome]]:
        """What other texts of a function do with each case, as this exercise views it; run apart from all else.

        Fewer than there are ``sources`` where one of them put an end to it.
        """
        calls = [self.calls(case) for case in cases]
        flat = list(chain.from_iterable(calls))
        ran = run_versions(function, sources, flat)
        outcomes = iter(ran)
        return [
            [
                self.viewed(case, list(islice(outcomes, len(each))))
                for case, each in zip(cases, calls, strict=True)
            ]
            for _ in range(len(ran) // len(flat))
        ]

    def _defined(self, code) -> Callable:
        names = dict(self.reference.__globals__)
        exec(code, names)
        return names[self.name]


def each_row(answer, *args):
    """For ``by_row``: what an answer gives for the rows of its arguments one by one, put together.

    A row comes without the axis of the batch or, where the answer cannot do with that, with one of size 1. What
    stands in a dict, parameters and their gradients, has no rows: gradients are added up.
    """

    def picked(value, at):
        if isinstance(value, tuple):
            return tuple(picked(item, at) for item in value)
        return value[at] if isinstance(value, np.ndarray) else value

    def joined(values, join):
        if isinstance(values[0], tuple):
            return tuple(joined(each, join) for each in zip(*values, strict=True))
        if isinstance(values[0], dict):
            return {key: sum(value[key] for value in values) for key in values[0]}
        return join(values)

    def size(value):
        return size(value[0]) if isinstance(value, tuple) else len(value)

    rows = range(next(size(value) for value in args if isinstance(value, tuple | np.ndarray)))
    try:
        return joined([answer(*(picked(value, b) for value in args)) for b in rows], np.stack)
    except Exception:
        ones = [slice(b, b + 1) for b in rows]
        return joined([answer(*(picked(value, b) for value in args)) for b in ones], np.concatenate)


@lru_cache(maxsize=2000)
def _compiled(source: str):
    """A twin's text, compiled once for all the checks in which it is tried."""
    return compile(source, "<string>", "exec")
