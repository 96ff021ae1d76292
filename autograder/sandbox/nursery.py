"""The program inside a warm worker's sandbox: imports once, then forks a kernel for each notebook.

It runs only our own code and holds nothing secret: no course, no key, no student's work. For each request
it forks a child that enters namespaces of its own, covers every writable folder with an empty one, takes
its limits, gives up all privileges, and becomes a Jupyter kernel like one that was started cold. Nothing
that a student's code does can come back here: this process never reads from a child. ``warm`` is the other
end. The file is run by its path and imports nothing of the autograder.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import signal
import socket
import struct
import sys
from pathlib import Path

# As in ``provisioner``, where it is said what for.
EXIT = "get_ipython().ask_exit = lambda: get_ipython().payload_manager.write_payload({'source': 'ask_exit'})"
SETTINGS = (
    *("--HistoryManager.hist_file=:memory:", "--IPythonKernel._execute_sleep=0"),
    f"--IPKernelApp.exec_lines={EXIT}",
)
KERNEL = ("/site/ipykernel_launcher.py", *SETTINGS, "-f")
CONNECTION_FILE = "/kernel/connection.json"
FONTS = "/tmp/matplotlib"
IMPORTS = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.datapub", "IPython.core.pylabtools"),
    *("IPython.core.completerlib", "numpy", "numpy.testing", "numpy.random", "numpy.linalg", "numpy.fft"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib_inline.config"),
    *("tqdm.auto", "unrolled_bridge", "sqlite3", "zmq.eventloop.zmqstream", "ipykernel.debugger", "pdb"),
    *("IPython.core.oinspect", "IPython.core.debugger_backport", "IPython.extensions.storemagic"),
    *("tornado.platform.asyncio", "tornado.queues", "encodings.idna", "encodings.latin_1", "http.server"),
)
# What a needed package would import later: torch takes as long again when it first makes an optimiser.
LATER = {"torch": ("torch._dynamo", "torch.nn.utils.rnn")}
ROOMS = ("rnncore", "rnncore.topics", "rnncore.given")  # all that lies in these; of others, the folder
NOT_NOW = ("rnncore.given.standin",)  # importing it adds a device to torch
MOST_REQUEST = 2**16

NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 2**18
SET_DUMPABLE, SET_SECCOMP, DROP_BOUND, SET_NO_NEW_PRIVS, AMBIENT = 4, 22, 24, 38, 47
AMBIENT_CLEAR_ALL, FILTER = 4, 2
LAST_CAPABILITY = 63
CAPABILITIES_VERSION = 0x20080522
UP_AND_RUNNING, SIOCSIFFLAGS = 0x41, 0x8914

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    """A call of the C library; OSError where it fails."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def prctl(option, *arguments):
    call("prctl", option, *(ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]))


def mount(source, target, kind, flags, options=None):
    words = [word.encode() if word else None for word in (source, target, kind)]
    call("mount", *words, ctypes.c_ulong(flags), options.encode() if options else None)


# In the nursery ---------------------------------------------------------------------------------------


def modules_of(needs):
    """The modules that a notebook may import from the packages that its lesson needs."""
    names = [name.replace("-", "_") for name in needs]
    return names + [name for need in needs for name in LATER.get(need, ())]


def import_all(needs):
    """Import what a lesson may use, as far as it is there."""
    gc.disable()  # none of it is garbage, and to look for some takes a quarter of the time
    names = [*IMPORTS, *modules_of(needs)]
    for room in ROOMS:
        with contextlib.suppress(ImportError):
            modules = pkgutil.iter_modules(importlib.import_module(room).__path__, f"{room}.")
            names += [module.name for module in modules if module.name not in NOT_NOW]
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def serve(lines):
    """Fork a child for every request that arrives; returns only in a child, which is then a kernel."""
    fonts = {path.name: path.read_bytes() for path in Path(FONTS).glob("*.json")}
    prctl(SET_DUMPABLE, 0)
    gc.collect()
    gc.enable()
    gc.freeze()  # what is here now is never garbage: collecting must not touch pages shared with children
    for line in lines:
        with contextlib.suppress(OSError):  # who asked for it is gone
            line.send(b"ready")
    while lines:
        for line in select.select(lines, (), ())[0]:
            text, descriptors, _, _ = socket.recv_fds(line, MOST_REQUEST, 3)
            if not text:
                lines.remove(line)
                line.close()
                continue
            child = os.fork()
            if child == 0:
                for one in lines:
                    one.close()
                answer, output, rules = descriptors
                request = json.loads(text)
                enter(answer, output, os.pread(rules, MOST_REQUEST, 0), request, fonts)
                return
            for descriptor in descriptors:
                os.close(descriptor)
            os.waitpid(child, 0)
    os._exit(0)


# In a child: from here to a kernel ----------------------------------------------------------------------


