"""Whether this process answers, and whether it can do its work."""

from flask import Blueprint, Response, make_response
from flask.typing import ResponseReturnValue

from tasks import publishing
from tasks.bootstrap import schema_is_current
from webapp.away import DATABASE_ERRORS, is_outage
from webapp.entrance import is_known
from webapp.problems import SECONDS_TO_RETRY
from webapp.wiring import the_shop

routes = Blueprint("health", __name__)


@routes.get("/healthz")
def alive() -> ResponseReturnValue:
    """Say that the process answers; a database that is away is no reason to kill it."""
    return {"status": "ok"} if is_known() else in_a_word("ok")


@routes.get("/readyz")
def ready() -> ResponseReturnValue:
    try:
        is_current = schema_is_current(the_shop().engine)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        return not_ready(database="away", schema="unknown")
    if not is_current:
        return not_ready(database="ok", schema="not at head")
    # The promise does not rest on the broker: it is told, and no reason to turn away.
    breaker = publishing.breaker.state.value
    if not is_known():
        return in_a_word("ok")
    return {"status": "ok", "database": "ok", "schema": "ok", "breaker": breaker}


def not_ready(*, database: str, schema: str) -> ResponseReturnValue:
    body: ResponseReturnValue = {
        "status": "not ready",
        "database": database,
        "schema": schema,
    }
    answer = make_response(body if is_known() else in_a_word("unready"))
    answer.status_code = 503
    answer.headers["Retry-After"] = str(SECONDS_TO_RETRY)
    return answer


def in_a_word(word: str) -> Response:
    """Return all that is told to who has not this computer's secret."""
    return Response(f"{word}\n", content_type="text/plain; charset=utf-8")
