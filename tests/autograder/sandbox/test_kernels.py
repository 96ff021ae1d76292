"""Kernels in the sandbox: the provisioner as Jupyter uses it, and the talk that grading has with them."""

import os
import signal
import tempfile
import time
from importlib.metadata import EntryPoint

import pytest
from jupyter_client import connect
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from autograder.sandbox import bridge, kernels
from autograder.sandbox.box import MIB, Limits
from autograder.sandbox.kernels import KernelFault, StudentKernel
from autograder.sandbox.outputs import CUT, MOST_OUTPUTS, MOST_TEXT, Outputs
from tests.autograder.waiting import BEGIN, LateClock, has_begun

LIMITS = Limits(memory=400 * MIB, output_bytes=MIB, reply_bytes=MIB)
LONG = 120  # seconds that nothing here needs


@pytest.fixture(scope="module")
def kernel():
    kernel = StudentKernel(["rnncore.cells"], limits=LIMITS)
    yield kernel
    kernel.close()


@pytest.mark.parametrize("warm", [False, True])
def test_a_kernel_starts_where_no_file_can_be_written(warm, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
    monkeypatch.setattr(connect, "write_connection_file", lambda *_, **__: pytest.fail("a file was written"))
    kernel = StudentKernel(["rnncore.cells"], limits=LIMITS, warm=warm)
    assert kernel.warm == warm and kernel.run("1 + 1", LONG).outputs[0].data == {"text/plain": "2"}
    kernel.close()


def test_cell_prints_shows_and_raises(kernel):
    before = time.monotonic()
    ran = kernel.run("print('a'); display(2)\nprint('b'); 1 / 0", LONG)
    kinds = [output.output_type for output in ran.outputs]
    assert kinds == ["stream", "display_data", "stream", "error"]
    assert ran.stopped is None and 0 < ran.seconds <= time.monotonic() - before


def test_question_is_answered(kernel):
    kernel.run("def f(x):\n    print('not kept')\n    return x + 1", LONG)
    ran = kernel.ask(LONG, do="call", name="f", args=(2,), named={})
    assert bridge.decode(ran.answer)["value"] == 3
    assert ran.outputs == []
    ran = kernel.ask(LONG, do="look", names=["f", "g"])
    assert bridge.decode(ran.answer) == {"f": "function", "g": "missing"}


def run_out_of_time(kernel, code, monkeypatch):
    """Run a cell whose time is over soon after it says that it has begun; then it may end at its ease."""
    assert not has_begun(kernel)
    with monkeypatch.context() as patch:
        patch.setattr(kernels, "GRACE_SECONDS", LONG)
        patch.setattr(kernels, "time", LateClock(lambda: has_begun(kernel)))
        return kernel.run(code, 0.1)


def test_interrupt_crosses_the_namespace_and_the_kernel_lives_on(kernel, monkeypatch):
    kernel.run("kept = 5", LONG)
    ran = run_out_of_time(kernel, f"{BEGIN}while True: pass", monkeypatch)
    assert ran.stopped == "time"
    assert [output.ename for output in ran.outputs] == ["KeyboardInterrupt"]
    assert kernel.alive
    assert kernel.run("kept", LONG).outputs[0].data == {"text/plain": "5"}


def test_pictures_and_home_are_there(kernel):
    code = "import matplotlib.pyplot as plt, os\nplt.plot([1, 2]); plt.show()\n"
    ran = kernel.run(code + "print(os.getcwd(), os.environ['HOME'])", LONG)
    shown = [output for output in ran.outputs if output.output_type == "display_data"]
    assert set(shown[0].data) == {"text/plain", "image/png"}
    assert [output.text for output in ran.outputs if output.output_type == "stream"] == ["/work /work\n"]


def test_nobody_learns_from_a_message_who_grades(kernel):
    """Jupyter puts the name of the account into each."""
    ran = kernel.run("print(get_ipython().parent_header['header']['username'])", LONG)
    assert ran.outputs[0].text == "grader\n"


def test_input_is_refused(kernel):
    assert kernel.run("input()", LONG).outputs[-1].ename == "StdinNotImplementedError"


def test_a_killed_kernel_answers_death():
    kernel = StudentKernel(limits=LIMITS)
    assert kernel.run("import os; os._exit(1)", LONG).stopped == "death"
    assert not kernel.alive
    assert kernel.run("1", LONG).stopped == "death"
    assert kernel.ask(LONG, do="look", names=[]).stopped == "death"
    kernel.close()


def test_what_an_interrupted_cell_started_is_ended_with_it(monkeypatch):
    kernel = StudentKernel(limits=LIMITS)
    contained = kernel.manager.provisioner.contained
    ran = run_out_of_time(kernel, f"import os\nos.fork()\n{BEGIN}while True: pass", monkeypatch)
    assert ran.stopped == "time"
    # It heard the interrupt, so it was not for its silence that it was ended.
    assert [output.ename for output in ran.outputs] == ["KeyboardInterrupt"]
    assert kernel.closed and contained.pids() == []


def test_kernel_that_cannot_start_is_our_fault(monkeypatch):
    monkeypatch.setattr(
        "autograder.sandbox.provisioner.KERNEL", ("-c", "raise SystemExit('broken installation')")
    )
    with pytest.raises(KernelFault, match="broken installation"):
        StudentKernel(limits=LIMITS)


def test_jupyter_starts_kernels_through_the_provisioner():
    entry = EntryPoint("unrolled-sandbox", "autograder.sandbox.provisioner:SandboxProvisioner", "")
    KernelProvisionerFactory.instance().provisioners[entry.name] = entry
    config = {"hides": ["rnncore.cells"]}
    stanza = {"kernel_provisioner": {"provisioner_name": entry.name, "config": config}}
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=["python"], language="python", metadata=stanza)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=LONG)
        source = "import os\nprint(os.getcwd(), os.path.exists('/site/rnncore/cells'))"
        printed = []
        client.execute_interactive(source, output_hook=lambda m: printed.append(m["content"].get("text")))
        assert "/work False\n" in printed
        assert manager.is_alive()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not manager.is_alive()


