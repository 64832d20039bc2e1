"""`/tokens`: by which one's programs ask the API; for an admin those of all users."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.access import for_sessions
from tasks.shop.permissions import MANAGE_USERS, SCOPES
from webapp.authorization import caller
from webapp.current_shop import LOCAL, the_shop
from webapp.login.acting import may, the_user
from webapp.pages.users import as_admin, own_session
from webapp.problems import Problem

MAX_DAYS = 3650
USUAL = 90

routes = Blueprint("tokens", __name__)


@routes.get("/tokens")
def mine() -> ResponseReturnValue:
    if the_user() == LOCAL:
        return redirect(url_for("first_user.ask"))
    return page()


def page(new: str | None = None, problem: str = "") -> str:
    with as_admin() as (connection, session):
        found = for_sessions.find_tokens(connection, session, of_all=may(MANAGE_USERS))
    return render_template(
        "users/tokens.html",
        tokens=found,
        new=new,
        problem=problem,
        days=request.form.get("days", str(USUAL)),
        scopes=[
            name
            for name, permissions in SCOPES.items()
            if permissions & caller().permissions
        ],
    )


@routes.post("/tokens")
def create() -> ResponseReturnValue:
    """Create a token, and show it once."""
    user, scope = the_user(), request.form.get("scope", "")
    written = request.form.get("days", "").strip()
    if scope not in SCOPES:
        raise Problem("bad-request", "There is no such scope.")
    if not (
        written.isascii() and written.isdecimal() and 1 <= int(written) <= MAX_DAYS
    ):
        return page(problem=f"A number of days, 1 to {MAX_DAYS:,}."), 422
    with the_shop().lent() as connection:
        token = for_sessions.create_token(
            connection,
            own_session(),
            scopes=[scope],
            expires_in=timedelta(days=int(written)),
        )
    if token is None:
        raise Problem("forbidden", f"The session of {user} has ended.")
    return page(token)


@routes.post("/tokens/<prefix>/revoke")
def revoke(prefix: str) -> ResponseReturnValue:
    """Revoke a token: one's own, or for an admin anybody's."""
    the_user()
    with the_shop().lent() as connection:
        if not for_sessions.revoke_token(connection, own_session(), prefix):
            raise Problem("not-found", "There is no such token of yours.")
    flash(f"The token {prefix} is revoked.")
    return redirect(url_for("tokens.mine"), 303)
