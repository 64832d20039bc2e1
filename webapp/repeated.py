"""
Refuse repeated headers, fields and parameters whose values differ; merge equal ones.

Proxies duplicate headers, and WSGI joins those of one name by a comma, which makes a
third value. So a header of `SINGLE` may have no comma here. Repeated form fields and
parameters stay separate, but code that reads them takes the first.
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
    "HX-Target",
    "Idempotency-Key",
    "If-Match",
    "Last-Event-ID",
    "Origin",
    "Sec-Fetch-Site",
    "X-CSRF-Token",
    "X-CSRFToken",
)
"""
The headers whose values matter to our code or its libraries.

Not Referer: an address may have a comma, and Origin and the form's token are checked
instead.
"""

PRESENT = ("Forwarded", "X-Forwarded-For")
"""Headers of which only the presence matters."""

LISTS = ("Prefer",)
"""Headers that are lists: several mean the same as one with commas."""

SEVERAL = ("confirmed", "order", "unlike")
"""Parameters and fields that are lists: boxes that were ticked, and orders."""

AMBIGUOUS = "recount.ambiguous"
"""The key in the environment of the headers with differing values."""

COOKIE = re.compile(r"(?:^|[;,])\s*([^=;,\s]+)\s*=\s*([^;,]*)")


class SingleHeaders:
    """
    A WSGI middleware that merges equal headers of `SINGLE`, and equal *cookies*.

    If the values differ, the header is not changed, and its name is stored for
    `refuse_headers`: only the application can make the answer.
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
    """Return the WSGI name of *header*."""
    variable = header.upper().replace("-", "_")
    is_plain = variable in ("CONTENT_TYPE", "CONTENT_LENGTH")
    return variable if is_plain else f"HTTP_{variable}"


def merge(environ: WSGIEnvironment, variable: str) -> bool:
    """Merge values if they are equal; return whether they are."""
    joined = environ.get(variable, "")
    if "," not in joined:
        return True
    values = {part.strip() for part in joined.split(",")}
    if len(values) > 1:
        return False
    environ[variable] = values.pop()
    return True


def merge_cookies(environ: WSGIEnvironment, names: frozenset[str]) -> bool:
    """Merge cookies of *names* if they are equal; return whether they are."""
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
    """Have *app* refuse ambiguous requests before any other check."""
    app.wsgi_app = SingleHeaders(app.wsgi_app, cookies)  # type: ignore[method-assign]
    app.before_request(refuse_headers)


def refuse_headers() -> None:
    """Raise the Problem that a header of `SINGLE` has two values."""
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
        if len(set(values)) > 1 and name not in SEVERAL:
            raise Problem(
                "bad-request",
                f"The {kind} {name[:60]!a} came more than once, with values that"
                " differ. Send it once.",
            )
