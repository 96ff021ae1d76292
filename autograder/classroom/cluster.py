"""A Dask cluster as an Executor: what ``unrolled grade --scheduler ADDRESS`` grades on.

Dask brings the workers together, however they were started, and carries the tasks. Which worker takes
what is decided here: one notebook a worker at a time, and nothing is sent anywhere twice by itself. So
when a worker is lost it is known which notebook it had, and a notebook that ends its worker cannot go on
to the next one and the next. The messages are pickles, which can do anything to whoever reads them:
an address that others can reach must be encrypted, and a worker proves that it can grade before it may.
"""

import contextlib
import ipaddress
import logging
import threading
import time
import warnings
from collections import deque
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.worker import WorkerLost, within_memory
from autograder.course.places import CourseError
from autograder.gradebook.results import grader_version
from autograder.sandbox.box import NoSandbox, Sandbox

ENCRYPTED = ("tls", "wss")
LOOK_SECONDS = 0.5  # how soon a lost worker, or a new one, is noticed
CONNECT_SECONDS = 15
SILENCE_SECONDS = 120  # without a scheduler, or without any worker, before the run ends
GATHER_SECONDS = 60


def connect(address, *, tls_ca=None, tls_cert=None, tls_key=None, insecure=False):
    """A Client of the scheduler at ``address`` (as in tls://host:8786); CourseError says what is wrong.

    TLS files that are not named come from Dask's own configuration.
    """
    try:
        import dask
        from distributed import Client, Security
    except ImportError:
        raise CourseError(
            "Grading on a cluster needs the package distributed: pip install 'unrolled[cluster]'."
        ) from None
    scheme, host = _parts(address)
    files = {"tls_ca_file": tls_ca, "tls_client_cert": tls_cert, "tls_client_key": tls_key}
    files = {name: str(path) for name, path in files.items() if path is not None}
    for path in files.values():
        if not Path(path).is_file():
            raise CourseError(f"There is no file {path}, which one of the --tls options names.")
    if scheme in ENCRYPTED:
        security = Security(require_encryption=True, **files)
        for option, path in (
            ("ca", security.tls_ca_file),
            ("cert", security.tls_client_cert),
            ("key", security.tls_client_key),
        ):
            if not path:
                raise CourseError(
                    f"An encrypted scheduler needs certificates: name the file with --tls-{option}, "
                    "or in Dask's configuration (distributed.comm.tls)."
                )
    elif files:
        raise CourseError(f"{address} is not encrypted, so TLS files have no use: write tls://.")
    elif not insecure and not _loopback(host):
        raise CourseError(
            f"{address} is not encrypted, and Dask's messages are pickles, with which whoever reaches that "
            "port can run any code here: use tls:// with certificates, or --insecure on your own network."
        )
    else:
        security = None
    for name in ("distributed", "distributed.client"):  # what matters is said in our own words
        logging.getLogger(name).setLevel(logging.CRITICAL)
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GiB"})
    try:
        return Client(address, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error.__cause__ or error).split()).rstrip(".")
        raise CourseError(f"No scheduler can be talked to at {address}: {reason}.") from None


def _parts(address):
    scheme, found, rest = address.partition("://")
    if not found:
        scheme, rest = "tcp", address
    host, colon, port = rest.rstrip("/").rpartition(":")
    if not colon or not host or not port.isdigit() or scheme not in (*ENCRYPTED, "tcp", "ws"):
        raise CourseError(
            f"--scheduler is {address!r}, expected the address that `dask scheduler` prints, "
            "as in tls://host:8786."
        )
    return scheme, host.strip("[]")


def _loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def examine(hides, needs, limits, sandbox):
    """What a worker says of itself before it is given work: its grader, and why it has no sandbox."""
    says = ""
    if sandbox:
        try:
            Sandbox(hides, needs, limits)
        except NoSandbox as error:
            says = str(error)
    return {"grader": grader_version(), "no_sandbox": says}


@dataclass
class _Job:
    """One thing that a worker is doing; ``future`` is None while it is being examined."""

    future: Future | None
    remote: object


