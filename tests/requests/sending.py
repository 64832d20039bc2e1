"""Sends made requests to a web, and keeps what is wrong with the answers."""

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import Protocol
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from tests.requests.bodies import Request
from webapp.repeated import variable_of

HOST = "127.0.0.1:5000"
DOCUMENTED = {
    *(200, 202, 204, 206, 302, 303, 304, 308),
    *(400, 401, 403, 404, 405, 409, 410, 413, 414, 415, 416, 422, 429, 431),
    501,
}
"""
What the web answers while its database is there. Of 5xx there is 501 alone: a stream of
events, where another server than ours is asked for one.
"""
MAX_SECONDS = 1.0
"""Seconds that a request may take."""


class Web(Protocol):
    """A web that answers one request at a time."""

    def send(self, request: Request) -> int:
        """Return the status of the answer."""


class InProcess:
    """A Flask application, asked without a server between."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def send(self, request: Request) -> int:
        body, status, _ = run_wsgi_app(self.app, environ_of(request))
        for _ in body:
            pass
        return int(status.partition(" ")[0])


def environ_of(request: Request) -> WSGIEnvironment:
    """Return what a server makes of *request*: headers of one name are joined."""
    path, _, query = request.path.partition("?")
    environ = create_environ(
        base_url=f"http://{HOST}", input_stream=BytesIO(request.body)
    )
    environ["REQUEST_METHOD"] = request.method
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    environ["QUERY_STRING"] = query
    environ["REMOTE_ADDR"] = "127.0.0.1"
    values: dict[str, list[str]] = {}
    for name, value in request.headers:
        values.setdefault(variable_of(name), []).append(value)
    environ.update({name: ",".join(joined) for name, joined in values.items()})
    if request.is_chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        environ["wsgi.input_terminated"] = True
    else:
        environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ


class WebConnection:
    """A web at an address, asked over a connection that is kept while it is kept."""

    def __init__(self, netloc: str) -> None:
        self.netloc = netloc
        self.connection = http.client.HTTPConnection(netloc, timeout=60)

    def send(self, request: Request) -> int:
        try:
            return self.send_once(request)
        except (http.client.RemoteDisconnected, ConnectionError):
            # It was idle, or an answer came before all of a body was read.
            self.connection.close()
            return self.send_once(request)

    def send_once(self, request: Request) -> int:
        connection = self.connection
        connection.putrequest(
            request.method, request.path, skip_host=True, skip_accept_encoding=True
        )
        names = {name for name, _ in request.headers}
        if "Host" not in names:
            connection.putheader("Host", self.netloc)
        for name, value in request.headers:
            connection.putheader(name, value.encode("latin-1"))
        if request.is_chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif request.body or request.method not in ("GET", "HEAD"):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders()
        if request.is_chunked:
            connection.send(
                b"%x\r\n%s\r\n0\r\n\r\n" % (len(request.body), request.body)
            )
        elif request.body:
            connection.send(request.body)
        response = connection.getresponse()
        if response.headers.get_content_type() == "text/event-stream":
            # It has no end.
            connection.close()
            return response.status
        response.read()
        if response.will_close or response.status >= 400:
            connection.close()
        return response.status


@dataclass
class Outcome:
    """What became of many requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    slowest_request: str = ""
    slow: list[str] = field(default_factory=list)

    def note(self, request: Request, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        if status not in DOCUMENTED:
            self.wrong.append(f"{status}: {request}")
        if seconds > self.slowest:
            self.slowest, self.slowest_request = seconds, str(request)
        if seconds > MAX_SECONDS:
            self.slow.append(f"{seconds:.2f} s, {status}: {request}")


def send_all(web: Web, requests: Iterator[Request]) -> Outcome:
    """Send *requests*, one after the other; Ctrl-C ends it where it is."""
    outcome = Outcome()
    with suppress(KeyboardInterrupt):
        for request in requests:
            started = time.monotonic()
            status = web.send(request)
            outcome.note(request, status, time.monotonic() - started)
    return outcome
