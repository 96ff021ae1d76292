"""The line to a kernel's socket: ZeroMQ's protocol, read only when somebody asks, and only so far.

ZeroMQ's own sockets read in a thread of theirs whatever the other end sends, message after message while
nobody looks, and a message of many frames to its end: no setting bounds that. Here nothing is read between
questions, so what a kernel goes on sending stays in its own memory; and a message that is longer than it may
be ends the line. Of the protocol (https://rfc.zeromq.org/spec/23/) there is what a client of a kernel
needs: version 3.0, without encryption, as DEALER or SUB.
"""

import select
import socket
import time

MORE, LONG, COMMAND = 1, 2, 4  # flags of a frame
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
SUBSCRIBE_TO_ALL = b"\x01"
PIECE = 2**18
MOST_FRAMES = 1000  # of one message: an empty one is two bytes here and forty in memory
SEND_SECONDS = 10.0


class Gone(OSError):
    """The other end takes nothing any more."""


class Wire:
    """One connection, to a path or to (host, port); ``kind`` is "DEALER" or "SUB".

    ``most``: bytes of one message. ``over``: whether one was longer, ``closed``: whether the line has ended.
    """

    def __init__(self, address, kind, most, deadline):
        self.most, self.over, self.closed = most, False, False
        self._received, self._frames, self._size = bytearray(), [], 0
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._socket = socket.socket(family)
        try:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            self._socket.connect(address)
            self._greet(kind)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self):
        return self._socket.fileno()

    def send_multipart(self, frames, copy=True):
        """Send one message (``copy`` is for ZeroMQ's own sockets); Gone where that cannot be done."""
        last = len(frames) - 1
        sent = b"".join(_frame(bytes(frame), MORE * (place < last)) for place, frame in enumerate(frames))
        try:
            self._socket.settimeout(SEND_SECONDS)
            self._socket.sendall(sent)
        except OSError as error:
            self.close()
            raise Gone(f"a kernel takes nothing any more: {error}") from None

    def messages(self):
        """What has arrived, as lists of frames; call it when there is something to read."""
        if self.closed:
            return []
        try:
            piece = self._socket.recv(PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except OSError:
            piece = b""
        if not piece:
            self.close()
        self._received += piece
        return list(self._whole())

    def close(self):
        self.closed = True
        self._received, self._frames, self._size = bytearray(), [], 0
        self._socket.close()

    def _whole(self):
        """The messages that are complete; what follows them is kept."""
        start = 0
        while (found := _next_frame(self._received, start)) is not None:
            flags, size, begin = found
            if self._size + size > self.most or len(self._frames) >= MOST_FRAMES or flags > 7:
                self.over = True
                self.close()
                return
            if len(self._received) < begin + size:
                break
            start = begin + size
            if flags & COMMAND:  # of those that there are none concerns us
                continue
            self._frames.append(bytes(self._received[begin:start]))
            self._size += size
            if not flags & MORE:
                yield self._frames
                self._frames, self._size = [], 0
        del self._received[:start]

    def _greet(self, kind):
        self._socket.sendall(GREETING)
        theirs = self._exactly(len(GREETING))
        if theirs[0] != 0xFF or theirs[10] < 3 or theirs[12:32] != GREETING[12:32]:
            raise Gone("what listens there does not speak ZeroMQ's protocol")
        name, value = b"Socket-Type", kind.encode()
        ready = b"\x05READY" + bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value
        self._socket.sendall(bytes([COMMAND, len(ready)]) + ready)
        flags, size = self._exactly(2)
        if flags != COMMAND or self._exactly(size)[:6] != b"\x05READY":
            raise Gone("what listens there does not answer as ZeroMQ does")
        if kind == "SUB":
            self._socket.sendall(_frame(SUBSCRIBE_TO_ALL, 0))

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise ConnectionResetError("it hung up")
            data += piece
        return data


def first_ready(wires, seconds):
    """Those of the wires that have something to read, waiting for the first of them."""
    poller = select.poll()
    open_ones = {wire.fileno(): wire for wire in wires if not wire.closed}
    for number in open_ones:
        poller.register(number, select.POLLIN)
    return [open_ones[number] for number, _ in poller.poll(seconds * 1000)]


def _frame(body, flags):
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body


def _next_frame(data, start):
    """(flags, size, where its body begins) of the frame at ``start``; None where that is not there yet."""
    if len(data) < start + 2:
        return None
    flags = data[start]
    if not flags & LONG:
        return flags, data[start + 1], start + 2
    if len(data) < start + 9:
        return None
    return flags, int.from_bytes(data[start + 1 : start + 9], "big"), start + 9
