"""Worker processes of which any may die at any moment: every task ends, on every Python that there is here.

What is done in them is of the standard library: interpreters without the course's packages run it, too.
"""

import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

from autograder.classroom.processes import Processes, process_pool, started_early
from autograder.classroom.worker import MEMORY, MOST_ANSWER, WorkerLost, within_memory
from autograder.sandbox.box import Sandbox
from tests.autograder.standins import abort_when_full
from tests.autograder.waiting import FOR_EVER, descendants, is_worker, listen, wait_until

ROOT = Path(__file__).parents[3]
PYTHONS = [sys.executable, "/usr/bin/python3", *(f"python3.{minor}" for minor in range(11, 16))]

# Workers that die in every way, then Ctrl-C while others are busy; at last a word that all of it has ended.
SCENARIO = """
import os, signal, sys, threading, time
from concurrent.futures import wait
from autograder.classroom.processes import process_pool

pool = process_pool(2)
kinds = [
    pool.submit(*words)
    for words in [
        (os._exit, 3),
        (signal.raise_signal, signal.SIGKILL),
        (eval, "lambda: 1"),
        (os.abort,),
        (eval, "exit()"),
        (os.closerange, 3, 100),
        (int, "7"),
    ]
]
wait(kinds)
print(*(type(one.exception()).__name__ if one.exception() else one.result() for one in kinds), flush=True)
busy = [pool.submit(time.sleep, 3600) for _ in range(5)]
try:
    while not busy[0].running():
        time.sleep(0.01)
    threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
    wait(busy)
except KeyboardInterrupt:
    pool.end_workers()
finally:
    pool.shutdown(cancel_futures=True)
print("all of it", *sorted({one.done() for one in busy}))
"""


def answers(python):
    """Whether there is such an interpreter, and new enough."""
    if shutil.which(python) is None:
        return False
    asked = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True
    )
    return asked.stdout.strip() == b"True"


@pytest.fixture
def pool():
    with Processes(2) as pool:
        yield pool


@pytest.mark.parametrize("python", PYTHONS)
def test_whatever_dies_every_task_ends(python):
    if not answers(python):
        pytest.skip(f"there is no {python} from 3.11 on here")
    done = subprocess.run(
        [python, "-c", SCENARIO],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=FOR_EVER,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=listen,
    )
    lost = "WorkerLost"
    error = done.stdout.split()[2]  # what cannot be pickled is called so, or PicklingError
    assert done.stdout.splitlines() == [
        f"{lost} {lost} {error} {lost} SystemExit {lost} 7",
        "all of it True",
    ], done.stderr
    assert error in ("AttributeError", "PicklingError") and done.returncode == 0


def test_a_task_that_kills_its_worker_harms_no_neighbour(pool):
    tasks = [
        pool.submit(os._exit, 3) if number % 3 == 0 else pool.submit(abs, -number) for number in range(9)
    ]
    wait(tasks)
    for number, task in enumerate(tasks):
        if number % 3 == 0:
            with pytest.raises(WorkerLost, match="exit status 3"):
                task.result()
        else:
            assert task.result() == number


def test_a_worker_that_is_idle_when_it_dies_is_replaced(pool):
    for _ in range(9):  # it may be seen to have ended before it is asked again, or after
        first = pool.submit(os.getpid).result()
        os.kill(first, signal.SIGKILL)
        assert pool.submit(os.getpid).result() != first


def test_a_task_that_no_dying_worker_has_begun_is_lost_with_none_of_them(pool):
    wait_until(lambda: len(pool._workers) == 2 and all(one.ready for one in pool._workers))
    first, second = [one.process.pid for one in pool._workers]
    os.kill(first, signal.SIGSTOP)  # as slow to go as one that ends on a busy machine
    os.kill(second, signal.SIGSTOP)
    task = pool.submit(os.getpid)
    wait_until(task.running)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: pool._workers[0].process.pid == second and len(pool._workers) == 2)
    os.kill(second, signal.SIGKILL)
    assert task.result() not in (first, second)


def test_too_much_memory_is_a_memory_error_and_the_next_task_has_all_of_it_again(pool):
    with pytest.raises(MemoryError):
        pool.submit(bytes, MEMORY).result()
    assert pool.submit(len, bytes(2**20)).result() == 2**20
    with pytest.raises(MemoryError, match="MiB"):
        pool.submit(bytes, MOST_ANSWER + 1).result()


def test_a_worker_that_died_of_its_memory_is_told_from_one_that_was_lost(pool):
    with pytest.raises(MemoryError, match="had used up its 1536 MiB and ended by SIGABRT"):
        pool.submit(abort_when_full).result()


