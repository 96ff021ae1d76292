"""Which known mistakes explain a wrong answer.

Every known mistake of an exercise is a wrong twin of its reference. A student whose function does
exactly what a twin does, case by case, has made that mistake. Where no single twin fits, two mistakes
are named if each explains parts of its own, or if the twin with both edits fits as a whole. A mistake
is named only for numbers that it gives and the right answer does not.
"""

from dataclasses import dataclass, replace
from itertools import combinations, islice

import numpy as np

from rnncore.check.compare import agree, leaves
from rnncore.check.credit import CHANGED
from rnncore.check.marking import UNCHANGED, Findings, changed_arguments
from rnncore.check.shares import is_idle, nothing_to_see, one_number, says_nothing
from rnncore.check.slips.beneath import behind, beneath
from rnncore.check.slips.machine import machine_slip
from rnncore.check.slips.packing import Slip, packing_slip
from rnncore.check.slips.repair import repair_slips, turned_back
from rnncore.check.slips.rows import is_right_by_row, row_slip
from rnncore.observe import Outcome, as_numbers
from rnncore.versions import source_of

INPUT_CHANGED = "input-changed"
PAIRS, PAIRS_SLOW = 500, 100  # that are tried: a number, not seconds, so that a busy machine finds the same


@dataclass(frozen=True)
class Explanation:
    """The mistakes behind an answer, best first: all of it (``whole``), or the wrong ``parts`` they give.

    ``beneath``: where the first one raises an error, the answer's marking without it, what that found, and
    its explanation, whose mistakes come after the first. ``place``: in words, the one line in which taking
    the mistake back makes all right.
    """

    mistakes: tuple = ()
    whole: bool = False
    parts: frozenset[str] = frozenset()
    beneath: tuple = ()
    place: str = ""


def explain(marking, found: Findings) -> Explanation:
    """The mistakes that explain the findings of ``marking``; none if there is nothing that does."""
    search = _Search(marking, found)
    found = search.one() or search.packed() or search.one_and_changed() or search.two()
    nothing_said = search.nothing_said()
    if found.whole and (nothing_said or (nothing_to_see(marking) and not search.same_unseen(found))):
        return search.proven(found)  # it may be that mistake; it may be anything
    if found.whole:
        return found
    better = search.changed() or search.repaired() or search.by_row()
    better = better or (search.behind() if nothing_said else search.made())
    return better if better and (better.whole or not found.mistakes) else found


def same_outcome(exercise, case, ours: Outcome, twins: Outcome, changes_count: bool = True) -> bool:
    """Whether two outcomes of a case are one and the same slip's; inputs that were changed may not count."""
    if ours.error or twins.error:
        return (
            bool(ours.error and twins.error)
            and ours.error.kind == twins.error.kind
            and ours.error.message == twins.error.message
        )
    if ours.unviewed != twins.unviewed or bool(ours.warnings) != bool(twins.warnings):
        return False
    if not agree(ours.value, twins.value, exercise.tolerance):
        return False
    changed = [changed_arguments(exercise, case, outcome) for outcome in (ours, twins) if changes_count]
    return changed[:1] == changed[1:]


