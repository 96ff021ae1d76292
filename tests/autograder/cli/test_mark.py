"""The command that opens the marking page: what it says, and what it refuses."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from typer.testing import CliRunner

from autograder.cli import commands
from tests.autograder.waiting import FOR_EVER, listen


@pytest.fixture
def room(released, workspace, spec):
    """A workspace in which somebody was graded, as far as the command looks."""
    path = workspace.results / spec.assignment / "Ann.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"student": "Ann"}))
    return workspace


def refused(released, room, *words):
    told = ["mark", "01", *words, "--course", released, "-w", room]
    result = CliRunner().invoke(commands.app, [str(word) for word in told])
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.strip().splitlines()
    return line


def test_nobody_was_graded(released, workspace, tmp_path):
    assert "Nobody was graded for 01-double yet: `unrolled grade" in refused(released, workspace.root)
    assert "There is no workspace at" in refused(released, tmp_path / "elsewhere")


def test_a_port_that_is_taken(released, room):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(released, room.root, "--no-browser", "--port", port)
    assert said.startswith(f"Port {port} cannot be used") and said.endswith("leave it out.")


def test_it_answers_until_it_is_stopped(released, room):
    code = "from autograder.cli import main; main()"
    command = [sys.executable, "-c", code, "mark", "01", "--no-browser"]
    process = subprocess.Popen(
        [*command, "--course", str(released), "-w", str(room.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=listen,
    )
    address = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/", process.stdout.readline())[0]
    with urllib.request.urlopen(address, timeout=FOR_EVER) as answer:
        assert "0 of 0 answers are marked." in answer.read().decode()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=FOR_EVER)
    assert process.returncode == 0 and "Marked 0 answers." in said and "`unrolled feedback 01-double" in said