def test_a_worker_that_keeps_what_it_took_is_replaced():
    with Processes(1) as pool:
        first = pool.submit(os.getpid).result()
        assert pool.submit(os.getpid).result() == first
        hoard = f"import sys; sys.hoard = bytearray({MEMORY // 2})"
        pool.submit(exec, hoard).result()
        assert pool.submit(os.getpid).result() != first


def test_a_process_that_is_not_ours_alone_has_its_limit_back():
    most = 4 * MEMORY
    with Processes(1, memory=most) as pool:
        with pytest.raises(MemoryError):
            pool.submit(within_memory, bytes, 2 * MEMORY).result()
        assert pool.submit(resource.getrlimit, resource.RLIMIT_DATA).result()[0] == most


def test_the_limit_of_a_worker_is_not_the_limit_of_what_it_starts_in_a_sandbox():
    from autograder.sandbox.box import Sandbox

    Sandbox()
    code = f"print(len(bytes({MEMORY})))"
    with Processes(1) as pool:
        assert pool.submit(in_a_sandbox, code).result() == (0, f"{MEMORY}\n")


def in_a_sandbox(code):
    from autograder.sandbox.box import Sandbox

    return Sandbox().run(code, FOR_EVER)


def test_what_cannot_be_sent_is_that_tasks_error(pool):
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pool.submit(lambda: 1).result()
    with pytest.raises(RuntimeError, match="Odd: 1, 2"):
        pool.submit(exec, "class Odd(Exception): pass\nraise Odd('1, 2')").result()
    assert pool.submit(int, "7").result() == 7


def test_workers_end_with_what_forked_them_and_another_takes_its_place(pool):
    first = pool.submit(os.getppid).result()
    assert first == pool.submit(os.getppid).result() == pool._zygote.process.pid
    busy = [pool.submit(time.sleep, FOR_EVER) for _ in range(2)]
    wait_until(lambda: all(one.running() for one in busy))
    before = workers()
    os.kill(first, signal.SIGKILL)
    for one in busy:
        with pytest.raises(WorkerLost, match="ended with the process that had forked it"):
            one.result()
    assert pool.submit(os.getppid).result() != first and not any(one.lives() for one in before)


def test_what_forks_workers_has_imported_what_a_lesson_needs_and_started_no_thread():
    names = {"autograder.judging.notebook", "rnncore.exercises.bptt", "torch", "torch._dynamo"}
    with process_pool(1, needs=["torch", "no-such-package"]) as pool:
        loaded = pool.submit(eval, "list(__import__('sys').modules)").result()
        assert names <= set(loaded) and "rnncore.given.standin" not in loaded
        assert len(os.listdir(f"/proc/{pool._zygote.process.pid}/task")) == 1
    with Processes(1, prepare=("no_such_module", "function", [])) as pool:
        assert pool.submit(int, "7").result() == 7  # whoever needs it will say so


def test_what_has_threads_is_not_forked():
    with Processes(1, prepare=("tests.autograder.standins", "start_a_thread", [])) as pool:
        loaded = pool.submit(eval, "list(__import__('sys').modules)").result()
        assert "autograder.classroom.worker" in loaded and "tests.autograder.standins" not in loaded
        assert len(os.listdir(f"/proc/{pool._zygote.process.pid}/task")) == 1


def test_a_pool_that_is_ended_while_its_workers_are_prepared_waits_for_nothing():
    before = descendants(os.getpid())
    with Processes(1, prepare=("time", "sleep", [FOR_EVER])) as pool:
        tasks = [pool.submit(int, "7") for _ in range(2)]
        wait_until(lambda: pool._zygote)
        pool.end_workers()  # another is made, in which it lasts as long
        pool.shutdown(wait=False, cancel_futures=True)
    left = [one for one in descendants(os.getpid()) if one.lives() and one not in before]
    assert all(one.cancelled() for one in tasks) and not left


def test_stuck_workers_are_ended_and_the_rest_goes_on(pool):
    stuck = [pool.submit(time.sleep, FOR_EVER) for _ in range(2)]
    rest = pool.submit(int, "7")
    wait_until(lambda: all(one.running() for one in stuck))
    pool.end_workers()
    for one in stuck:
        with pytest.raises(WorkerLost, match="did not answer in time"):
            one.result()
    assert rest.result() == 7