# Outputs -------------------------------------------------------------------------------------------


def test_outputs_join_streams_and_keep_listed_kinds_only():
    outputs = Outputs(1000)
    outputs.add("stream", {"name": "stdout", "text": "a"})
    outputs.add("stream", {"name": "stdout", "text": "b"})
    outputs.add("stream", {"name": "stderr", "text": "c"})
    data = {"text/plain": "x", "application/javascript": "alert(1)", "image/png": 5, "text/html": "<b>"}
    outputs.add("display_data", {"data": data})
    outputs.add("comm_open", {"data": {}})
    assert [output.get("text") for output in outputs.outputs] == ["ab", "c", None]
    assert outputs.outputs[2].data == {"text/plain": "x", "text/html": "<b>"}


def test_clear_output_now_and_later():
    outputs = Outputs(1000)
    outputs.add("stream", {"name": "stdout", "text": "first"})
    outputs.add("clear_output", {"wait": True})
    assert len(outputs.outputs) == 1
    outputs.add("stream", {"name": "stdout", "text": "second"})
    assert [output.text for output in outputs.outputs] == ["second"]
    outputs.add("clear_output", {"wait": False})
    assert outputs.outputs == []


def test_outputs_are_full_by_bytes_and_by_number():
    outputs = Outputs(100)
    outputs.count(100)
    assert not outputs.full
    outputs.count(1)
    assert outputs.full
    outputs.add("display_data", {"data": {"text/plain": "late"}})
    assert outputs.outputs == []
    many = Outputs(10**9)
    for _ in range(MOST_OUTPUTS + 1):
        many.add("display_data", {"data": {}})
        many.count(1)
    assert many.full


def test_long_text_is_cut():
    outputs = Outputs(10**9)
    for _ in range(5):
        outputs.add("stream", {"name": "stdout", "text": "x" * (MOST_TEXT // 3)})
    assert outputs.outputs[0].text == "x" * MOST_TEXT + CUT


def test_kernel_that_ended_unnoticed_is_not_waited_for(monkeypatch):
    """Between two looks at a kernel it may end; sending to it must come back all the same."""
    kernel = StudentKernel()
    try:
        for pid in kernel.manager.provisioner.contained.pids():
            os.kill(pid, signal.SIGKILL)
        kernel.manager.provisioner.contained.process.wait()
        monkeypatch.setattr(StudentKernel, "alive", property(lambda self: self.manager is not None))
        assert kernel.run("1 + 1", LONG).stopped == "death"
    finally:
        kernel.close()
