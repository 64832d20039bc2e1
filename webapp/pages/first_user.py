"""`/first-user`: from `local`, who may everything, to a user with a password."""

from flask import (
    Blueprint,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from eventstore.access.for_sessions import add_first_user
from eventstore.access.sessions import open_session
from webapp.authorization import token_cache
from webapp.current_shop import LOCAL, the_shop
from webapp.login import sessions
from webapp.login.acting import the_user
from webapp.login.browsers import know_browser
from webapp.login.passwords import NotTyped, new_password
from webapp.login.views import NAME, begin_anew
from webapp.problems import Problem

ROLE = "admin"
OF_A_NAME = (
    "1 to 60 of a-z, 0-9, dot, dash and underscore, a letter first; and not “local”."
)

routes = Blueprint("first_user", __name__)


@routes.get("/first-user")
def ask() -> ResponseReturnValue:
    if the_user() != LOCAL:
        return redirect(url_for("users.all_of_them"))
    return page({})


@routes.post("/first-user")
def add() -> ResponseReturnValue:
    """Add an admin with a password, who is logged in at once."""
    if the_user() != LOCAL:
        return redirect(url_for("users.all_of_them"), 303)
    name = request.form.get("name", "").strip().lower()
    if not is_name(name):
        return page({"name": OF_A_NAME}), 422
    try:
        hashed = new_password()
    except NotTyped as error:
        return page({error.field: str(error)}), 422
    with the_shop().lent() as connection:
        if not add_first_user(connection, name, hashed):
            raise Problem("forbidden", "Somebody else was faster: log in.")
        secret = open_session(connection, name, hashed, [])
    token_cache().learn_users(True)
    current_app.logger.info("%s is the first user", name)
    response = make_response(redirect(url_for("users.all_of_them"), 303))
    begin_anew(name)
    if secret is not None:
        sessions.set_cookie(response, secret)
        know_browser(response, name)
    return response


def page(problems: dict[str, str]) -> str:
    typed = request.form.get("name", "")
    return render_template("users/first.html", problems=problems, name=typed)


def is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and name != LOCAL
