"""What a student's code can see: bubblewrap's arguments for a list of what is allowed.

The system's /usr and the Python interpreter without the packages installed in them, the packages of a
student's own installation, and rnncore file by file without what is hidden from the lesson (``absent``
says so to whoever imports it). Whatever is not on the list does not exist in the sandbox, and nothing on it
can be written.
"""

import csv
import functools
import importlib.metadata
import importlib.util
import os
import posixpath
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

STUDENT_PACKAGES = ("ipykernel", "numpy", "matplotlib", "tqdm", "ipywidgets")
NOT_SHOWN = ("debugpy",)  # required by ipykernel, which does without: a tenth of a second of every start
# The answers, the grader, and a stand-in for a GPU, which writes every cell out in torch's operations.
NEVER = ("rnncore.exercises", "rnncore.given.standin", "autograder")
WORK = "/work"

# What a sandboxed process has for an environment. One thread each: many kernels share the cores.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": WORK,
    "USER": "student",
    "LOGNAME": "student",
    "LANG": "C.UTF-8",
    "PYTHONPATH": "/site",
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "IPYTHONDIR": "/tmp/ipython",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


class NoSandbox(RuntimeError):
    """There is no working sandbox here; the message is one sentence that says what to do."""


def python():
    """The interpreter that runs in the sandbox: this one's own, whatever environment it is called by."""
    return os.path.realpath(sys.executable)


def view(hides, needs, nursery=False):
    """bubblewrap's arguments for namespaces, environment and everything that can be read.

    ``nursery``: what is started keeps the rights to make namespaces and mounts for others (``warm``).
    """
    arguments = ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--cap-drop", "ALL"]
    arguments += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() == 0:  # started by root, the launcher becomes a user of its own
        arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    elif nursery:
        # The last is what Linux asks of one who maps its user 0 into another namespace.
        arguments += ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "CAP_SETFCAP"]
    else:
        arguments += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"]
    if nursery:
        for right in ("CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETPCAP"):
            arguments += ["--cap-add", right]
    arguments += ["--clearenv"]
    for name, value in ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    # Memory mapped from /dev/zero would belong to nobody, as what ``seccomp`` refuses would.
    arguments += ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero", *_system()]
    shown = {**_rnncore(hides), **_packages(hides, needs)}
    shown["/site/unrolled_bridge.py"] = Path(__file__).with_name("bridge.py")
    shown["/site/sitecustomize.py"] = Path(__file__).with_name("absent.py")
    arguments += _folders(shown)
    for inside, host in shown.items():  # "try", because an editor may put a new file in a file's place
        arguments += ["--ro-bind-try", str(host), inside]
    return arguments


def _folders(paths):
    """Make the folders above ``paths``, searchable by all: bubblewrap alone makes them 0700."""
    parents = set()
    for path in paths:
        while (path := posixpath.dirname(path)) not in parents and path != "/":
            parents.add(path)
    return [word for parent in sorted(parents) for word in ("--perms", "0755", "--dir", parent)]


def _system():
    """The system and the interpreter, read-only, without the packages installed in them."""
    roots = [Path("/usr")]
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        top = Path("/", name)
        if top.is_symlink():
            arguments += ["--symlink", os.readlink(top), str(top)]
        elif top.is_dir():
            arguments += ["--ro-bind", str(top), str(top)]
    for file in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime"):
        arguments += ["--ro-bind-try", file, file]
    for prefix in {Path(sys.base_prefix).resolve(), Path(python()).parent.parent}:
        if not prefix.is_relative_to("/usr"):
            arguments += [*_folders([str(prefix)]), "--ro-bind", str(prefix), str(prefix)]
            roots.append(prefix)
    masks = {Path.home().resolve(), Path.cwd().resolve()}
    masks = {mask for mask in masks if any(mask != root and mask.is_relative_to(root) for root in roots)}
    for root in (*roots, Path("/usr/local")):
        masks.update(folder.resolve() for folder in root.glob("lib*/python3*/*-packages"))
    for mask in sorted(masks):
        arguments += ["--tmpfs", str(mask), "--remount-ro", str(mask)]
    return arguments


@functools.lru_cache(maxsize=1024)
def _distribution(name):
    """(What is installed under a name, its requirements); PackageNotFoundError where there is none."""
    distribution = importlib.metadata.distribution(name)
    return distribution, tuple(map(Requirement, distribution.requires or ()))


@functools.lru_cache(maxsize=1024)
def _tops(distribution):
    """The files and folders of a distribution that lie beside those of others."""
    # Its record as text: ``distribution.files`` makes an object of each of thousands of files.
    record = distribution.read_text("RECORD")
    if record:
        return {row[0].split("/")[0] or "/" for row in csv.reader(record.splitlines()) if row}
    tops = {file.parts[0] for file in distribution.files or ()}
    return tops or set((distribution.read_text("top_level.txt") or distribution.name).split())


@functools.lru_cache(maxsize=32)
def _packages(hides, needs):
    """The files of a student's packages and all that these require: path inside -> path here."""
    queue = [(name, "") for name in (*STUDENT_PACKAGES, *needs)]
    seen, found = set(), {}
    while queue:
        name, extra = queue.pop()
        if (canonicalize_name(name), extra) in seen or name in NOT_SHOWN:
            continue
        seen.add((canonicalize_name(name), extra))
        try:
            distribution, requirements = _distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name in needs:
                raise NoSandbox(
                    f"The lesson needs the package {name}, which is not installed here: "
                    f"install it with `{sys.executable} -m pip install {name}`."
                ) from None
            continue
        for requirement in requirements:
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                queue += [(requirement.name, wanted) for wanted in ("", *requirement.extras)]
        for top in _tops(distribution):
            host = Path(distribution.locate_file(top))
            if top in ("..", "__pycache__", "/") or top.endswith(".pth") or not host.exists():
                continue
            if top.split(".")[0] not in hides:
                found[f"/site/{top}"] = host
    return found


def _rnncore(hides):
    """rnncore file by file, without hidden modules and compiled leftovers: path inside -> path here."""
    folder = Path(importlib.util.find_spec("rnncore").origin).parent
    found = {}
    for file in sorted(folder.rglob("*")):
        parts = ("rnncore", *file.relative_to(folder).parts)
        names = {".".join((*parts[:end], parts[end].split(".")[0])) for end in range(len(parts))}
        if file.is_file() and "__pycache__" not in parts and names.isdisjoint((*hides, *NEVER)):
            found["/".join(("/site", *parts))] = file
    return found


@functools.lru_cache(maxsize=1)
def font_lists():
    """Matplotlib's list of the system's fonts, which takes a second to make: made here once, for all."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    usual = Path(os.environ.get("MPLCONFIGDIR") or Path(caches, "matplotlib"))
    if found := sorted(usual.glob("fontlist-*.json")):
        return found
    import matplotlib.font_manager  # which makes one where there is none

    return sorted(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))
