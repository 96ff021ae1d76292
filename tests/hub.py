"""A hub with the settings of deploy/jupyterhub, and people who sit before it in a browser.

Everything lies in one folder: the settings, the exchange, and a home for each user. In place of the machine's
accounts stand JupyterHub's dummy authenticator and its spawner for one account, so no user is made.
"""

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.autograder.waiting import FOR_EVER, wait_until
from tests.test_lite import Lite
from tools.repository import ROOT

DEPLOY = ROOT / "deploy" / "jupyterhub"
# What differs from a real hub. Students have no accounts of their own, whose names nbgrader would ask for.
CONFIG = """
load_subconfig({settings!r})
c = get_config()
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users |= {{"ann", "bob", "cem"}}
c.JupyterHub.load_roles[0]["users"] = ["cem"]
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.args += ["--allow-root", "--LabApp.expose_app_in_browser=True"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.cleanup_servers = True
"""
NAMES = """
import os
if os.environ.get("JUPYTERHUB_USER", "teacher") != "teacher":
    c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
"""
# Where an element is that can be clicked on: the first that shows exactly these words, or names itself so.
FIND = """
(() => {{
  const words = {words}, within = {within};
  for (const box of document.querySelectorAll(within))
    for (const one of [box, ...box.querySelectorAll('*')]) {{
      const own = [...one.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent).join('').trim();
      const area = one.getBoundingClientRect();
      if ((own === words || one.title === words || one.value === words) && area.width && area.height) {{
        one.scrollIntoView({{block: 'nearest'}});
        const seen = one.getBoundingClientRect();
        return JSON.stringify([seen.x + seen.width / 2, seen.y + seen.height / 2]);
      }}
    }}
}})()
"""


def free_ports(count):
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


class Hub:
    """Hub and proxy on loopback, from the environment at ``prefix``; ``teacher`` runs commands as theirs."""

    def __init__(self, prefix, folder):
        self.prefix, self.folder = prefix, folder
        self.exchange, self.homes, self.settings = folder / "exchange", folder / "homes", folder / "settings"
        self.exchange.mkdir()
        self.exchange.chmod(0o1777)
        shutil.copytree(DEPLOY, self.settings)
        told = self.settings / "everyone" / "nbgrader_config.py"
        told.write_text(told.read_text().replace("/srv/nbgrader/exchange", str(self.exchange)) + NAMES)
        self.home = self.homes / "teacher"
        self.home.mkdir(parents=True)
        port, hub, proxy = free_ports(3)
        self.address = f"http://127.0.0.1:{port}"
        config = folder / "jupyterhub_config.py"
        settings = str(self.settings / "jupyterhub_config.py")
        config.write_text(
            CONFIG.format(settings=settings, homes=str(self.homes), port=port, hub=hub, proxy=proxy)
        )
        bins = [prefix / "bin", prefix / "node_modules" / ".bin"]
        self.path = os.pathsep.join([*map(str, bins), os.environ["PATH"]])
        self.process = None

    def start(self):
        self.log = open(self.folder / "hub.log", "w+")
        environment = {
            name: text for name, text in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))
        }
        self.process = subprocess.Popen(
            [self.prefix / "bin" / "jupyterhub", "--config", self.folder / "jupyterhub_config.py"],
            cwd=self.folder,
            env={**environment, "PATH": self.path},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        wait_until(self.answers)

    def answers(self):
        assert self.process.poll() is None, self.said()
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            with urllib.request.urlopen(f"{self.address}/hub/api", timeout=10) as response:
                return "version" in json.load(response)

    def said(self):
        self.log.flush()
        return Path(self.log.name).read_text()[-5000:]

    def teacher(self, *words, cwd="unrolled"):
        """Run a command as in a terminal of the teacher's server; what it prints."""
        settings = os.pathsep.join(str(self.settings / name) for name in ("teacher", "everyone"))
        environment = {**os.environ, "HOME": str(self.home), "PATH": self.path, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [shutil.which(str(words[0]), path=self.path), *map(str, words[1:])],
            cwd=self.home / cwd,
            env={**environment, "JUPYTER_CONFIG_PATH": settings},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait(FOR_EVER)
            self.log.close()


class Seat(Lite):
    """Somebody before a browser of their own."""

    def __init__(self, browser, hub, name, pictures=None):
        self.browser, self.hub, self.name, self.pictures = browser, hub, name, pictures
        context = browser.tell("Target.createBrowserContext")["browserContextId"]
        target = browser.tell("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            browser.tell(f"{domain}.enable", self.session)
        size = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.tell("Emulation.setDeviceMetricsOverride", self.session, **size)

    def go(self, path):
        self.browser.events.clear()
        self.browser.tell("Page.navigate", self.session, url=f"{self.hub.address}{path}")
        self.browser._until("Page.loadEventFired")

    def say(self, expression):
        """What an expression of the page's is; None while it goes somewhere else."""
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        return self.browser.tell("Runtime.evaluate", self.session, **asked).get("result", {}).get("value")

    def wait(self, expression):
        """Wait until an expression of the page's is true; the page may change meanwhile."""
        wait_until(
            lambda: self.say(f"(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()")
        )

    def log_in(self):
        self.go("/hub/login")
        self.say(f"document.querySelector('#username_input').value = {self.name!r}")
        self.say("document.querySelector('#password_input').value = 'any'")
        self.say("document.querySelector('#login_submit').click()")
        self.wait("document.querySelector('.jp-LauncherCard') || document.querySelector('.jp-Notebook')")

    def click(self, words, within="body"):
        """Click, as a mouse does, on what shows or is called so, as soon as it is there."""
        find = FIND.format(words=json.dumps(words), within=json.dumps(within))
        deadline = time.monotonic() + FOR_EVER
        while not (found := self.say(find)):
            assert time.monotonic() < deadline, f"{self.name} sees no {words!r}: {self.text()[-2000:]}"
            time.sleep(0.1)
        x, y = json.loads(found)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            pressed = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self.browser.tell("Input.dispatchMouseEvent", self.session, type=kind, x=x, y=y, **pressed)

    def text(self):
        return self.say("document.body.innerText") or ""

    def see(self, *words):
        """Wait until all of these words are shown."""
        self.wait(f"{json.dumps(words)}.every(one => document.body.innerText.includes(one))")

    def status(self, path):
        """What is answered to this path, as a number."""
        return self.say(f"fetch({json.dumps(path)}).then(answer => answer.status)")

    def menu(self):
        """The entries of the Nbgrader menu, which is open then."""
        self.click("Nbgrader", ".lm-MenuBar")
        self.wait("document.querySelector('.lm-Menu .lm-Menu-itemLabel')")
        return json.loads(
            self.say(
                "JSON.stringify([...document.querySelectorAll('.lm-Menu-itemLabel')].map(e => e.innerText))"
            )
        )

    def picture(self, name):
        if self.pictures:
            shot = self.browser.tell("Page.captureScreenshot", self.session)
            (self.pictures / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
