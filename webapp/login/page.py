"""The page of the login, and the page that was wanted before."""

from urllib.parse import urlsplit

from flask import Response, current_app, make_response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from webapp.problems import HEADERS

MAX_WANTED = 4_000
NEVER_WANTED = ("static", "metrics.metrics", "login.ask", "login.leave", "entrance.ask")


def login_page(
    status: int = 401,
    *,
    name: str = "",
    message: str = "",
    wanted: str = "",
    held: str = "",
) -> Response:
    """
    Return the page that asks for name and password.

    *wanted* is the address to show afterwards, *held* a form that is to be shown again.
    """
    page = render_template(
        "login/login.html",
        name=name,
        message=message,
        wanted=usable_address(wanted),
        held=held,
    )
    response = make_response(page, status)
    response.headers.update(HEADERS.get(401, {}) if status == 401 else {})
    if request.method == "POST":
        # So that going back to it does not have to send the form again.
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def usable_address(wanted: str) -> str:
    """Return *wanted* if it is the address of a page of ours, else nothing."""
    parts = urlsplit(wanted) if is_plain(wanted) else None
    if parts is None or parts.scheme or parts.netloc:
        return ""
    adapter = current_app.url_map.bind_to_environ(request.environ)
    try:
        endpoint, _ = adapter.match(parts.path, method="GET")
    except (HTTPException, RequestRedirect):
        return ""
    if endpoint in NEVER_WANTED or parts.path.startswith("/api/"):
        return ""
    return parts._replace(fragment="").geturl()


def is_plain(wanted: str) -> bool:
    """Return whether every browser reads *wanted* as a path, not as `//` and a host."""
    return (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isprintable()
        and len(wanted) <= MAX_WANTED
    )
