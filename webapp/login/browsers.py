"""
What logins are counted by: a browser, if its user is known there, or else where from.

Guesses by strangers are counted by address and by name, so they can hold up logins from
other new browsers for a while. A browser in which somebody has logged in before keeps a
sealed cookie for that name, and is counted by itself: nobody else can hold it up.
"""

import hmac
import secrets
from datetime import timedelta

from flask import Response, request

from eventstore.access.sessions import LoginCounter
from tasks.shop.local_access import derive_secret, is_cookie, shop_id
from webapp.current_shop import the_settings
from webapp.local_login import SECONDS_OF_COOKIE, local_cookie

BY_NAME = (10, timedelta(seconds=90))
"""Logins of a name, or in a known browser, that may fail at once; one more after."""
BY_ADDRESS = (100, timedelta(seconds=9))
"""The same for an address: all that come by ssh have the same one."""


def counted_by(user: str) -> list[LoginCounter]:
    """Return what a login as *user* is counted by in this request."""
    known = browser_of(user)
    if known is not None:
        return [LoginCounter(digest_of("browser", f"{known} {user}"), *BY_NAME)]
    return [
        LoginCounter(digest_of("address", request.remote_addr or ""), *BY_ADDRESS),
        LoginCounter(digest_of("name", user), *BY_NAME),
    ]


def browser_of(user: str) -> str | None:
    """Return the random id of a browser that *user* is known in, or None."""
    key = the_settings().secret_key
    local = request.cookies.get(local_cookie(key), "")
    if is_cookie(key, local):
        # It was let in by an address that was printed on this computer.
        return local.partition(".")[0]
    browser, _, seal = request.cookies.get(cookie_of(user), "").partition(".")
    is_ours = hmac.compare_digest(seal.encode(), seal_of(browser, user).encode())
    return browser if is_ours else None


def know_browser(response: Response, user: str) -> None:
    """Have the browser keep that *user* has logged in there."""
    if browser_of(user) is not None:
        return
    browser = secrets.token_hex(8)
    response.set_cookie(
        cookie_of(user),
        f"{browser}.{seal_of(browser, user)}",
        max_age=SECONDS_OF_COOKIE,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


def cookie_of(user: str) -> str:
    """Return the name of the cookie, which tells nobody the user's."""
    key = the_settings().secret_key
    return f"recount-{shop_id(key)}-known-{digest_of('cookie', user).hex()[:10]}"


def seal_of(browser: str, user: str) -> str:
    return digest_of("seal", f"{browser} {user}").hex()


def digest_of(kind: str, what: str) -> bytes:
    """Return a digest that can be computed by nobody without the shop's key."""
    key = the_settings().secret_key
    return bytes.fromhex(derive_secret(key, f"recount: login, {kind} {what}"))