def enter(answer, output, rules, request, fonts):
    """Become the second process of a sandbox of our own; the first looks after it, then all end.

    The process that was forked only opens the door: it tells ``warm`` who is behind it, and ends. Nothing
    begins before ``warm`` has answered, and whoever asked for the sandbox keeps it only while they live.
    """
    answer = socket.socket(fileno=answer)
    try:
        call("unshare", NEWNS | NEWPID | NEWIPC | NEWNET)
        child = os.fork()
        if child:
            who = os.pidfd_open(child)
            socket.send_fds(answer, [b"started"], [who])
            os._exit(0)
        prepare_folders(request, fonts)
        raise_loopback()
        os.setsid()
        for standard in (1, 2):
            os.dup2(output, standard)
        become_nobody(request["user"])
        take_limits(request["limits"])
        if request["processor"] is not None:
            os.sched_setaffinity(0, [request["processor"]])
        refuse_calls(rules)
        prctl(SET_DUMPABLE, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        answer.send(b"inside")
        if not answer.recv(100):
            os._exit(1)
        owner = answer.detach()
        os.closerange(3, owner)
        os.closerange(owner + 1, 4096)
    except BaseException as error:
        with contextlib.suppress(OSError):
            answer.send(f"{type(error).__name__}: {error}".encode()[:2000])
        os._exit(1)
    child = os.fork()
    if child:
        look_after(child, owner)
    os.close(owner)
    prctl(SET_DUMPABLE, 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir("/work")


def look_after(child, owner):
    """What the first process of a namespace does: reap, and end with the one that matters.

    ``owner``: a socket that hangs up when whoever asked for this sandbox is gone, which ends it as well.
    """
    signal.signal(signal.SIGIO, lambda number, frame: os._exit(1))
    fcntl.fcntl(owner, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(owner, fcntl.F_SETFL, os.O_ASYNC)
    gone = select.poll()
    gone.register(owner, 0)
    if gone.poll(0):  # before it could be told
        os._exit(1)
    while True:
        ended, status = os.wait()
        if ended == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def prepare_folders(request, fonts):
    """Cover every folder that can be written with an empty one, and /proc with one of this namespace."""
    mount(None, "/", None, RECURSIVE | PRIVATE)
    mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    for name in ("sys", "sysrq-trigger", "irq", "bus"):  # as bubblewrap does
        path = f"/proc/{name}"
        if os.path.exists(path):
            mount(path, path, None, BIND | RECURSIVE)
            mount(None, path, None, REMOUNT | BIND | RDONLY | NOSUID | NODEV | NOEXEC)
    terminals = f"newinstance,ptmxmode=0666,mode=620,max={request['terminals']}"  # the machine has 4096
    mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, terminals)
    for folder in ("/work", "/tmp", "/dev/shm", "/kernel"):
        size = 2**20 if folder == "/kernel" else request["disk"]
        mount("tmpfs", folder, "tmpfs", NOSUID | NODEV, f"mode=1777,size={size}")
    os.mkdir(FONTS)
    os.chmod(FONTS, 0o1777)
    for name, content in fonts.items():
        write(f"{FONTS}/{name}", content)
    write(CONNECTION_FILE, json.dumps(request["connection"]).encode())


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o444)


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", UP_AND_RUNNING))


def become_nobody(user):
    """Another user without any capability; where we are not root, one in a user namespace of its own."""
    prctl(SET_NO_NEW_PRIVS, 1)
    if user:
        forgo_capabilities()
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    else:
        call("unshare", NEWUSER)
        prctl(SET_DUMPABLE, 1)  # or else the three files belong to root
        for name, line in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
            Path("/proc/self", name).write_text(line)
        forgo_capabilities()
    prctl(AMBIENT, AMBIENT_CLEAR_ALL)
    call("capset", struct.pack("Ii", CAPABILITIES_VERSION, 0), bytes(24))


def forgo_capabilities():
    for capability in range(LAST_CAPABILITY + 1):
        with contextlib.suppress(OSError):  # beyond the last one that there is
            prctl(DROP_BOUND, capability)


def take_limits(limits):
    for name, value in limits.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(getattr(resource, name), (value, value))


def refuse_calls(rules):
    """Install the filter of system calls: ``rules`` is an array of struct sock_filter."""
    program = ctypes.create_string_buffer(rules, len(rules))
    pointer = ctypes.c_ulong(ctypes.addressof(program))
    pointed = ctypes.create_string_buffer(struct.pack("H6xL", len(rules) // 8, pointer.value))
    call("prctl", SET_SECCOMP, ctypes.c_ulong(FILTER), ctypes.c_ulong(ctypes.addressof(pointed)))


def kernel_application():
    """ipykernel's application, which has read its arguments and made nothing yet."""
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.clear_instance()
    application = IPKernelApp.instance()
    application.parse_command_line([*KERNEL[1:], CONNECTION_FILE])
    application.parse_command_line = lambda argv=None: None  # each child would do so again, with this result
    return application


def become_kernel(application):
    """Start ipykernel as if it had been started alone."""
    import random

    import numpy as np

    random.seed()
    np.random.seed()  # noqa: NPY002  students' own code may draw from it
    if "torch" in sys.modules:
        sys.modules["torch"].seed()
    sys.argv = [*KERNEL, CONNECTION_FILE]
    application.initialize()
    application.start()


if __name__ == "__main__":
    sys.path.remove("/kernel")
    lines = [socket.socket(fileno=int(number)) for number in sys.argv[1].split(",")]
    import_all(sys.argv[2:])
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("an imported package has started a thread, so nothing can be forked here")
    kernel = kernel_application()
    serve(lines)
    become_kernel(kernel)
