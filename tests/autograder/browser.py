"""Headless Chromium on a leash, for tests that look at pages as a browser does.

It is driven over its debugging pipe, so nothing but Chromium itself is needed; whatever it wants to fetch
goes to a recorder on loopback, which answers nothing. Scripts in a page that call ``ran`` are told of.
"""

import base64
import contextlib
import fcntl
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

from tests.autograder.waiting import FOR_EVER

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Of its own errands, as few as can be.
QUIET = (
    "--disable-background-networking --disable-component-update --disable-default-apps --disable-sync "
    "--disable-extensions --no-first-run --disable-gpu --disable-dev-shm-usage --hide-scrollbars "
    "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication"
).split()
# Does with everything on the page what a reader could do; links to other places are not followed.
POKE = """
for (const one of document.querySelectorAll('*')) {
  const link = one.closest('a[href]');
  const away = link && /^(https?:|mailto:|#|\\.\\.)/.test(link.getAttribute('href'));
  for (const name of ['mouseover', 'focus', 'toggle', 'click', 'pointerdown', 'keydown', 'submit'])
    if (!(name === 'click' && away)) one.dispatchEvent(new Event(name, {bubbles: true, cancelable: true}));
  if (one.click && !away) try { one.click() } catch {}
}
"""
# Resolves when the page has nothing to do: all that was to run by then has run.
IDLE = "new Promise(done => requestIdleCallback(() => setTimeout(() => requestIdleCallback(done), 0)))"
# The debugging pipe is the browser's descriptors 3 and 4.
LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Recorder:
    """A proxy that writes down what it is asked for, and closes the connection."""

    def __init__(self):
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            # Some connections are opened ahead and never used, and no other must wait for those.
            threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection):
        with connection, contextlib.suppress(OSError):
            line = connection.recv(4096).partition(b"\r\n")[0].decode(errors="replace")
            self.asked.append(line)

    def close(self):
        self.listener.close()


class Browser:
    """One Chromium; ``look(path)`` opens a file in it, handles everything there, and says what happened.

    ``served``: whether it may ask this machine's own servers directly; else all it asks for is recorded.
    """

    def __init__(self, folder, served=False):
        command = next((path for path in map(shutil.which, NAMES) if path), None)
        if command is None:
            message = f"there is no browser: install one of {', '.join(NAMES)}"
            pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
        self.recorder, self.number, self.rest, self.events = Recorder(), 0, b"", []
        theirs_in, self.to = (fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in os.pipe())
        self.of, theirs_out = (fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in os.pipe())
        options = [
            "--headless",
            "--no-sandbox",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
            *QUIET,
        ]
        options.append(f"--proxy-server=http://127.0.0.1:{self.recorder.port}")
        if not served:
            options.append("--proxy-bypass-list=<-loopback>")
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(theirs_in), str(theirs_out), command, *options],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)

    def look(self, path, width=1100, height=1400, picture=None, scheme="light"):
        """{"ran": calls of ran(), "asked": requests, "tags": [(tag, attributes)], "text": what is shown}.

        Besides: "wide", how many pixels the page takes, and "paper", its background. ``picture``: where to
        save what it looks like. ``scheme``: "light" or "dark", as the reader likes it.
        """
        before = len(self.recorder.asked)
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable", session)
        self.tell("Runtime.addBinding", session, name="told")
        self.tell("Page.addScriptToEvaluateOnNewDocument", session, source="window.ran = () => told('ran')")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", session, **size)
        liked = [{"name": "prefers-color-scheme", "value": scheme}]
        self.tell("Emulation.setEmulatedMedia", session, features=liked)
        self.events.clear()
        self.tell("Page.navigate", session, url=path.as_uri())
        self._until("Page.loadEventFired")
        self._rest(session)
        self._say(session, POKE)
        self._rest(session)
        tags = "[...document.querySelectorAll('*')].map(e => [e.localName, "
        tags += "Object.fromEntries([...e.attributes].map(a => [a.name, a.value]))])"
        seen = {"tags": self._say(session, tags), "text": self._say(session, "document.body.innerText")}
        seen["url"] = self._say(session, "location.href")
        seen["wide"] = self._say(session, "document.documentElement.scrollWidth")
        seen["paper"] = self._say(session, "getComputedStyle(document.body).backgroundColor")
        if picture:
            shot = self.tell("Page.captureScreenshot", session, captureBeyondViewport=True)
            picture.write_bytes(base64.b64decode(shot["data"]))
        self.tell("Target.closeTarget", targetId=target)
        seen["ran"] = [
            one["params"]["payload"] for one in self.events if one["method"] == "Runtime.bindingCalled"
        ]
        # Which host a page without a script may ask stands in its text; what else is asked is the browser's.
        hosts = {host.lower() for host in re.findall(r"//([\w.-]+)", path.read_text())}
        lines = self.recorder.asked[before:]
        seen["asked"] = [one for one in lines if hosts & set(re.findall(r"[\w.-]+", one.lower()))]
        return seen

    def tell(self, method, session=None, **params):
        """Send one command and return its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.number:
                if "navigated or closed" in str(answer.get("error")):
                    return {}  # the page went somewhere else
                assert "error" not in answer, answer
                return answer["result"]

    def _say(self, session, expression):
        done = self.tell(
            "Runtime.evaluate", session, expression=expression, returnByValue=True, awaitPromise=True
        )
        return done.get("result", {}).get("value")

    def _rest(self, session):
        """Return when the page is idle, nothing that it asked for is on its way, and so it stays."""
        heard = None
        while heard != len(self.events):
            while self._asking():
                self._read()
            heard = len(self.events)
            self._say(session, IDLE)

    def _asking(self):
        """The requests that have been sent and not been answered."""
        found = {"Network.requestWillBeSent": set()}
        for event in self.events:
            found.setdefault(event["method"], set()).add(event["params"].get("requestId"))
        ended = (found.get(f"Network.loading{end}", set()) for end in ("Finished", "Failed"))
        return found["Network.requestWillBeSent"].difference(*ended)

    def _until(self, method):
        while not any(event["method"] == method for event in self.events):
            self._read()

    def _read(self):
        deadline = time.monotonic() + FOR_EVER
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.of], [], [], max(0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            self.rest += os.read(self.of, 1 << 20)
        text, _, self.rest = self.rest.partition(b"\0")
        answer = json.loads(text)
        if "method" in answer:
            self.events.append(answer)
        return answer

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.of)
        self.recorder.close()
