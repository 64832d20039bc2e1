"""
Local access without a user's token: a browser by an address, programs by a header.

The address is printed by `recount up` and `recount login`, and used up by the button of
its page, so that a preview of the address does not use it. The browser then gets a
signed cookie. None of them is valid from another computer.
"""

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tasks.shop.local_access import (
    HOST,
    is_cookie,
    is_unused,
    local_token,
    new_cookie,
    shop_id,
    spend,
)
from webapp.current_shop import the_settings
from webapp.problems import Problem

SAFE_METHODS = ("GET", "HEAD")
SECONDS_OF_COOKIE = 365 * 24 * 3600
USED = (
    "This address was used before, or is not valid."
    " Run ./recount login and open the address that it prints."
)
CANNOT_SPEND = (
    "The web cannot write the folder of the addresses, {}, so nobody can log in."
    " Set the same data folder (STATE_DIR) as for ./recount login."
)

routes = Blueprint("entrance", __name__)


def session_cookie(secret_key: str) -> str:
    """Return the name of the forms' cookie. It is per shop: cookies ignore ports."""
    return f"recount-{shop_id(secret_key)}"


def local_cookie(secret_key: str) -> str:
    """Return the name of the cookie of a logged-in browser."""
    return f"recount-{shop_id(secret_key)}-local"


def is_known() -> bool:
    """Return whether a logged-in browser or a local program sent the request."""
    return is_on_this_computer() and (has_cookie() or has_header())


def has_cookie() -> bool:
    """Return whether the browser has a valid login cookie."""
    key = the_settings().secret_key
    return is_cookie(key, request.cookies.get(local_cookie(key), ""))


def has_header() -> bool:
    """Return whether the request has the token of the data folder."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return kind.lower() == "bearer" and is_local_token(token.strip())


def is_local_token(token: str) -> bool:
    known = local_token(the_settings().secret_key)
    return hmac.compare_digest(token.encode(), known.encode())


def is_on_this_computer() -> bool:
    """
    Return whether a request comes from this computer itself.

    A request that names a proxy may come from anywhere, and is not trusted. A proxy
    that adds no header has no secret to pass on.
    """
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers:
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def redirect_to_printed_host() -> ResponseReturnValue | None:
    """Return a redirect from `localhost` to the host for which the cookie is valid."""
    url = urlsplit(request.url)
    if request.method not in SAFE_METHODS or url.hostname == HOST or has_header():
        return None
    port = f":{url.port}" if url.port else ""
    return redirect(url._replace(netloc=f"{HOST}{port}").geturl())


@routes.get("/login/<secret>")
def ask(secret: str) -> ResponseReturnValue:
    """Show the button that logs in."""
    if not is_unused(the_settings().state_dir, secret):
        raise Problem("login-required", USED)
    return render_template("login/let_in.html")


@routes.post("/login/<secret>")
def enter(secret: str) -> ResponseReturnValue:
    """Use up the address, and set the browser's cookie."""
    settings = the_settings()
    try:
        is_good = spend(settings.state_dir, secret)
    except OSError as error:
        detail = CANNOT_SPEND.format(settings.state_dir.absolute())
        raise Problem("forbidden", detail) from error
    if not is_good:
        raise Problem("login-required", USED)
    response = redirect(url_for("desk.show"), 303)
    response.set_cookie(
        local_cookie(settings.secret_key),
        new_cookie(settings.secret_key),
        max_age=SECONDS_OF_COOKIE,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    current_app.logger.info("a browser of this computer was let in")
    return response
