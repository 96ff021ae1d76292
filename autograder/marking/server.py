"""The server behind the marking page: for this machine only, and only for who knows the page's address.

It listens on the loopback. The address holds a token, drawn anew each time; requests under another host's
name, as a page elsewhere could send them, are refused.
"""

import contextlib
import hmac
import json
import secrets
import socket

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler

from autograder.course.places import FULL, CourseError
from autograder.course.scheme import Scheme
from autograder.gradebook import by_hand
from autograder.marking.page import POLICY, SCRIPT, page

HOSTS = ("127.0.0.1", "localhost")
MOST_COMMENT = 20_000  # characters; more is not shown on a feedback page


class Desk:
    """One lesson's written answers in a workspace; ``schemes``: {grade_id: Scheme}. ``marked``: who was."""

    def __init__(self, workspace, spec, schemes):
        self.workspace, self.spec, self.schemes = workspace, spec, schemes
        self.marked = set()

    def cell(self, name):
        """The written answer called so; the first one where ``name`` is empty."""
        cells = by_hand.written_cells(self.spec)
        return next((cell for cell in cells if name in ("", cell.grade_id)), None)

    def page(self, name, everybody):
        found = {
            cell.grade_id: by_hand.answers(self.workspace, self.spec, cell.grade_id)
            for cell in by_hand.written_cells(self.spec)
        }
        cell = self.cell(name)
        others = {grade_id: sum(one.waits for one in all_of_it) for grade_id, all_of_it in found.items()}
        scheme = self.schemes.get(cell.grade_id, Scheme())
        return page(self.spec, cell, scheme, found[cell.grade_id], everybody=everybody, others=others)

    def mark(self, name, told):
        """Write what the page told; returns what to say. Raises CourseError, with nothing written."""
        cell = self.cell(name)
        try:
            student, digest, comment = (str(told[key]) for key in ("student", "digest", "comment"))
            score = None if told["score"] is None else float(told["score"])
            ticked, settled = [str(line) for line in told["ticked"]], bool(told["settled"])
        except (KeyError, TypeError, ValueError):
            raise CourseError("That was no mark; load the page again.") from None
        if len(comment) > MOST_COMMENT:
            raise CourseError(f"The comment is longer than {MOST_COMMENT} characters; shorten it.")
        waits = by_hand.give(
            self.workspace,
            self.spec,
            cell.grade_id,
            student,
            digest=digest,
            score=score,
            comment=comment,
            ticked=ticked,
            settled=settled,
        )
        if waits:
            self.marked.discard((cell.grade_id, student))
            return {"said": "Saved. It still waits for points.", "waits": True}
        if not settled:  # somebody has marked it in the formgrader meanwhile
            return {"said": "Saved.", "waits": False}
        self.marked.add((cell.grade_id, student))
        return {"said": f"Saved: {score:g} of {cell.points:g}.", "waits": False}


class _Handler(RequestHandler):
    def initialize(self, desk, token):
        self.desk, self.token = desk, token

    def prepare(self):
        self.set_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        token = self.path_kwargs["token"].encode()
        if self.request.host_name not in HOSTS or not hmac.compare_digest(token, self.token.encode()):
            raise HTTPError(404)
        if self.desk.cell(self.get_query_argument("question", "")) is None:
            raise HTTPError(404)

    def question(self):
        return self.get_query_argument("question", "")


class _Page(_Handler):
    def get(self, token):
        with _told(self):
            self.finish(self.desk.page(self.question(), self.get_query_argument("all", "") == "1"))


class _Script(_Handler):
    def get(self, token):
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish(SCRIPT.read_bytes())


class _Mark(_Handler):
    def post(self, token):
        if self.request.headers.get("Content-Type") != "application/json":
            raise HTTPError(415)  # what a form on another page could send
        with _told(self):
            try:
                told = json.loads(self.request.body)
            except ValueError:
                raise CourseError("That was no mark; load the page again.") from None
            self.finish(self.desk.mark(self.question(), told))


@contextlib.contextmanager
def _told(handler):
    """Say what went wrong in one sentence, in place of an answer."""
    try:
        yield
    except CourseError as error:
        says = error
    except OSError as error:
        full = "The disk is full; make room, and save it again"
        where = f" ({error.filename})" if error.filename else ""
        says = f"{full if error.errno in FULL else error.strerror or error}{where}."
    else:
        return
    handler.set_status(409)
    handler.finish({"said": f"Not saved: {says}"})


def serve(desk, port=0):
    """Listen on the loopback; returns the page's address and the HTTPServer. ``port`` 0: any that is free."""
    token = secrets.token_urlsafe(24)
    known = {"desk": desk, "token": token}
    handlers = [
        (rf"/(?P<token>[\w-]+)/{place}", handler, known)
        for place, handler in (("", _Page), ("page[.]js", _Script), ("mark", _Mark))
    ]
    server = HTTPServer(Application(handlers, log_function=lambda handler: None), max_body_size=2**20)
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError:
        raise CourseError(f"Port {port} cannot be used (it is taken, or not yours); leave it out.") from None
    listener.setblocking(False)
    server.add_socket(listener)
    return f"http://127.0.0.1:{listener.getsockname()[1]}/{token}/", server
