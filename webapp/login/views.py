"""`/login` and `/logout`: in by name and password, and out again."""

import re
import secrets

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from eventstore.access.sessions import begin_login, find_session, hash_of, open_session
from tasks.shop.passwords import hash_by
from tasks.shop.permissions import permissions_of
from webapp.authorization import Caller
from webapp.current_shop import LOCAL, the_shop
from webapp.login import sessions
from webapp.login.acting import may_open, the_user
from webapp.login.browsers import counted_by, know_browser
from webapp.login.hashing import a_turn
from webapp.login.held_forms import BROWSER, USER, HeldForm, open_held, show_again
from webapp.login.page import login_page, usable_address
from webapp.outages import DATABASE_ERRORS, problem_of
from webapp.problems import Problem

NAME = re.compile("[a-z][a-z0-9._-]{0,59}")
NOBODY = "-"
"""No user's name."""
WRONG = "There is no user of this name with this password."
TOO_MANY = "Too many logins have failed. Try again in {} seconds."
AWAY = "The shop's database is away, so nobody can log in. Try again in a moment."

routes = Blueprint("login", __name__)


@routes.get("/login")
def ask() -> ResponseReturnValue:
    """Show the login, or the first page to who needs none."""
    if sessions.find_session() is not None:
        return redirect(url_for("desk.show"))
    return login_page(200, wanted=request.args.get("next", ""))


@routes.post("/login")
def enter() -> ResponseReturnValue:
    """Open a session, or show the login again; unknown names are treated alike."""
    try:
        return log_in(request.form.get("name", "").strip().lower())
    except DATABASE_ERRORS as error:
        problem = problem_of(error)
        if problem is None:
            raise
        return again(503, AWAY)


def log_in(name: str) -> ResponseReturnValue:
    # Of the name that was typed, and not only of one that could be a user's.
    counted = counted_by(name)
    user = name if NAME.fullmatch(name) else NOBODY
    with the_shop().lent() as connection:
        begun = begin_login(connection, user, counted)
    if begun.seconds_to_wait is not None:
        seconds = int(begun.seconds_to_wait) + 1
        page = again(429, TOO_MANY.format(seconds))
        page.headers["Retry-After"] = str(seconds)
        return page
    try:
        with a_turn():
            hashed = hash_by(begun.method, request.form.get("password", ""))
    except Problem as busy:
        return again(busy.kind.status, busy.detail)
    with the_shop().lent() as connection:
        secret = open_session(connection, user, hashed, counted)
    if secret is None:
        current_app.logger.info("a login failed")
        return again(401, WRONG)
    current_app.logger.info("%s has logged in", user)
    return let_in(user, secret)


def again(status: int, message: str) -> Response:
    """Return the login with what was typed, but for the password."""
    return login_page(
        status,
        name=request.form.get("name", ""),
        message=message,
        wanted=request.form.get("next", ""),
        held=request.form.get("held", ""),
    )


def let_in(user: str, secret: str) -> Response:
    """Return the page that *user* wanted, and have the browser keep the session."""
    held = open_held(request.form.get("held", ""), user)
    begin_anew(user)
    response = shown_again(held, secret) if held is not None else None
    if response is None:
        wanted = usable_address(request.form.get("next", ""))
        response = make_response(redirect(wanted or url_for("desk.show"), 303))
    sessions.set_cookie(response, secret)
    know_browser(response, user)
    return response


def begin_anew(user: str) -> None:
    """Leave all that the browser had: its session, and the token of its forms."""
    sessions.end()
    session.clear()
    session[USER], session[BROWSER] = user, secrets.token_hex(16)


def shown_again(held: HeldForm, secret: str) -> Response | None:
    """Return the page of the form that was typed before the login."""
    with the_shop().lent() as connection:
        found = find_session(connection, hash_of(secret))
    if found is None:
        return None
    g.caller = Caller(found.user, permissions_of(found.roles))
    g.is_admitted = True
    try:
        return show_again(held) if may_open(held.endpoint) else None
    except Problem:
        return None
    except DATABASE_ERRORS as error:
        problem = problem_of(error)
        if problem is None or problem.name != "read-model-missing":
            raise
        # What fills in the page is missing: that keeps nobody out.
        return None


@routes.get("/logout")
def leave() -> ResponseReturnValue:
    """Show the buttons that end the session: this one, or all."""
    return render_template("login/logout.html")


@routes.post("/logout")
def end() -> ResponseReturnValue:
    """End the session, or everywhere; who was logged in stays known for a held form."""
    if the_user() == LOCAL:
        raise Problem("forbidden", "There is no login yet, so there is nothing to end.")
    sessions.end(is_everywhere="everywhere" in request.form)
    response = make_response(redirect(url_for("login.ask"), 303))
    sessions.drop_cookie(response)
    return response