class _Search:
    def __init__(self, marking, found: Findings):
        self.marking, self.found = marking, found
        self.exercise, self.cases = marking.exercise, marking.cases
        self.spoiled: dict = {}
        self.twins: dict = {}
        self.done = marking.twins_do
        self.ran: list = []  # edits of a text that stops, which run
        self.changes_count = True  # whether a twin must leave its inputs as the student's function does

    def one(self) -> Explanation | None:
        """The one mistake whose twin does what the student's function does in every case."""
        for mistake in self.exercise.mistakes:
            for wording in mistake.wordings():
                if self._fits(wording):
                    return Explanation((mistake,), whole=True)
        return None

    def one_and_changed(self) -> Explanation | None:
        """One mistake, and an input that is not left as it was besides."""
        if UNCHANGED not in self.found.special or not self.found.wrong:
            return None
        self.changes_count = False
        found = self.one() or self.packed()
        self.changes_count = True
        return found and Explanation((*found.mistakes, self._changed), whole=True)

    def nothing_said(self) -> bool:
        """Whether there is but an error, None, NaN or infinity: one wrong line alone gives these."""
        ordinary = (got for case, got in zip(self.cases, self.marking.outcomes, strict=True) if not case.when)
        return all(got.error or not _says_anything(got.value) for got in ordinary)

    def proven(self, found: Explanation) -> Explanation:
        """``found`` explains what proves nothing: it is whole only if the rest of the text is right."""
        for mistake in self._alike(found):
            place = turned_back(self.marking, mistake)
            if place is not None:
                return replace(found, mistakes=(mistake, *found.mistakes[1:]), place=place)
        by_row = self.by_row(found)
        if by_row and by_row.mistakes[0] in self.exercise.mistakes:
            return by_row
        repaired = self.repaired()
        if repaired and len(repaired.mistakes) > len(found.mistakes):
            return repaired  # the error hid another slip
        if repaired:
            return found
        return by_row or self.beneath(found) or replace(found, whole=False)

    def beneath(self, found: Explanation) -> Explanation | None:
        """A mistake that raises, and what else is wrong once it is taken back."""
        for mistake in self._alike(found):
            if again := beneath(self.marking, mistake):
                wrong = again.compare(again.wanted)
                further = explain(again, wrong)
                return Explanation((mistake, *further.mistakes), beneath=(again, wrong, further))
        return None

    def behind(self) -> Explanation | None:
        """A line that stops for a reason that nobody listed, and what is wrong once one edit lets it run."""
        best = None
        for slip, again, all_there in behind(self.marking, self.ran, self._is_a_twins):
            wrong = again.compare(again.wanted)
            further = explain(again, wrong) if all_there else Explanation()
            if best is None or further.whole:
                best = Explanation((slip, *further.mistakes), beneath=(again, wrong, further))
            if further.whole:
                return best
        return best

    def _is_a_twins(self, outcome: Outcome) -> bool:
        """Whether some mistake's twin has this outcome in the first case."""
        return any(self._same(self.cases[0], outcome, self._does(0, m)) for m in self.exercise.mistakes)

    def _alike(self, found: Explanation) -> list:
        """The mistakes that explain the same: several may raise the same words."""
        if found.mistakes[0] not in self.exercise.mistakes:
            return []
        fitting = (m for m in self.exercise.mistakes if any(self._fits(wording) for wording in m.wordings()))
        return [found.mistakes[0], *(m for m in fitting if m is not found.mistakes[0])]

    def same_unseen(self, found: Explanation) -> bool:
        """Whether what the exercise cannot look at is in some case the same as what the one mistake gives."""
        for case in self.cases:
            ours = self.exercise.unviewed_outcome(self.marking.function, case.args).value
            numbers = as_numbers(ours)
            if case.when or numbers is None or numbers.size < 2:
                continue
            if one_number(numbers, self.exercise.tolerance) is not None:
                continue
            for wording in found.mistakes[0].wordings() if len(found.mistakes) == 1 else ():
                twins = self.exercise.unviewed_outcome(self.exercise.twin(wording), case.args).value
                if agree(ours, twins, self.exercise.tolerance):
                    return True
        return False

    def packed(self) -> Explanation | None:
        """Nothing but how the right numbers are packed."""
        slip = packing_slip(self.marking) if self.found.wrong else None
        return Explanation((slip,), whole=True) if slip else None

    def changed(self) -> Explanation | None:
        """Nothing but an input that is not left as it was."""
        if self.found.wrong or self.found.special.keys() != {UNCHANGED}:
            return None
        return Explanation((self._changed,), whole=True)

    def repaired(self) -> Explanation | None:
        """A slip that nobody listed, in one line of the student's own text, or in two."""
        slips = repair_slips(self.marking, self.ran)
        return Explanation(slips, whole=True) if slips else None

    def by_row(self, found: Explanation | None = None) -> Explanation | None:
        """Nothing but the batch, which an answer for one row alone lacks.

        ``found`` keeps its name where its own twin, too, is right row by row.
        """
        slip = row_slip(self.marking, self.found)
        for mistake in self._alike(found) if slip and found else ():
            if is_right_by_row(self.marking, self._twin(mistake)):
                return replace(found, mistakes=(mistake, *found.mistakes[1:]))
        return Explanation((slip,), whole=True) if slip else None

    def made(self) -> Explanation | None:
        """A slip that nobody listed, seen from the right function."""
        if hasattr(self.marking.function, "source_remotely") and not source_of(self.marking.function)[0]:
            return None  # its text must wait, and so must this: a line of it would say more
        found = machine_slip(self.marking, self.found, self._same)
        return found and Explanation(found[:1], whole=found[1])

    def two(self) -> Explanation:
        """Two or more mistakes that explain the wrong parts between them."""
        if is_idle(self.marking) or says_nothing(self.marking, self.found.wrong):
            return Explanation()  # two edits together may well cancel to zeros, but nobody made them
        if self.nothing_said():
            return Explanation()  # many slips raise the same words, such as those about unequal shapes
        shares = {m: share for m in self.exercise.mistakes if (share := self._share(m))}
        unexplained, chosen = set(self.found.wrong), []
        while shares:
            # Of two that explain as much, the one that spoils less.
            best = max(shares, key=lambda m: (len(shares[m] & unexplained), -len(self._spoils(m))))
            if not shares[best] & unexplained:
                break
            unexplained -= shares.pop(best)
            chosen.append(best)
        if not unexplained and len(chosen) > 1:
            return Explanation(tuple(chosen), whole=not self.found.special)
        # Most pairs need not be tried: what two mistakes spoil one by one is what they spoil together, unless
        # one of them hides something of the other.
        wrong = self._places(self.marking.outcomes[0])
        spoils = {mistake: self._spoils(mistake) for mistake in self.exercise.mistakes}
        together = {pair: _outermost(spoils[pair[0]] | spoils[pair[1]]) for pair in combinations(spoils, 2)}
        pairs = [pair for pair, places in together.items() if places >= wrong]
        likely = sorted(pairs, key=lambda p: (together[p] != wrong, not any(m in chosen for m in p)))
        for first, second in islice(likely, PAIRS_SLOW if self.exercise.slow else PAIRS):
            if self._fits(first, second):
                return Explanation((first, second), whole=True)
        return Explanation(tuple(chosen), parts=frozenset(set(self.found.wrong) - unexplained))

    def _fits(self, *mistakes) -> bool:
        """Whether the twin that makes these mistakes does what the student's function did, in every case."""
        return self._twin(*mistakes) is not None and all(
            self._same(case, self.marking.outcomes[number], self._does(number, *mistakes))
            for number, case in enumerate(self.cases)
        )

    def _twin(self, *mistakes):
        """The twin that makes these mistakes; None where they do not go together."""
        if mistakes not in self.twins:
            # One edit may bring in the text that the other looks for, so the order can matter.
            self.twins[mistakes] = self.exercise.twin(*mistakes) or self.exercise.twin(*mistakes[::-1])
        return self.twins[mistakes]

    def _does(self, number: int, *mistakes) -> Outcome:
        """What that twin does with a case; found once, for the searches ask more than once."""
        if (number, mistakes) not in self.done:
            self.done[number, mistakes] = self.exercise.outcome(self._twin(*mistakes), self.cases[number])
        return self.done[number, mistakes]

    def _same(self, case, ours: Outcome, twins: Outcome) -> bool:
        return same_outcome(self.exercise, case, ours, twins, self.changes_count)

    @property
    def _changed(self) -> Slip:
        return Slip(INPUT_CHANGED, self.found.special[UNCHANGED], CHANGED)

    def _spoils(self, mistake) -> frozenset:
        """The places of the result that this mistake alone makes wrong in the first case."""
        if mistake not in self.spoiled:
            self.spoiled[mistake] = self._places(self._does(0, mistake))
        return self.spoiled[mistake]

    def _places(self, outcome: Outcome) -> frozenset:
        """Where a first outcome is wrong: the paths of keys to every array in it that is."""
        if outcome.error:
            return frozenset({"error"})
        return frozenset(_wrong_places(outcome.value, self.marking.wanted[0].value, self.exercise.tolerance))

    def _share(self, mistake) -> set[str]:
        """The wrong parts that this mistake alone explains; empty if it would spoil a part that is right."""
        marking, tolerance = self.marking, self.exercise.tolerance
        spoiled, unlike = set(), set()
        for number, case in enumerate(self.cases):
            if case.when:
                continue
            ours, twins, want = marking.outcomes[number], self._does(number, mistake), marking.wanted[number]
            if ours.error or twins.error or ours.unviewed or twins.unviewed:
                return set()
            if marking.whole_fault(case, ours.value) or marking.whole_fault(case, twins.value):
                return set()
            right = marking.split(case, want.value)
            our_parts = marking.split(case, ours.value, like=want.value)
            twin_parts = marking.split(case, twins.value, like=want.value)
            for part in right:
                if not agree(twin_parts[part], right[part], tolerance):
                    spoiled.add(part)
                if not agree(our_parts[part], twin_parts[part], tolerance):
                    unlike.add(part)
        if self.exercise.use is not None:  # a gradient that is gone says little of why
            unlike |= {part for part in spoiled - unlike if says_nothing(marking, [part])}
        return spoiled - unlike if spoiled <= set(self.found.wrong) else set()


def _says_anything(value) -> bool:
    """Whether there is a finite number in a returned value, a word, or what is no plain data."""
    for _, leaf in leaves(value):
        numbers = as_numbers(leaf)
        if np.isfinite(numbers).any() if numbers is not None else leaf is not None:
            return True
    return False


def _wrong_places(got, want, tolerance: float, path=()):
    """The path to every array or number of ``want``, a nest of values, that is not the same in ``got``.

    Where ``got`` has another form than ``want``, such as a list of another length, that is one place.
    """
    if isinstance(want, dict):
        inside = [(key, got.get(key)) for key in want] if isinstance(got, dict) else None
    elif isinstance(want, tuple | list):
        fits = isinstance(got, tuple | list) and len(got) == len(want)
        inside = list(enumerate(got)) if fits else None
    else:
        inside = [] if agree(got, want, tolerance) else None
    if inside is None:
        yield path
    for key, value in inside or ():
        yield from _wrong_places(value, want[key], tolerance, (*path, key))


def _outermost(places) -> frozenset:
    """The places that lie within no other."""
    return frozenset(
        place
        for place in places
        if isinstance(place, str) or not any(place[:depth] in places for depth in range(len(place)))
    )
