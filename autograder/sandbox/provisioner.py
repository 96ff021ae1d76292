"""How a kernel for a student's code is started: in the sandbox, where nothing of the host can be written.

``SandboxProvisioner`` is a Jupyter kernel provisioner, so that anything that speaks Jupyter can start
ipykernel in the sandbox: cold, as a program of its own, or ``warm``, forked from a process that has
imported everything, where that can be done. ``kernels`` talks to what is started here.
"""

import asyncio
import json
import os
import signal
import sys
import time

from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Any, Bool, List

from autograder.sandbox.box import Limits, Sandbox
from autograder.sandbox.warm import NoNursery, nursery_for

PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5}
CONNECTION_FILE = "/kernel/connection.json"
# No file of history, no nap after each question, for there are dozens to a notebook, and no end a tenth of a
# second after a cell has said exit(): what is graded by then would depend on the clock.
EXIT = "get_ipython().ask_exit = lambda: get_ipython().payload_manager.write_payload({'source': 'ask_exit'})"
SETTINGS = (
    *("--HistoryManager.hist_file=:memory:", "--IPythonKernel._execute_sleep=0"),
    f"--IPKernelApp.exec_lines={EXIT}",
)
KERNEL = ("-m", "ipykernel_launcher", *SETTINGS, "-f")
START_SECONDS = 60.0


class KernelFault(RuntimeError):
    """A kernel did not start, or cannot be talked to, through no fault of the student's."""


class SandboxProvisioner(KernelProvisionerBase):
    """Starts ipykernel in a sandbox; reached through sockets inside it, by way of /proc.

    Nothing of the host can be written from inside, not even a folder for sockets: the kernel makes
    them in its own memory, and this process opens them under /proc/PID/root.
    """

    hides = List(config=True, help="Modules that do not exist in the sandbox.")
    needs = List(config=True, help="Packages that it has beyond a student's installation.")
    limits = Any(None, allow_none=True, help="A sandbox.Limits.")
    warm = Bool(False, config=True, help="Whether to fork the kernel from a process that imported all.")
    contained = nursery = None

    @property
    def has_process(self):
        return self.contained is not None

    async def pre_launch(self, **kwargs):
        kwargs.setdefault("cmd", [])
        return kwargs

    async def launch_kernel(self, cmd, **kwargs):
        info = {
            **PORTS,
            "transport": "ipc",
            "ip": "/kernel/k",
            "key": self.parent.session.key.decode(),
            "signature_scheme": self.parent.session.signature_scheme,
            "kernel_name": "",
        }
        if self.warm:
            self._start_warm(info, self.limits or Limits())
        if self.nursery is None:
            sandbox = Sandbox(self.hides, self.needs, self.limits)
            argv = [os.path.realpath(sys.executable), *KERNEL, CONNECTION_FILE]
            self.contained = sandbox.start(argv, {CONNECTION_FILE: json.dumps(info).encode()})
        outside = self.contained.path("/kernel/k")
        await self._sockets(outside)
        self.connection_info = {**info, "ip": outside, "key": self.parent.session.key}
        return self.connection_info

    def _start_warm(self, info, limits):
        """Fork the kernel; where that cannot be done it will be started cold."""
        for _ in range(2):  # a nursery that died since it was last used is replaced by a new one
            try:
                self.nursery = nursery_for(self.hides, self.needs)
                self.contained = self.nursery.start(info, limits)
                return
            except NoNursery as why:
                self.nursery = None
                self.log.warning("No warm kernel: %s", why)

    async def _sockets(self, prefix):
        """Wait until the kernel listens, so that one attempt to connect is enough."""
        deadline = time.monotonic() + START_SECONDS
        while not all(os.path.exists(f"{prefix}-{port}") for port in PORTS.values()):
            if self.contained.process.poll() is not None or time.monotonic() > deadline:
                self.contained.kill()
                raise KernelFault(f"The kernel did not start; it says: {self.contained.output()[-2000:]}")
            await asyncio.sleep(0.005)

    async def poll(self):
        return 0 if self.contained is None else self.contained.process.poll()

    async def wait(self):
        while await self.poll() is None:
            await asyncio.sleep(0.01)
        status = await self.poll()
        self.contained = None
        return status

    async def send_signal(self, signum):
        if self.contained is None:
            return
        if signum == signal.SIGINT:
            self.contained.interrupt()
        elif signum:
            self.contained.kill()

    async def kill(self, restart=False):
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart=False):
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart=False):
        await self.kill()


class Manager(KernelManager):
    """Starts kernels and ends them; whoever talks to them does so on a line of their own.

    Where a kernel is in a sandbox, what connects to it is told inside and written to no file here.
    """

    def write_connection_file(self, **words):
        """For a kernel without a sandbox, which reads it."""
        if not isinstance(self.provisioner, SandboxProvisioner):
            super().write_connection_file(**words)

    def _connect_control_socket(self):
        """None: what a kernel sends there would be read without bound."""
