"""Kernels for students' code, as grading talks to them.

``StudentKernel`` runs cells and asks the bridge's questions, counts bytes as they arrive, and knows what
stopped a cell. ``provisioner`` starts what it talks to.
"""

import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from hmac import compare_digest

from jupyter_client.kernelspec import KernelSpec

from autograder.sandbox.box import Limits
from autograder.sandbox.bridge import crowded, question
from autograder.sandbox.outputs import Outputs
from autograder.sandbox.provisioner import (
    CONNECTION_FILE,
    KERNEL,
    START_SECONDS,
    KernelFault,
    Manager,
    SandboxProvisioner,
)
from autograder.sandbox.watch import Watch
from autograder.sandbox.wire import Gone, Wire, first_ready

GRACE_SECONDS = 1.0
DYING_SECONDS = 0.25
ROOM = 2**20  # bytes of a message beside what is in it
PATIENCE = 2.0  # times its limit that a cell may wait for a processor, beyond that limit
BUSY = 0.25  # share of its time that what ran out of time waited for a processor, on a busy machine


class NurseryFault(KernelFault):
    """The process that forks warm kernels has died, and a student's kernel with it."""


@dataclass
class Ran:
    """What became of a cell: its outputs, and what stopped it (None, or one of the words below).

    "time", "memory", "output" and "terminals" are the limits; "death" is a process that ended by itself.
    ``waited``: seconds in which it was ready to run and others ran, and that it was given beyond its limit;
    ``starved``: whether it ran out of time all the same, and without having used it. ``exits``: whether it
    said exit(), which asks whoever shows a notebook to end its kernel, and here ends nothing.
    """

    outputs: list = field(default_factory=list)
    stopped: str | None = None
    answer: str | None = None
    seconds: float = 0.0
    waited: float = 0.0
    starved: bool = False
    exits: bool = False