class Cluster:
    """The workers of a scheduler, for one run of a lesson; make its executors with ``executor``.

    ``client``: what ``connect`` gave. ``sandbox``: whether each worker must have a working one.
    """

    def __init__(self, client, spec, limits, sandbox=True):
        self.client, self.address = client, client.scheduler.address
        self.question = (spec.hides, spec.needs, limits, sandbox)
        self.examined, self.stuck = set(), set()

    def executor(self, workers=None):
        """An Executor on all workers that there are; ``workers`` is for pools that start their own."""
        return ClusterExecutor(self)

    def workers(self):
        """The addresses of the workers that are there now and have not been given up."""
        threads = self.client.nthreads()
        for address, count in threads.items():
            if count != 1:
                raise CourseError(
                    f"The worker {address} has {count} threads, and notebooks are graded in processes of "
                    "their own: start workers with --nthreads 1."
                )
        return threads.keys() - self.stuck

    def send(self, worker, function, *arguments):
        """Have ``function`` called on that worker and no other; returns Dask's future."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.client.submit(
                function, *arguments, workers=[worker], allow_other_workers=False, pure=False, retries=0
            )

    def approve(self, worker, remote):
        """Take a worker that answered ``examine``; raises CourseError or NoSandbox if it may not grade."""
        try:
            said = remote.result(GATHER_SECONDS)
        except Exception as error:
            raise CourseError(
                f"The worker {worker} cannot run the grader ({type(error).__name__}: {error}): "
                "install this version of the course where it runs."
            ) from None
        if said["grader"] != grader_version():
            raise CourseError(
                f"The worker {worker} has another version of the grader: install the one that is used here."
            )
        if said["no_sandbox"]:
            raise NoSandbox(f"On the worker {worker}: {said['no_sandbox']}")
        self.examined.add(worker)


class ClusterExecutor(Executor):
    """Gives each worker one task at a time; a task whose worker is lost fails with WorkerLost.

    What stops the whole run (no scheduler, no workers, a worker that may not grade) is the exception of
    every task: a CourseError, or NoSandbox.
    """

    def __init__(self, cluster):
        self.cluster = cluster
        self._waiting, self._jobs, self._fatal = deque(), {}, None
        self._closing, self._ended, self._wake = False, False, threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="cluster", daemon=True)
        self._thread.start()

    def submit(self, function, /, *arguments):
        future = Future()
        with self._lock:
            if self._closing:
                raise RuntimeError("this executor is shut down")
            if self._fatal is None:
                self._waiting.append((future, function, arguments))
            else:
                future.set_exception(self._fatal)
        self._wake.set()
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        with self._lock:
            self._closing = True
            if cancel_futures:
                for future, _, _ in self._waiting:
                    future.cancel()
                self._waiting.clear()
        self._wake.set()
        if wait:
            self._thread.join()

    def end_workers(self):
        """Give up the workers that are busy: their tasks fail, and they are sent nothing more."""
        self._ended = True
        self._wake.set()

    def _serve(self):
        silent_since = None
        while True:
            try:
                if self._ended:
                    self._give_up()
                present = self.cluster.workers()
                if present:
                    silent_since = None
                self._settle(present)
                self._hand_out(present)
                problem = f"No worker has been at {self.cluster.address} for {SILENCE_SECONDS} s: start some"
            except (CourseError, NoSandbox) as error:
                return self._fail(error)
            except Exception as error:  # the scheduler did not answer; it may do so again
                present = ()
                said = type(error).__name__
                problem = f"The scheduler at {self.cluster.address} was lost ({said}): start it"
            if not present:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > SILENCE_SECONDS:
                    again = "and run the command again: what was graded is kept."
                    return self._fail(CourseError(f"{problem}, {again}"))
            with self._lock:
                if self._closing and not self._waiting and not any(job.future for job in self._jobs.values()):
                    return
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def _settle(self, present):
        """Take the results that have come, and give up what was with a worker that is gone."""
        for worker, job in list(self._jobs.items()):
            if job.remote.status != "pending":
                del self._jobs[worker]
                if job.future is not None:
                    _deliver(job)
                elif job.remote.status in ("finished", "error"):
                    self.cluster.approve(worker, job.remote)
            elif worker not in present:
                del self._jobs[worker]
                self.cluster.examined.discard(worker)
                with contextlib.suppress(Exception):
                    job.remote.cancel()
                if job.future is not None:
                    job.future.set_exception(WorkerLost(f"the worker {worker} was lost"))

    def _hand_out(self, present):
        for worker in sorted(present - self._jobs.keys()):
            if worker not in self.cluster.examined:
                self._start(worker, None, examine, self.cluster.question)
                continue
            with self._lock:
                if not self._waiting:
                    continue
                future, function, arguments = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                self._start(worker, future, within_memory, (function, *arguments))

    def _start(self, worker, future, function, arguments):
        try:
            remote = self.cluster.send(worker, function, *arguments)
        except Exception as error:
            if future is not None:
                future.set_exception(error)
            return
        self._jobs[worker] = _Job(future, remote)
        remote.add_done_callback(lambda done: self._wake.set())

    def _give_up(self):
        self._ended = False
        for worker, job in self._jobs.items():
            self.cluster.stuck.add(worker)
            with contextlib.suppress(Exception):
                job.remote.cancel()
            if job.future is not None:
                job.future.set_exception(TimeoutError(f"the worker {worker} did not answer in time"))
        self._jobs.clear()

    def _fail(self, error):
        with self._lock:
            self._fatal = error
            futures = [future for future, _, _ in self._waiting]
            futures += [job.future for job in self._jobs.values() if job.future is not None]
            self._waiting.clear()
        for job in self._jobs.values():
            with contextlib.suppress(Exception):
                job.remote.cancel()
        self._jobs.clear()
        for future in futures:
            if not future.cancelled():
                future.set_exception(error)


def _deliver(job):
    """Pass on what Dask's future holds; one that Dask forgot is a fault that is tried again."""
    remote, future = job.remote, job.future
    try:
        if remote.status == "error":
            future.set_exception(remote.exception(GATHER_SECONDS))
        else:
            future.set_result(remote.result(GATHER_SECONDS))
    except BaseException as error:
        if not future.done():
            future.set_exception(ConnectionError(f"its result was lost ({type(error).__name__})"))