def test_a_worker_that_was_stopped_in_the_middle_of_a_message_is_ended():
    """The thread that looks after the workers is then waiting for the rest of it."""
    with Processes(1) as pool:
        number = pool.submit(os.getpid).result()
        wait_until(lambda: pool._workers[0].ready)
        os.kill(number, signal.SIGSTOP)
        large = pool.submit(len, bytes(2**22))
        wait_until(large.running)
        pool.end_workers()
        with pytest.raises(WorkerLost):
            large.result()
        assert pool.submit(int, "7").result() == 7


def test_where_no_worker_can_be_started_every_task_says_so(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Processes(2) as pool, pytest.raises(RuntimeError, match="no worker can be started"):
        pool.submit(int, "7").result()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Processes(2) as pool:
        for _ in range(2):  # asked while it tries to start them, perhaps, and after it has given up
            with pytest.raises(RuntimeError, match="the workers cannot be kept"):
                pool.submit(int, "7").result()
            pool._thread.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent_however_it_ends(number):
    code = (
        "import os, time; from autograder.classroom.processes import process_pool; pool = process_pool(2)\n"
        "print(*{pool.submit(os.getpid).result() for _ in range(9)}, flush=True)\n"
        "[pool.submit(time.sleep, 3600) for _ in range(2)]; time.sleep(3600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout.readline()
    wait_until(lambda: len(descendants(parent.pid)) == 3)  # two workers, and what forked them
    started = descendants(parent.pid)
    parent.send_signal(number)
    parent.communicate()
    wait_until(lambda: not any(one.lives() for one in started))


def workers():
    """The workers that this process has now."""
    return list(filter(is_worker, descendants(os.getpid())))


def test_a_pool_that_is_shut_down_leaves_no_process():
    pool = process_pool(3)
    pool.submit(time.sleep, 0)
    pool.shutdown()
    assert not workers()
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(int)


def test_a_worker_begins_with_the_process_that_forks_its_kernels_where_it_is_told_so():
    Sandbox()  # or there is none to be had
    begun = "len(__import__('autograder.sandbox.warm', fromlist=['x'])._kept)"
    for nursery, number in ((["rnncore.cells"], []), 1), (([], ["no-such-package"]), 0), (None, 0):
        with process_pool(1, nursery) as pool:
            assert pool.submit(eval, begun).result() == number


KERNELS = []  # of a worker, as long as it lives


def fork_a_kernel():
    """(this worker, the kernel's first process, whether another process started what forked it)."""
    from autograder.sandbox.kernels import StudentKernel

    KERNELS.append(StudentKernel(["rnncore.cells"], warm=True))
    kernel = KERNELS[-1]
    assert kernel.run("print(7)", FOR_EVER).outputs[0].text == "7\n"
    return os.getpid(), kernel.manager.provisioner.contained.root_pid, kernel.nursery.contained is None


def kernels_of(pool, *workers):
    """A kernel of each of these workers, or of any two: {worker: (its kernel, whether another forked it)}."""
    found = {}
    while len(found) < 2 or not found.keys() >= set(workers):
        for asked in [pool.submit(fork_a_kernel) for _ in range(2)]:
            worker, kernel, lent = asked.result()
            found[worker] = kernel, lent
    return found


def test_workers_share_what_forks_their_kernels_and_a_dead_ones_kernel_ends_alone():
    Sandbox()  # or there is none to be had
    with process_pool(2, (["rnncore.cells"], [])) as pool:
        (dies, (ends, lent)), (stays, (goes_on, lent_too)) = kernels_of(pool).items()
        assert lent and lent_too and len(pool._nurseries) == 1
        os.kill(dies, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{ends}"))
        assert os.path.exists(f"/proc/{goes_on}")
        again = kernels_of(pool, stays)  # and of the one in the dead one's place
        assert again[stays][1] and dies not in again
        pool._nurseries[0].kill()
        assert not any(lent for _, lent in kernels_of(pool, stays).values())
        kernels = [kernel for kernel, _ in again.values()]
    wait_until(lambda: not any(os.path.exists(f"/proc/{kernel}") for kernel in [*kernels, goes_on]))


def test_workers_that_are_started_early_are_the_first_pools_and_end_unless_they_are_asked_for():
    with started_early(1) as pools:
        wait_until(lambda: len(workers()) == 1)
        (early,) = workers()
        with pools(2) as pool:
            wait_until(lambda: len(workers()) == 2)  # more were wanted after all
            assert early in workers() and pool.submit(int, "7").result() == 7
        assert not workers()
        with pools(1) as pool:
            assert pool.submit(int, "7").result() == 7
    with started_early(2):
        wait_until(lambda: workers())
    assert not workers()