class StudentKernel:
    """A kernel for one student's notebook. Every method returns within its time; none raises for them.

    ``cpu_seconds``: the processor time that it and all that it starts may use. ``waited`` and ``starved``:
    of all that was run, as in Ran.
    """

    def __init__(self, hides=(), needs=(), limits=None, sandbox=True, warm=False, *, cpu_seconds=None):
        self.limits = limits or Limits()
        self.bridge = "unrolled_bridge" if sandbox else "autograder.sandbox.bridge"
        spec = KernelSpec(argv=[sys.executable, *KERNEL, "{connection_file}"], language="python")
        self.nursery = self.watch = None
        self.shell = self.iopub = None
        self.waited, self.starved = 0.0, False
        self.cpu_seconds = self.limits.notebook_seconds if cpu_seconds is None else cpu_seconds
        self.manager = Manager()
        self.manager.session.username = "grader"  # which a notebook can read: not that of whoever grades
        self.manager._kernel_spec = spec
        if sandbox:
            self.manager.provisioner = SandboxProvisioner(
                parent=self.manager,
                kernel_spec=spec,
                hides=list(hides),
                needs=list(needs),
                limits=self.limits,
                warm=warm,
            )
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def alive(self):
        """Whether the kernel can still run a cell."""
        contained = getattr(self.manager and self.manager.provisioner, "contained", None)
        if contained is not None:
            return contained.process.poll() is None
        return self.manager is not None and self.manager.is_alive()

    @property
    def warm(self):
        """Whether it was forked from a process that had imported everything."""
        return self.nursery is not None

    def blame(self):
        """After a death: NurseryFault unless the kernel ended by itself."""
        if self.nursery is not None and not self.nursery.lives(DYING_SECONDS):
            raise NurseryFault("The process that forks kernels has died.")

    @property
    def closed(self):
        """Whether it was ended from here, by ``close`` or because a limit was passed."""
        return self.manager is None

    def run(self, code, seconds, most=None):
        """Run one cell; its outputs are kept, up to ``most`` bytes."""
        content = {"code": code, "silent": False, "store_history": True}
        return self._exchange(content, seconds, self.limits.output_bytes if most is None else most)

    def ask(self, seconds, **request):
        """Put one of the bridge's questions; ``answer`` is its text, or None where there is none."""
        expression = question(self.bridge, most=self.limits.reply_bytes, **request)
        content = {"code": "", "silent": True, "store_history": False}
        content["user_expressions"] = {"answer": expression}
        return self._exchange(content, seconds, self.limits.output_bytes)

    def close(self):
        """End the kernel and everything that it started."""
        if self.manager is None:
            return
        if self.watch is not None:
            self.watch.end()
        self.manager.shutdown_kernel(now=True)
        for wire in filter(None, (self.shell, self.iopub)):
            wire.close()
        self.manager = None

    @property
    def cpu(self):
        """Seconds of processor time that everything in the sandbox has used, as far as it was seen."""
        return self.watch.cpu if self.watch is not None else 0.0

    def _start(self):
        manager = self.manager
        outside = not isinstance(manager.provisioner, SandboxProvisioner)
        here = os.path.join(tempfile.gettempdir(), f"{os.getpid()}-{id(self)}.json") if outside else ""
        manager.connection_file = here or CONNECTION_FILE  # which is there only inside
        manager.start_kernel()
        if outside:  # without a sandbox it has no limits
            free = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.prlimit(manager.provisioner.pid, resource.RLIMIT_DATA, (free, free))
        self.nursery = getattr(manager.provisioner, "nursery", None)
        self.session = manager.session
        deadline = time.monotonic() + START_SECONDS
        self.shell = self._connect("shell", "DEALER", 2 * self.limits.reply_bytes + ROOM, deadline)
        self.iopub = self._connect("iopub", "SUB", self.limits.output_bytes + ROOM, deadline)
        contained = getattr(manager.provisioner, "contained", None)
        if contained is not None:
            self.watch = Watch(contained, self.limits.memory, self.cpu_seconds)
        heard = set()
        try:
            self.session.send(self.shell, "kernel_info_request")
        except Gone:
            raise KernelFault("The kernel started and takes no message.") from None
        while heard != {"shell", "iopub"}:
            for channel, _, _ in self._messages(deadline):
                heard.add(channel)
            if time.monotonic() > deadline or not self.alive:
                self.blame()
                raise KernelFault("The kernel started and does not answer.")
        if not self.warm:  # a student's code may leave it no way to import what answers questions
            self.ask(START_SECONDS, do="source", name="")

    def _connect(self, channel, kind, most, deadline):
        """A wire to one of the kernel's sockets, made while only our own code has run there."""
        info = self.manager.get_connection_info()
        port = info[f"{channel}_port"]
        address = f"{info['ip']}-{port}" if info["transport"] == "ipc" else (info["ip"], port)
        while True:
            try:
                return Wire(address, kind, most, deadline)
            except OSError as error:
                if time.monotonic() > deadline or not self.alive:
                    raise KernelFault(f"The kernel started and cannot be reached: {error}") from None
                time.sleep(0.005)

    def _exchange(self, content, seconds, most):
        """Send one execute_request and gather what comes back, until it ends or is stopped."""
        content = {"allow_stdin": False, "stop_on_error": False, "user_expressions": {}, **content}
        ran, outputs, started = Ran(), Outputs(most), time.monotonic()
        if not self.alive:
            return Ran(stopped=self._why_it_ended())
        try:
            request = self.session.send(self.shell, "execute_request", content)["header"]["msg_id"]
        except Gone:
            self.close()
            return Ran(stopped=self._why_it_ended())
        waiting, interrupted, waited_before = {"reply", "idle"}, False, self._waited()
        deadline = time.monotonic() + seconds
        while waiting:
            for channel, message, size in self._messages(deadline):
                if channel == "iopub":
                    outputs.count(size)
                if message["parent_header"].get("msg_id") != request:
                    continue
                kind, body = message["header"].get("msg_type"), message["content"]
                if channel == "shell" and kind == "execute_reply":
                    waiting.discard("reply")
                    ran.answer, ran.exits = _answer(body), _asks_to_exit(body)
                    deadline = min(deadline, time.monotonic() + 2.0)  # the rest is already on its way
                elif channel == "iopub" and kind == "status" and body.get("execution_state") == "idle":
                    waiting.discard("idle")
                elif channel == "iopub" and not content["silent"]:
                    outputs.add(kind, body)
            now = time.monotonic()
            ended = None
            if outputs.full or self.shell.over or self.iopub.over:
                ended = "output"
            elif self.watch is not None and self.watch.look():
                ended = self.watch.why
            elif not self.alive:
                ended = self._why_it_ended()
            if ended:
                ran.stopped = ended
                self.close()
                break
            if now > deadline and waiting:
                if interrupted or "reply" not in waiting:
                    ran.stopped = "time" if interrupted else "output"
                    self.close()
                    break
                waited = self._waited(now=True) - waited_before
                more = min(waited, PATIENCE * seconds) - ran.waited
                if more > BUSY * seconds:  # others had the processor: that time is not the notebook's
                    ran.waited, deadline = ran.waited + more, now + more
                    continue
                ran.starved = waited - ran.waited > BUSY * seconds
                ran.stopped, interrupted, deadline = "time", True, now + GRACE_SECONDS
                self.manager.interrupt_kernel()
        if ran.stopped == "time" and self._started_others():
            self.close()  # an interrupt stops one process; what it left running would go on
        ran.outputs, ran.seconds = outputs.outputs, time.monotonic() - started
        self.waited, self.starved = self.waited + ran.waited, self.starved or ran.starved
        return ran

    def _why_it_ended(self):
        return (self.watch is not None and self.watch.why) or "death"

    def _waited(self, now=False):
        """Seconds in which the kernel was ready to run and others ran, since it was started."""
        if self.watch is None:
            return 0.0
        self.watch.look(now)
        return self.watch.last.waited

    def _started_others(self):
        contained = getattr(self.manager and self.manager.provisioner, "contained", None)
        return contained is not None and len(contained.pids()) > 1

    def _messages(self, deadline):
        """What has arrived, or arrives within a moment, as (channel, message, bytes)."""
        wait = min(0.1, max(0.0, deadline - time.monotonic()))
        ready = first_ready((self.shell, self.iopub), wait)
        for channel, wire in (("shell", self.shell), ("iopub", self.iopub)):
            for frames in wire.messages() if wire in ready else ():
                yield channel, self._read(frames, channel), sum(map(len, frames))

    def _read(self, frames, channel):
        try:
            if channel == "shell" and any(map(crowded, frames)):
                raise ValueError("more values than are read")
            _, (signature, *parts) = self.session.feed_identities(frames)
            # As Jupyter's session reads it, but for the dates that this looks for in every text.
            if compare_digest(signature, self.session.sign(parts[:4])):
                header, parent, _, content = parts[:4]
                message = {"header": header, "parent_header": parent, "content": content}
                message = {part: json.loads(written) for part, written in message.items()}
                if all(isinstance(part, dict) for part in message.values()):
                    return message
        except Exception:  # whatever a hostile kernel sends, it is no message
            pass
        return {"header": {}, "parent_header": {}, "content": {}}


def _answer(reply):
    """The bridge's text in an execute_reply; None if the question ended in an error."""
    found = reply.get("user_expressions")
    for step in ("answer", "data", "text/plain"):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _asks_to_exit(reply):
    """Whether an execute_reply asks for the kernel's end."""
    payload = reply.get("payload")
    asked = payload if isinstance(payload, list) else ()
    return any(isinstance(one, dict) and one.get("source") == "ask_exit" for one in asked)
