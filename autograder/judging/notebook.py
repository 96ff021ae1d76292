"""Grade one notebook: the student's cells in a sandboxed kernel, the test cells in the judge.

``grade_notebook`` is pure: plain data in and out, no database and no state between calls, so it runs
anywhere an Executor takes it. A cell that stops the kernel costs its own exercise: the kernel is
started again, the cells that had worked are run again, the one that stopped it is skipped, and the rest
is graded, all within the notebook's time. It is long for one module, and one class: every step reads and
writes the same account of time, of starts and of what was stopped.
"""

import copy
import hashlib
import hmac
import time
from dataclasses import asdict

from nbformat import NotebookNode

from autograder.judging.causes import Causes
from autograder.judging.graded import OVER_MEMORY, CellScore, GradedNotebook
from autograder.judging.imports import hidden_part, imported
from autograder.judging.judge import JudgeFault, judge_cell
from autograder.judging.signatures import sign
from autograder.judging.status import (
    STOPPED,
    Status,
    error_output,
    failed_outputs,
    note,
    stopped_output,
)
from autograder.judging.versions import versions
from autograder.sandbox.box import Limits, NoSandbox
from autograder.sandbox.kernels import KernelFault, NurseryFault, StudentKernel

NOT_RUN = "experiment"  # the tag of cells that only show something
MOST_STARTS = 16
TORCH_MEMORY = "DefaultCPUAllocator: can't allocate memory"  # in what torch raises for a MemoryError
SETTLE_SECONDS = 0.4  # a kernel that is told to end takes a moment to do so
HEAR_SECONDS = 5.0  # in which a kernel that is whole answers a question that costs nothing
MOST_WAITED = 0.5  # times Limits.notebook_seconds: what others' work may add to a notebook's time
MOST_STORED = 4  # times Limits.output_bytes: what all cells together may show


def grade_notebook(
    notebook: NotebookNode,
    spec,
    limits: Limits,
    *,
    student: str,
    secret: bytes,
    sandbox: bool = True,
    seeds: dict[str, int] | None = None,
    warm: bool = False,
) -> GradedNotebook:
    """Grade ``notebook`` against the release that ``spec`` (a LessonSpec) describes.

    ``seeds``: recorded ones by test cell, to repeat its check on the same inputs; others are derived.
    Raises NoSandbox if ``sandbox`` is true and there is none; every other fault of ours is the status
    "infrastructure fault", and then there are no scores. ``warm``: whether kernels are forked from a
    process that has imported everything, which is quicker and gives the same result.
    """
    words = {"student": student, "secret": secret, "sandbox": sandbox, "seeds": seeds or {}}
    try:
        return _grade(notebook, spec, limits, **words, warm=warm)
    except NurseryFault:  # our own process died: as if it had never been
        return _grade(notebook, spec, limits, **words, warm=False)


def _grade(notebook, spec, limits, *, student, secret, sandbox, seeds, warm):
    started = time.monotonic()
    grading = _Grading(copy.deepcopy(notebook), spec, limits, student, secret, sandbox)
    grading.seeds, grading.warm = seeds, warm
    try:
        status = grading.run()
    except (NoSandbox, NurseryFault):
        raise
    except Exception as fault:
        status = grading.end_early(fault)
    finally:
        grading.stop()
    return GradedNotebook(
        grading.notebook,
        grading.scores,
        status,
        grading.remarks,
        time.monotonic() - started,
        grading.provenance(),
        grading.starved,
    )


def secret_of_work(secret: bytes, notebook: NotebookNode) -> bytes:
    """The key from which the inputs of one piece of work are drawn: the same again only for the same code.

    A student who hands in once more, having seen or printed what their functions were given, meets
    inputs that nobody has seen.
    """
    code = "\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hmac.new(secret, code.encode(errors="replace"), hashlib.sha256).digest()


