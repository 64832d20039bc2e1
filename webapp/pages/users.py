"""The pages of users: all of them, for admins; one's own; and what each role may."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from eventstore.access import for_sessions
from eventstore.access.for_sessions import Change
from eventstore.access.sessions import begin_login, open_session
from tasks.shop.passwords import hash_by
from tasks.shop.permissions import MEANINGS, ROLES, present_name
from webapp.current_shop import LOCAL, the_shop
from webapp.login import sessions
from webapp.login.acting import the_user
from webapp.login.browsers import counted_by
from webapp.login.hashing import a_turn
from webapp.login.passwords import NotTyped, new_password
from webapp.login.views import TOO_MANY, begin_anew
from webapp.pages.first_user import OF_A_NAME, is_name
from webapp.problems import Problem

CHANGES: dict[str, tuple[Change, str]] = {
    "roles": ("roles", "The roles of {} are changed."),
    "disable": ("disable", "{} is shut out."),
    "enable": ("enable", "{} is let in again."),
    "password": ("password", "The password of {} is set; all sessions have ended."),
    "sign-out": ("sign out", "{} is signed out everywhere."),
}
"""What an admin does to a user, by the end of the address, and how that is told."""
NOT_TO_ONESELF = ("disable", "roles")
TAKEN = "There is a user of this name, or was one: a name is given once."

routes = Blueprint("users", __name__)


@routes.get("/users")
def all_of_them() -> ResponseReturnValue:
    if the_user() == LOCAL:
        return redirect(url_for("first_user.ask"))
    return page({})


def page(problems: dict[str, str], about: str = "") -> str:
    """Return the page; *problems* are of the form *about* a user, or of a new one."""
    with as_admin() as (connection, session):
        found = for_sessions.find_users(connection, session)
    return render_template(
        "users/users.html",
        users=found,
        roles=list(ROLES),
        present_names=present_names,
        problems=problems,
        about=about,
        typed=request.form.get("name", ""),
        ticked=roles_in(),
    )


@routes.post("/users")
def add() -> ResponseReturnValue:
    """Add a user, with a password or without one."""
    name = request.form.get("name", "").strip().lower()
    if not is_name(name):
        return page({"name": OF_A_NAME}), 422
    try:
        hashed = new_password() if request.form.get("password") else None
    except NotTyped as error:
        return page({error.field: str(error)}), 422
    with as_admin() as (connection, session):
        is_new = for_sessions.add_user(connection, session, name, roles_in(), hashed)
    if not is_new:
        return page({"name": TAKEN}), 422
    return done(f"{name} is added.", name)


@routes.post("/users/<name>/<what>")
def change(name: str, what: str) -> ResponseReturnValue:
    """Do one of CHANGES to a user."""
    if what not in CHANGES:
        raise Problem("not-found")
    known, told = CHANGES[what]
    roles = roles_in()
    if name == the_user() and what in NOT_TO_ONESELF and "admin" not in roles:
        raise Problem(
            "forbidden", "You would shut yourself out: another admin can do that."
        )
    try:
        hashed = new_password() if what == "password" else None
    except NotTyped as error:
        return page({error.field: str(error)}, name), 422
    with as_admin() as (connection, session):
        is_done = for_sessions.change_user(
            connection, session, known, name, roles=roles, hashed=hashed
        )
    if not is_done and what != "sign-out":
        raise Problem("not-found", f"There is no user {name}.")
    return done(told.format(name), name)


def done(told: str, name: str) -> ResponseReturnValue:
    """Note who did what to whom, and lead back to the page."""
    current_app.logger.info("%s, by %s", told.rstrip("."), the_user())
    flash(told)
    return redirect(url_for("users.all_of_them", _anchor=f"user-{name}"), 303)


def roles_in() -> list[str]:
    """Return the roles that are ticked."""
    return [role for role in ROLES if f"role.{role}" in request.form]


@contextmanager
def as_admin() -> Iterator[tuple[psycopg.Connection[Any], bytes]]:
    """
    Yield a connection, and the hash of the session to show there.

    Raises the Problem that the session is no admin's any more.
    """
    try:
        with the_shop().lent() as connection:
            yield connection, own_session()
    except psycopg.errors.InsufficientPrivilege as error:
        raise Problem("forbidden", "You are no admin any more.") from error


def present_names(roles: Iterable[str]) -> list[str]:
    return sorted({present_name(role) for role in roles})


def own_session() -> bytes:
    """Return the hash of the caller's session, or raise the Problem without one."""
    hashed = sessions.hash_in_cookie()
    if hashed is None:
        raise Problem("forbidden", "Only a user who is logged in has this.")
    return hashed


@routes.get("/me")
def me() -> ResponseReturnValue:
    if the_user() == LOCAL:
        return redirect(url_for("first_user.ask"))
    return own_page({})


def own_page(problems: dict[str, str]) -> str:
    session = sessions.find_session()
    roles = [] if session is None else present_names(session.roles)
    return render_template("users/me.html", roles=roles, problems=problems)


@routes.post("/me/password", endpoint="new_password")
def change_password() -> ResponseReturnValue:
    """Replace the own password by another; all sessions end but this one, a new one."""
    user = the_user()
    counted = counted_by(user)
    with the_shop().lent() as connection:
        begun = begin_login(connection, user, counted)
    if begun.seconds_to_wait is not None:
        told = TOO_MANY.format(int(begun.seconds_to_wait) + 1)
        return own_page({"present": told}), 429
    with a_turn():
        present = hash_by(begun.method, request.form.get("present", ""))
    try:
        hashed = new_password()
    except NotTyped as error:
        return own_page({error.field: str(error)}), 422
    with the_shop().lent() as connection:
        session = own_session()
        if not for_sessions.change_password(connection, session, present, hashed):
            return own_page({"present": "This is not your present password."}), 422
        secret = open_session(connection, user, hashed, counted)
    begin_anew(user)
    flash("Your password is changed. You are signed out everywhere else.")
    response = make_response(redirect(url_for("users.me"), 303))
    sessions.set_cookie(response, cast(str, secret))
    return response


@routes.get("/roles")
def roles() -> ResponseReturnValue:
    """Show what each role may."""
    return render_template("users/roles.html", roles=ROLES, meanings=MEANINGS)
