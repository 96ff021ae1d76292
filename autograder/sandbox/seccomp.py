"""Which system calls the sandbox refuses: those that make namespaces, mounts or trace other processes.

No notebook needs them, and most ways out of a namespace begin with one of them. Refused as well is memory
that belongs to no process and so would be counted for none, and every family of sockets but three: the
kernel's own sockets are files, what it forks prints through the loopback, and ZeroMQ asks the third for the
name of that. The size of a socket's buffers stays as it is, whatever is asked for, and nobody leaves the
processor that they were given. The filter is a small
program for the Linux kernel (classic BPF over ``struct seccomp_data``; see seccomp(2)), made here by
hand because it is a plain list. On a processor other than the two below there is no filter, and the
namespaces, capabilities and resource limits stand alone.
"""

import errno
import os
import struct

CLONE_NEWUSER = 0x10000000
SAME_EVERYWHERE = (
    425,
    428,
    429,
    430,
    432,
    442,
    447,
)  # io_uring_setup, open_tree, move_mount, fsopen, fsmount, ..., memfd_secret
CLONE3 = 435
MAP_SHARED, MAP_ANONYMOUS = 0x01, 0x20
UNIX, INET, NETLINK, ROUTE = 1, 2, 16, 0  # families of sockets, and the one protocol of the last
SOCKETS, SNDBUF, RCVBUF, SNDBUFFORCE, RCVBUFFORCE = 1, 7, 8, 32, 33  # a level of options, and four of it

# machine: (AUDIT_ARCH, clone, mmap, (socket, socketpair, setsockopt), refused calls in the order of WHAT)
WHAT = """ptrace pivot_root mount umount2 init_module finit_module kexec_load add_key request_key keyctl
unshare setns perf_event_open open_by_handle_at process_vm_readv process_vm_writev bpf userfaultfd
memfd_create shmget msgget semget sched_setaffinity"""
MACHINES = {
    "x86_64": (
        0xC000003E,
        56,
        9,
        (41, 53, 54),
        (
            *(101, 155, 165, 166, 175, 313, 246, 248, 249, 250, 272, 308, 298, 304, 310, 311, 321, 323),
            *(319, 29, 68, 64, 203),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        222,
        (198, 199, 208),
        (
            *(117, 41, 40, 39, 105, 273, 104, 217, 218, 219, 97, 268, 241, 265, 270, 271, 280, 282),
            *(279, 194, 186, 190, 122),
        ),
    ),
}

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE = 0, 4  # offsets in struct seccomp_data, as are these
FIRST_ARGUMENT, SECOND_ARGUMENT, THIRD_ARGUMENT, FOURTH_ARGUMENT = 16, 24, 32, 40


def refusals(machine=None):
    """The filter as bytes for ``bwrap --seccomp``, or None for a processor that is not known here."""
    machine = machine or os.uname().machine
    if machine not in MACHINES:
        return None
    architecture, clone, mmap, (socket, socketpair, setsockopt), refused = MACHINES[machine]
    yes, no = _line(RETURN, ALLOW), _line(RETURN, REFUSE | errno.EPERM)
    unknown = _line(RETURN, REFUSE | errno.ENOSYS)  # libraries then fall back to the older call
    program = [_line(LOAD, ARCHITECTURE), _line(EQUAL, architecture, 1, 0), unknown, _line(LOAD, NUMBER)]
    program += [_line(AT_LEAST, 0x40000000, 0, 1), unknown]
    program += [_line(EQUAL, CLONE3, 0, 1), unknown]
    for number in (*refused, *SAME_EVERYWHERE):
        program += [_line(EQUAL, number, 0, 1), no]
    for number in (socket, socketpair):
        program += [_line(EQUAL, number, 0, 8), _line(LOAD, FIRST_ARGUMENT)]
        program += [_line(EQUAL, UNIX, 5, 0), _line(EQUAL, INET, 4, 0), _line(EQUAL, NETLINK, 0, 2)]
        program += [_line(LOAD, THIRD_ARGUMENT), _line(EQUAL, ROUTE, 1, 0)]
        program += [_line(RETURN, REFUSE | errno.EAFNOSUPPORT), yes]
    # Larger buffers are granted in words only: libraries ask for them, and none looks whether it has them.
    program += [_line(EQUAL, setsockopt, 0, 9), _line(LOAD, SECOND_ARGUMENT), _line(EQUAL, SOCKETS, 0, 5)]
    program += [_line(LOAD, THIRD_ARGUMENT), _line(EQUAL, SNDBUF, 4, 0), _line(EQUAL, RCVBUF, 3, 0)]
    program += [_line(EQUAL, SNDBUFFORCE, 2, 0), _line(EQUAL, RCVBUFFORCE, 1, 0)]
    program += [yes, _line(RETURN, REFUSE | 0)]
    # Anonymous memory that is shared stays when nobody holds it, and is then nobody's.
    program += [_line(EQUAL, mmap, 0, 5), _line(LOAD, FOURTH_ARGUMENT)]
    program += [_line(ANY_BIT, MAP_ANONYMOUS, 0, 2), _line(ANY_BIT, MAP_SHARED, 0, 1)]
    program += [no, yes]
    program += [_line(EQUAL, clone, 0, 3), _line(LOAD, FIRST_ARGUMENT), _line(ANY_BIT, CLONE_NEWUSER, 0, 1)]
    return b"".join([*program, no, yes])


def _line(code, value, if_true=0, if_false=0):
    """One instruction: struct sock_filter."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
