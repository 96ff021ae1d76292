"""The line to a kernel: it speaks as ZeroMQ's own sockets do, and never holds more than it may."""

import contextlib
import socket
import threading
import time

import pytest
import zmq

from autograder.sandbox import wire
from autograder.sandbox.wire import GREETING, MORE, MOST_FRAMES, PIECE, Gone, Wire, first_ready
from tests.autograder.waiting import FOR_EVER

MOST = 2**20
PROPERTY = b"\x0bSocket-Type\x00\x00\x00\x06ROUTER"
READY = bytes([4, 6 + len(PROPERTY)]) + b"\x05READY" + PROPERTY


@pytest.fixture
def bound(tmp_path):
    """Makes one of ZeroMQ's own sockets, bound: (it, its address)."""
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(zmq.Context())

        def make(kind, transport="ipc"):
            made = stack.enter_context(context.socket(kind))
            made.linger = 0
            if transport == "tcp":
                return made, ("127.0.0.1", made.bind_to_random_port("tcp://127.0.0.1"))
            made.bind(f"ipc://{tmp_path}/s")
            return made, str(tmp_path / "s")

        yield make


def connect(path, kind="DEALER", most=MOST):
    return Wire(path, kind, most, time.monotonic() + FOR_EVER)


def received(line, count):
    """So many messages, as they come."""
    found = []
    while len(found) < count:
        assert first_ready([line], FOR_EVER) == [line]
        found += line.messages()
        assert not line.closed
    return found


@pytest.mark.parametrize("transport", ["ipc", "tcp"])
def test_messages_of_every_size_go_both_ways(bound, transport):
    router, address = bound(zmq.ROUTER, transport)
    line = connect(address, most=2**24)
    frames = [b"", b"a", b"b" * 255, b"c" * 256, bytes(3 * PIECE)]
    line.send_multipart(frames)
    who, *came = router.recv_multipart()
    assert came == frames
    for _ in range(3):
        router.send_multipart([who, *frames])
    assert received(line, 3) == [frames] * 3
    line.close()


def test_everything_that_is_published_arrives(bound):
    publisher, address = bound(zmq.XPUB)
    line = connect(address, "SUB")
    assert publisher.recv() == b"\x01"  # it has subscribed, to all
    for number in range(300):
        publisher.send_multipart([b"topic", b"%d" % number])
    assert received(line, 300) == [[b"topic", b"%d" % number] for number in range(300)]
    line.close()


@pytest.fixture
def peer(tmp_path):
    """(a wire, the socket at its other end, which then sends whatever it likes)."""
    with socket.socket(socket.AF_UNIX) as server, contextlib.ExitStack() as stack:
        server.bind(str(tmp_path / "s"))
        server.listen()
        theirs = []

        def greet():
            theirs.append(stack.enter_context(server.accept()[0]))
            theirs[0].sendall(GREETING + READY)

        thread = threading.Thread(target=greet)
        thread.start()
        line = connect(str(tmp_path / "s"))
        thread.join()
        yield line, theirs[0]
        line.close()


def read_to_the_end(line):
    """Read as long as there is a line; every message, and the most that it held in between."""
    found, held = [], 0
    while not line.closed:
        first_ready([line], FOR_EVER)
        found += line.messages()
        held = max(held, len(line._received) + line._size)
    return found, held


def sending(theirs, piece, count):
    """Send ``piece`` so often, from another thread, until nobody takes it any more."""

    def send():
        with contextlib.suppress(OSError):
            for _ in range(count):
                theirs.sendall(piece)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "piece",
    [
        bytes([MORE | 2]) + (2**16).to_bytes(8, "big") + bytes(2**16),
        bytes([MORE, 0]) * 2**10,
        bytes([MORE, 1, 0]) * 2**10,
        bytes([0 | 2]) + (2**63).to_bytes(8, "big"),
        bytes([0 | 2]) + (MOST + 1).to_bytes(8, "big") + bytes(MOST + 1),
        b"\xff" * 2**10,
    ],
    ids=["endless", "empty frames", "tiny frames", "promised", "too long", "noise"],
)
def test_message_without_end_ends_the_line(peer, piece):
    """ZeroMQ's own sockets held 3.5 GB of one: no setting of theirs looks at frames with MORE set."""
    line, theirs = peer
    thread = sending(theirs, piece, 3000)
    found, held = read_to_the_end(line)
    thread.join()
    assert line.over and line.closed and found == []
    assert held <= MOST + PIECE


def test_messages_within_the_bound_are_read_however_many_they_are(peer):
    line, theirs = peer
    message = bytes([MORE, 3]) + b"abc" + bytes([4, 5]) + b"\x04PING" + bytes([0, 2]) + b"de"
    thread = sending(theirs, message * 1000, 20)
    assert received(line, 20_000) == [[b"abc", b"de"]] * 20_000
    thread.join()
    full = bytes([MORE, 0]) * (MOST_FRAMES - 1) + bytes([0, 0])
    theirs.sendall(full)
    assert received(line, 1) == [[b""] * MOST_FRAMES]


def test_nothing_is_read_while_nobody_asks(peer):
    """3.4 GB arrived while the judge computed; now the sender keeps what it sends."""
    line, theirs = peer
    theirs.setblocking(False)
    sent = 0
    with pytest.raises(BlockingIOError):
        while sent < 2**28:
            sent += theirs.send(bytes([0, 250]) + bytes(250))
    assert sent < 2**24 and not line._received


def test_end_of_the_other_side_is_noticed(peer):
    line, theirs = peer
    theirs.close()
    assert read_to_the_end(line) == ([], 0) and not line.over
    assert first_ready([line], 0.01) == []
    with pytest.raises(Gone):
        line.send_multipart([b"a"])


def test_who_does_not_take_what_is_sent_is_not_waited_for(peer, monkeypatch):
    line, _ = peer
    monkeypatch.setattr(wire, "SEND_SECONDS", 0.05)
    with pytest.raises(Gone):
        line.send_multipart([bytes(2**26)])


@pytest.mark.parametrize(
    "says", [b"HTTP/1.1 400 Bad Request\r\n" + bytes(90), GREETING + b"\x00\x05hello", b""]
)
def test_what_is_no_kernel_is_not_taken_for_one(tmp_path, says):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def answer():
            with server.accept()[0] as theirs:
                theirs.sendall(says)
                theirs.shutdown(socket.SHUT_WR)
                with contextlib.suppress(OSError):
                    while theirs.recv(100):
                        pass

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError):
            connect(str(tmp_path / "s"))
        thread.join()