class _Grading:
    """The work on one notebook."""

    def __init__(self, notebook, spec, limits, student, secret, sandbox):
        self.notebook, self.spec, self.limits = notebook, spec, limits
        self.student, self.sandbox, self.seeds = student, sandbox, {}
        self.warm, self.kinds = False, []
        self.secret = secret_of_work(secret, notebook)
        self.release = {cell.grade_id: cell for cell in spec.cells}
        self.deadline = time.monotonic() + limits.notebook_seconds
        self.cpu_left, self.may_wait = limits.notebook_seconds, MOST_WAITED * limits.notebook_seconds
        self.starved, self.at_once = False, True
        self.stored_left = MOST_STORED * limits.output_bytes
        self.kernel, self.starts, self.worked, self.theirs = None, 0, [], False
        self.scores, self.judged, self.stops, self.remarks, self.noted = {}, {}, [], [], []
        self.before = {}  # the names of the cells that had worked when a test cell was judged, by its own
        self.causes = Causes()
        if not sandbox:
            self.remarks.append("Graded WITHOUT a sandbox: this notebook's code could reach this machine.")

    def run(self):
        """Run and judge every cell in order; returns the Status."""
        for number, cell in enumerate(self.notebook.cells, 1):
            if cell.cell_type != "code":
                continue
            own = self.release.get(_name(cell))
            kind = own.kind if own else "added"
            cell.outputs, cell.execution_count = [], None
            if kind == "test" and own.grade_id not in self.scores:
                cell.outputs = self._judge(own)
            elif kind in ("locked", "code", "added", "solution"):
                skipped = own is not None and NOT_RUN in own.tags and kind in ("locked", "code")
                cell.outputs = [note("Not run while grading.")] if skipped else self._run(number, cell, own)
            cell.execution_count = number if cell.outputs else None
        for own in self.spec.cells:
            if own.kind == "test" and own.grade_id not in self.scores:
                self._judge(own)
                self.remarks.append(f"The test cell {own.grade_id} was missing; it was run at the end.")
        failed = [score.failed for score in self.scores.values() if score.failed]
        if failed and not self.judged:
            raise JudgeFault(failed[0])  # nothing could be judged: that is no single check's fault
        status = self._status()
        self._follow_through()
        self._sign()
        return status

    def _sign(self):
        """Have unnamed wrong answers signed, each in a fresh kernel; it changes nothing else."""

        def fresh(name):
            self.stop()
            return self.kernel if self._ready(cells=self.before.get(name)) else None

        kept = self.starved, [*self.remarks], [*self.stops]
        self.scores = sign(self.scores, fresh, self.limits)
        self.stop()
        self.starved, self.remarks, self.stops = kept

    def end_early(self, fault):
        """End by a fault of ours; returns the Status. Where our memory was full, what was earned stays."""
        if not isinstance(fault.__cause__ or fault, MemoryError):
            self.scores.clear()
            self.remarks.append(f"Grading itself failed: {type(fault).__name__}: {fault}")
            return Status.INFRASTRUCTURE_FAULT
        self.stop()
        self.starved = True
        self.remarks.append(OVER_MEMORY)
        for own in self.spec.cells:
            if own.kind == "test":
                self.scores.setdefault(own.grade_id, CellScore(0.0, own.points))
        return Status.MEMORY_LIMIT

    def stop(self):
        """End the kernel, if there is one."""
        if self.kernel is not None:
            self.kernel.close()
            self.cpu_left -= self.kernel.cpu
            waited = min(self.kernel.waited, self.may_wait)
            self.deadline, self.may_wait = self.deadline + waited, self.may_wait - waited
            self.starved = self.starved or self.kernel.starved
            self.kernel = None

    def provenance(self):
        """What is needed to understand, and to repeat, this result."""
        return {
            "sandbox": self.sandbox,
            "kernel": "warm" if self.kinds and all(self.kinds) else "cold",
            "kernel_starts": self.starts,
            "seeds": {name: score.seed for name, score in self.scores.items()},
            "versions": versions(self.spec.needs),
            "limits": asdict(self.limits),
            "release_hash": self.spec.release_hash,
        }

    # Running --------------------------------------------------------------------------------------

    def _run(self, number, cell, own):
        """Run one cell in the student's kernel; its outputs."""
        written_here = own is None or own.kind == "solution"
        source = cell.source if written_here else own.source
        name = f"`{own.grade_id}`" if own else f"number {number}"
        if not source.strip():
            return []
        if written_here:
            self._look_for_answers(name, source)
        if not self._ready():
            return [self._not_run()]
        self.theirs = self.theirs or written_here
        most = min(self.limits.output_bytes, max(0, self.stored_left))
        ran = self._twice(lambda: self.kernel.run(source, self._seconds(), most))
        self.stored_left -= sum(_size(output) for output in ran.outputs)
        failed = [output for output in ran.outputs if output.output_type == "error"]
        if not self.theirs and (ran.stopped or failed):
            says = failed[0].evalue if failed else STOPPED[ran.stopped][2]
            raise KernelFault(f"the lesson's own cell {name} does not run here: {says}")
        if written_here:
            why = STOPPED[ran.stopped][2] if ran.stopped else ""
            self.causes.ran(source, failed[0] if failed else None, why)
        if ran.stopped:
            self._note_stop(ran.stopped, f"The cell {name} was stopped")
            return [*ran.outputs, stopped_output(ran.stopped)]
        if ran.exits:
            self._remark(f"The cell {name} says `exit()`, which ends nothing while grading.")
        for output in failed:
            self._look_at_error(name, output.ename, output.evalue)
        self.worked.append((name, source))
        return ran.outputs

    def _judge(self, own):
        """Run one test cell in the judge and score it; its outputs."""
        if not self._ready():
            self.scores[own.grade_id] = CellScore(0.0, own.points)
            return [self._not_run()]
        try:
            judged = self._twice(lambda: self._judged(own))
        except JudgeFault as fault:
            return self._failed(own, fault)
        judged.attempted = judged.attempted or any(map(self.causes.of, judged.missing))
        self.judged[own.grade_id], self.before[own.grade_id] = judged, [name for name, _ in self.worked]
        self.scores[own.grade_id] = CellScore(judged.points, own.points, judged.verdict, judged.seed)
        if judged.stopped:
            self._note_stop(judged.stopped, f"A call in the test `{own.grade_id}` was stopped")
        if judged.unreadable:
            self._remark(
                "The kernel's answers could not be read: the notebook's code has changed it, or broke it."
            )
        for name, why in judged.unjudged:
            self._remark(f"What `{name}` returned could not be compared ({why}), so it earns nothing.")
        for error in judged.errors:
            self._look_at_error(f"`{own.grade_id}`", error.kind, error.message)
        return judged.outputs

    def _judged(self, own):
        """Judge one test cell: with all calls at once; where that is stopped, one by one from then on."""
        words = self._words(own)
        judged = judge_cell(
            own, self.spec, self.kernel.ask, seconds=self._seconds(), at_once=self.at_once, **words
        )
        if judged.stopped_at_once:
            self.at_once = False
            if self._ready():
                return judge_cell(own, self.spec, self.kernel.ask, seconds=self._seconds(), **words)
        return judged

    def _failed(self, own, fault):
        """Leave to a person what a check of ours cannot judge; the other exercises keep what they earned."""
        self.scores[own.grade_id] = CellScore(0.0, own.points, failed=str(fault))
        self._remark(f"The test `{own.grade_id}` failed, which is our fault, and waits for a person: {fault}")
        return failed_outputs()

    def _follow_through(self):
        """Judge once more what may have failed only by an earlier function, or by one small slip.

        Ours is put in that function's place, and small edits of the answer are tried: each exercise in a
        kernel that is then thrown away, after all else, so that what can be learned there serves nothing. Of
        what comes out only marks that are no worse are taken.
        """
        tests = [own for own in self.spec.cells if own.grade_id in self.judged]
        right = {own.grade_id for own in tests if self.scores[own.grade_id].points >= own.points}
        for own in tests:
            first = self.judged[own.grade_id]
            asks = {f"{name}-check" for name in first.wants_ours}
            if asks <= right and not first.wants_versions:
                continue
            judged = self._second_look(own)
            if judged is None or judged.stopped or not self._better(own, judged):
                continue
            self.scores[own.grade_id] = CellScore(judged.points, own.points, judged.verdict, judged.seed)
            for cell in self.notebook.cells:
                if _name(cell) == own.grade_id and cell.outputs:
                    cell.outputs = judged.outputs

    def _second_look(self, own):
        """Judge a test cell with our help, in a kernel of its own; None where that cannot be done.

        Only what had worked when it was first judged is run there: a later cell may take things away.
        """
        self.stop()
        try:
            if not self._ready(cells=self.before[own.grade_id]):
                return None
            words = {**self._words(own), "seconds": self._seconds(), "may_help": True}
            return judge_cell(own, self.spec, self.kernel.ask, **words)
        except JudgeFault as fault:
            self._remark(f"A second look at `{own.grade_id}` failed, and its first marks stand: {fault}")
            return None
        finally:
            self.stop()

    def _better(self, own, judged):
        """Whether a second look found more than the first: more points, or a name for what is wrong."""
        before = self.scores[own.grade_id]
        named = [bool((verdict or {}).get("mistakes")) for verdict in (before.verdict, judged.verdict)]
        return judged.points > before.points or (judged.points == before.points and named == [False, True])

    def _words(self, own):
        """What a judge is told besides the cell and the kernel."""
        seed = self.seeds.get(own.grade_id)
        words = {"limits": self.limits, "student": self.student, "secret": self.secret, "seed": seed}
        return {**words, "cause": self.causes.of}

    def _twice(self, attempt):
        """``attempt()``; once more if an earlier cell may be why the kernel died in it, or did not answer."""
        result = attempt()
        if self.kernel is None:  # it was stopped, and no other may be started
            return result
        if result.stopped == "death":
            self.kernel.blame()
            if self._ready(carefully=True):
                return attempt()
        elif result.stopped == "time" and self.kernel.closed:  # not even an interrupt was heard
            before = len(self.worked)
            if self._ready(carefully=True) and len(self.worked) < before:
                return attempt()
        return result

    def _ready(self, carefully=False, cells=None):
        """Whether there is a kernel to run in; starts one, and runs again what had worked, if need be.

        ``cells``: the names of those that are run then; None for all.
        """
        while self.kernel is None or not self.kernel.alive:
            if self.kernel is not None and not self.kernel.closed:
                self.kernel.blame()
            carefully = carefully or (self.kernel is not None and not self.kernel.closed)
            self.stop()
            if self.starts >= MOST_STARTS or self._left() <= 0:
                return False
            self.starts += 1
            words = {"warm": self.warm, "cpu_seconds": self.cpu_left}
            self.kernel = StudentKernel(self.spec.hides, self.spec.needs, self.limits, self.sandbox, **words)
            self.kinds.append(self.kernel.warm)
            self._run_again(carefully, cells)
        return self._left() > 0

    def _run_again(self, carefully, cells):
        """Run what had worked in a new kernel; ``carefully``: find the cell that ends it a moment later."""
        for name, source in list(self.worked):
            if cells is not None and name not in cells:
                continue
            if self._left() <= 0:
                return
            ran = self.kernel.run(source, self._seconds())
            deaf = False
            if carefully:
                time.sleep(min(SETTLE_SECONDS, max(0.0, self._left())))
                seconds = max(0.1, min(HEAR_SECONDS, self._left()))
                asked = self.kernel.alive and self.kernel.ask(seconds, do="look", names=[])
                deaf = asked and asked.stopped == "time"
            if ran.stopped or not self.kernel.alive:
                self.worked.remove((name, source))
                why = ran.stopped or ("deaf" if deaf else "death")
                self._note_stop(why, f"The cell {name} was left out when run again")
            if not self.kernel.alive:
                self.kernel.close()
                self.kernel.blame()
                return
        if self.starts > 1 and not carefully:
            time.sleep(min(SETTLE_SECONDS, max(0.0, self._left())))

    def _left(self):
        """Seconds that the notebook still has, of the clock; none if it has used up the processor's."""
        kernel = self.kernel
        if self.cpu_left - (kernel.cpu if kernel else 0.0) <= 0:
            return 0.0
        waited = min(kernel.waited, self.may_wait) if kernel else 0.0
        return self.deadline + waited - time.monotonic()

    def _seconds(self):
        return max(0.1, min(self.limits.cell_seconds, self._left()))

    def _not_run(self):
        over = self._left() <= 0
        why = "the notebook's time was over" if over else "too many restarts"
        self.stops.append("time" if over else "death")
        self._remark(f"Not everything was run: {why}.")
        return error_output("NotRun", f"Not run: {why}.")

    # Remarks --------------------------------------------------------------------------------------

    def _remark(self, text):
        if text not in self.remarks:
            self.remarks.append(text)

    def _note_stop(self, stopped, what):
        self.stops.append(stopped)
        self._remark(f"{what}: {STOPPED[stopped][2]}.")

    def _look_for_answers(self, name, source):
        """Note imports of what is not there while this lesson is graded."""
        for module in imported(source):
            self._look_at_import(name, module)

    def _look_at_import(self, name, module):
        found = hidden_part(module, self.spec)
        if found and found not in self.noted:
            self.noted.append(found)
            self._remark(f"The cell {name} imports {found}, which is not there while this lesson is graded.")

    def _look_at_error(self, name, kind, message):
        if kind == "ModuleNotFoundError" and message.count("'") >= 2:
            self._look_at_import(name, message.split("'")[1])
        if kind == "MemoryError" or TORCH_MEMORY in message:
            self._note_stop("memory", f"The cell {name} was stopped")

    def _status(self):
        """How it ended: what was stopped first, or else how much of it was attempted."""
        if self.stops:
            return STOPPED[self.stops[0]][0]
        if self.judged and not any(judged.attempted for judged in self.judged.values()):
            return Status.NOT_ATTEMPTED
        missing = {name: None for judged in self.judged.values() for name in judged.missing}
        for name in missing:
            cause = self.causes.of(name)
            self._remark(f"The notebook never defines `{name}`{f': {cause.remark}' if cause else ''}.")
        return Status.PARTLY_GRADED if missing else Status.GRADED


def _name(cell):
    """The grade_id of a cell, or its id where nbgrader gave it none."""
    marks = cell.metadata.get("nbgrader")
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name or cell.get("id")


def _size(output):
    return sum(len(str(part)) for part in output.values())
