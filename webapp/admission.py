"""
Who is let in, before any view: to the API by a token, to the pages by a session.

Until there is a user, the browser that was let in on this computer, and programs of
this computer, are `local` and may do everything. From the first user on the pages want
a login. What has no entry in a table of permissions is forbidden.
"""

from flask import Flask, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from tasks.shop.permissions import OPERATE, PERMISSIONS, permissions_of
from webapp import local_login
from webapp.authorization import (
    Caller,
    admit_to_the_api,
    is_of_the_api,
    there_are_users,
)
from webapp.current_shop import LOCAL, the_shop
from webapp.login import sessions
from webapp.login.acting import require_page
from webapp.login.held_forms import hold
from webapp.login.page import login_page
from webapp.problems import Problem

FOR_ALL = ("static", "health.alive", "health.ready")
"""Endpoints for all callers; the two of health then answer with one word."""
PRINTED = ("entrance.ask", "entrance.enter")
ENTRANCE = (*PRINTED, "login.ask", "login.enter")
FOR_PROGRAMS = ("metrics.metrics",)
"""Pages that programs of this computer may ask, also when there are users."""


def guard(app: Flask) -> None:
    """Check who sends each request to *app*, and what it wants."""
    app.before_request(admit)


def admit() -> ResponseReturnValue | None:
    """
    Identify the caller. Raises the Problem that the request is forbidden.

    A missing address is forbidden, too, for a caller that is not admitted.
    """
    if request.endpoint in FOR_ALL:
        return None
    if is_of_the_api():
        admit_to_the_api()
    elif not local_login.is_on_this_computer():
        raise Problem("forbidden", "The pages can be used only on this computer.")
    elif moved := local_login.redirect_to_printed_host():
        return moved
    elif request.endpoint in PRINTED and has_users():
        return redirect(url_for("login.ask"))
    elif request.endpoint == "login.ask" and not has_users():
        raise Problem("login-required")
    elif request.endpoint in ENTRANCE:
        return None
    elif wants_login := admit_to_the_pages():
        return wants_login
    g.is_admitted = True
    return None


def admit_to_the_pages() -> Response | None:
    """
    Identify who uses a page, or return the page of the login.

    Raises the Problem that they are not let in, or may not use it.
    """
    found = find_caller()
    if found is None:
        return ask_for_login()
    g.caller = found
    if request.url_rule is not None:
        g.is_admitted = True
        require_page(request.endpoint or "")
    return None


def find_caller() -> Caller | None:
    """
    Return who uses a page; None if the shop has users and this is none of them.

    Raises the Problem that the browser has no access, as long as there are no users.
    """
    session = sessions.find_session()
    if session is not None:
        return Caller(session.user, permissions_of(session.roles))
    if request.endpoint in FOR_PROGRAMS and local_login.has_header():
        return Caller(LOCAL, frozenset({OPERATE}))
    if has_users():
        return None
    if not local_login.is_known():
        raise Problem("login-required")
    return Caller(LOCAL, PERMISSIONS)


def has_users() -> bool:
    """
    Return whether there are users; not, on trust, while no database can be asked.

    Then nothing of the shop can be shown, and nothing is accepted. Raises the Problem
    that the database is away where another store would have rows to show.
    """
    try:
        return there_are_users()
    except Problem:
        if the_shop().reads is not None:
            raise
        g.is_on_trust = True
        return False


def ask_for_login() -> Response:
    """Return the page of the login, which leads to the page that was wanted."""
    if request.endpoint in FOR_PROGRAMS:
        raise Problem("login-required")
    if request.method in local_login.SAFE_METHODS:
        page = login_page(wanted=request.full_path.removesuffix("?"))
    else:
        page = login_page(wanted=request.path, held=hold())
    if "HX-Request" in request.headers:
        # A part of a page asks again: the whole page is to become the login.
        page.headers["HX-Refresh"] = "true"
    return page
