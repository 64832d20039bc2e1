"""
The answers to errors: problem+json (RFC 9457) under /api, otherwise a page.

`webapp.problems` lists the kinds.
"""

from flask import Flask, Response, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from domain.errors import InvalidInput
from domain.input import MAX_FAULTS
from eventstore.errors import BadCursor, KeyReused
from webapp.admission import ask_for_login
from webapp.forms import submit
from webapp.login import views as login
from webapp.login.acting import NoLongerKnown, NotCertain
from webapp.login.held_forms import PAGES
from webapp.outages import DATABASE_ERRORS, DatabaseError, not_accepted, problem_of
from webapp.problems import BY_STATUS, Problem, fault_as_json
from webapp.security import names_this_computer

MAX_SHOWN = 100
FOR_PROGRAMS = ("/healthz", "/metrics", "/readyz")


def answer(app: Flask) -> None:
    """Let *app* answer every error here; answers have no traceback."""
    app.register_error_handler(Problem, render_problem)
    app.register_error_handler(InvalidInput, invalid_input)
    app.register_error_handler(KeyReused, key_reused)
    app.register_error_handler(BadCursor, bad_cursor)
    app.register_error_handler(NoLongerKnown, lambda _: ask_for_login())
    app.register_error_handler(NotCertain, lambda _: render_problem(not_accepted()))
    for kind in DATABASE_ERRORS:
        app.register_error_handler(kind, database_error)
    app.register_error_handler(CSRFError, token_missing)
    app.register_error_handler(SecurityError, foreign_host)
    app.register_error_handler(HTTPException, http_error)


def render_problem(problem: Problem) -> ResponseReturnValue:
    """Return *problem* as JSON, a page, or plain text."""
    if is_for_a_program():
        return as_json(problem)
    if not names_this_computer():
        # Without a valid host no page can be made.
        return foreign_host(SecurityError())
    # A caller that is not admitted sees nothing of the shop, not even its currency.
    template = "error.html" if g.get("is_admitted") else "refused.html"
    status = problem.kind.status
    if problem.name == "being-made":
        # No error to a browser, which shows how far it is until it is there.
        template, status = "past/being_made.html", 202
    elif request.headers.get("HX-Target") == "main":
        # To that page: what is no success would not take its place.
        status = 200
    page = render_template(template, problem=problem)
    return page, status, problem.headers


def is_for_a_program() -> bool:
    path = request.path
    return path in ("/api", *FOR_PROGRAMS) or path.startswith("/api/")


def as_json(problem: Problem) -> Response:
    body = {
        "type": f"/problems/{problem.name}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        **problem.more,
    }
    if problem.faults:
        body["faults"] = [fault_as_json(f) for f in problem.faults[:MAX_SHOWN]]
    return Response(
        current_app.json.dumps(body),
        problem.kind.status,
        problem.headers,
        content_type="application/problem+json",
    )


def invalid_input(error: InvalidInput) -> ResponseReturnValue:
    found = len(error.faults)
    detail = "One field is wrong." if found == 1 else f"{found:,} fields are wrong."
    if found >= MAX_FAULTS:
        detail = f"At least {MAX_FAULTS:,} fields are wrong."
    if found > MAX_SHOWN:
        detail += f" The first {MAX_SHOWN} are listed."
    return render_problem(Problem("invalid-input", detail, faults=error.faults))


def key_reused(error: KeyReused) -> ResponseReturnValue:
    first = url_for("api.command", command_id=error.command_id)
    return render_problem(Problem("key-reused", first=first))


def bad_cursor(error: BadCursor) -> ResponseReturnValue:
    return render_problem(Problem("bad-request", str(error)))


def database_error(error: DatabaseError) -> ResponseReturnValue:
    problem = problem_of(error)
    if problem is None:
        raise error
    return render_problem(problem)


def token_missing(error: CSRFError) -> ResponseReturnValue:
    """Answer a form without a valid token with the same form, filled as sent."""
    if request.endpoint == "login.enter":
        return login.again(403, "The page had grown old. Log in again.")
    message = (
        "The page had grown old, or the form came from somewhere else. "
        "Nothing was sent; look it over and send it again."
    )
    try:
        page = submit.shown_again(message)
        if page is None and request.endpoint in PAGES:
            page = PAGES[request.endpoint](request.form, message, 403)
    except Problem as problem:
        return render_problem(problem)
    return page or render_problem(
        Problem("forbidden", "The form came without its token.")
    )


def foreign_host(error: SecurityError) -> ResponseReturnValue:
    # A page would end here again: so plain text, which says what to do.
    if is_for_a_program():
        return as_json(Problem("bad-request", "This host name is not allowed."))
    text = "This host name is not allowed. Use localhost or 127.0.0.1.\n"
    return text, 400, {"Content-Type": "text/plain; charset=utf-8"}


def http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer errors of Flask itself; a bug comes as a 500, logged by Flask."""
    name = BY_STATUS.get(error.code or 500, "bad-request")
    response = current_app.make_response(render_problem(Problem(name)))
    if name == "method-not-allowed":
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]  # only a 405 has it
    return response
