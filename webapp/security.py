"""The checks of every request, and the headers of every answer."""

import re

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import SecurityError

from tasks.shop.settings import Settings
from webapp import body_limits, compressing, encoding, local_login, repeated
from webapp.api import command_list, commands, trying
from webapp.form_tokens import FormTokens
from webapp.login.sessions import login_cookie
from webapp.problems import Problem

LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)

FOREIGN_PAGE = (
    "A page of another site sent this, and only pages of this address may (Origin,"
    " Sec-Fetch-Site). Nothing was changed."
)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SessionCookie(SecureCookieSessionInterface):
    """The cookie of the forms, which under https is for https alone."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def protect(app: Flask, settings: Settings) -> None:
    """Give *app* its cookie, its headers, and its checks of host and origin."""
    cookie = local_login.session_cookie(settings.secret_key)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=cookie,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.session_interface = SessionCookie()
    cookies = [
        cookie,
        local_login.local_cookie(settings.secret_key),
        login_cookie(settings.secret_key),
    ]
    repeated.install(app, cookies)
    app.before_request(refuse_other_hosts)
    app.before_request(refuse_other_origins)
    app.after_request(add_headers)


def limit(app: Flask) -> None:
    """Give *app* the limits of a request's body, and the token of its forms."""
    # A form may be open for hours: its token is valid as long as the session.
    app.config.update(WTF_CSRF_TIME_LIMIT=None)
    body_limits.limit(app)
    app.before_request(encoding.refuse_other_encodings)
    app.before_request(repeated.refuse_fields)
    csrf = FormTokens(app)
    # The API accepts no cookie for changes, and only JSON.
    csrf.exempt(commands.routes)
    csrf.exempt(command_list.routes)
    csrf.exempt(trying.routes)


def refuse_other_hosts() -> None:
    """
    Raise SecurityError if a request's host is not this computer.

    Another name that resolves to us belongs to a foreign page (DNS rebinding). Flask's
    TRUSTED_HOSTS cannot name an IPv6 address.
    """
    if not names_this_computer():
        raise SecurityError


def names_this_computer() -> bool:
    """Return whether the request's host is a name of this computer."""
    return LOOPBACK.fullmatch(request.headers.get("Host", "")) is not None


def refuse_other_origins() -> None:
    """
    Raise the Problem that another site's page sent a changing request.

    Another port of this computer is another site, too. A program sends neither header.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    is_ours = site in (None, "same-origin", "none") and (
        origin is None or origin.lower() == request.host_url.rstrip("/").lower()
    )
    if not is_ours:
        raise Problem("forbidden", FOREIGN_PAGE)


def add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    elif compressing.is_by_version():
        response.headers["Cache-Control"] = compressing.FOR_EVER
    return response
