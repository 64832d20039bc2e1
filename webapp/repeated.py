"""
What comes twice and decides something: equal values are one, others are refused.

Proxies double headers, and WSGI joins those of one name by a comma: the text that this
makes is neither of the two. So a header of `SINGLE` has no comma of its own here. Form
fields and parameters keep their values apart, but who reads them takes the first.
"""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, request
from werkzeug.datastructures import MultiDict

from webapp.problems import Problem

SINGLE = (
    "Authorization",
    "Content-Length",
    "Content-Type",
    "Host",
    "HX-Request",
    "Idempotency-Key",
    "If-Match",
    "Last-Event-ID",
    "Origin",
    "Sec-Fetch-Site",
    "X-CSRF-Token",
    "X-CSRFToken",
)
"""
The headers that decide something, in our code or in the libraries below it.

Not Referer: an address may have a comma in it, and what decides is Origin and the
token of the form.
"""

PRESENT = ("Forwarded", "X-Forwarded-For")
"""Headers of which no value is looked at: that one is there is all that counts."""

LISTS = ("Prefer",)
"""Headers that are lists: several of them, and one with commas, are the same."""

AMBIGUOUS = "recount.ambiguous"
"""The environment's name for the headers that came with values that differ."""

COOKIE = re.compile(r"(?:^|[;,])\s*([^=;,\s]+)\s*=\s*([^;,]*)")


class SingleHeaders:
    """
    A WSGI application that is given each header of `SINGLE` once, and *cookies* too.

    Where the values differ, the header stays as it is, and its name is noted for
    `refuse_repeated`: only the application knows how to say no.
    """

    def __init__(self, application: WSGIApplication, cookies: Iterable[str]) -> None:
        self.application = application
        self.cookies = frozenset(cookies)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        ambiguous = [name for name in SINGLE if not merge(environ, variable_of(name))]
        if not merge_cookies(environ, self.cookies):
            ambiguous.append("Cookie")
        environ[AMBIGUOUS] = ambiguous
        return self.application(environ, start_response)


def variable_of(header: str) -> str:
    """Return the name that WSGI has for *header*."""
    variable = header.upper().replace("-", "_")
    is_plain = variable in ("CONTENT_TYPE", "CONTENT_LENGTH")
    return variable if is_plain else f"HTTP_{variable}"


def merge(environ: WSGIEnvironment, variable: str) -> bool:
    """Make one of equal values, and return whether they are equal."""
    joined = environ.get(variable, "")
    if "," not in joined:
        return True
    values = {part.strip() for part in joined.split(",")}
    if len(values) > 1:
        return False
    environ[variable] = values.pop()
    return True


def merge_cookies(environ: WSGIEnvironment, names: frozenset[str]) -> bool:
    """Make one of equal cookies of *names*, and return whether they are equal."""
    sent = COOKIE.findall(environ.get("HTTP_COOKIE", ""))
    ours = [(name, value.strip()) for name, value in sent if name in names]
    if len(set(ours)) > len({name for name, _ in ours}):
        return False
    if "," in environ.get("HTTP_COOKIE", "") or len(set(ours)) < len(ours):
        others = [(name, value) for name, value in sent if name not in names]
        pairs = [*dict.fromkeys(ours), *others]
        environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in pairs)
    return True


def install(app: Flask, cookies: Iterable[str]) -> None:
    """Let *app* refuse what is ambiguous, before anything else looks at a request."""
    app.wsgi_app = SingleHeaders(app.wsgi_app, cookies)  # type: ignore[method-assign]
    app.before_request(refuse_headers)


def refuse_headers() -> None:
    """Raise the Problem that a header that decides something came with two values."""
    for name in request.environ[AMBIGUOUS]:
        raise Problem(
            "bad-request",
            f"The header {name} came more than once with values that differ, or has a"
            " comma in its value. Send it once, without a comma.",
        )


def refuse_fields() -> None:
    """
    Raise the Problem that a parameter, or a field of a form, has two values.

    It reads the form, so the limits of its size must be set before.
    """
    refuse_different(request.args, "parameter")
    if not request.path.startswith("/api/"):
        refuse_different(request.form, "field")


def refuse_different(sent: MultiDict[str, str], kind: str) -> None:
    for name, values in sent.lists():
        if len(set(values)) > 1:
            raise Problem(
                "bad-request",
                f"The {kind} {name[:60]!a} came more than once, with values that"
                " differ. Send it once.",
            )
