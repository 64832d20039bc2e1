"""Endpoints for checking that this process is alive and ready."""

import logging

from flask import Blueprint, Response, make_response
from flask.typing import ResponseReturnValue

from eventstore.session_errors import ReadOnlyServer, UnfitSession
from tasks.shop.connections import can_write
from tasks.shop.wiring import schema_mismatch
from webapp.current_shop import the_shop
from webapp.local_login import is_known
from webapp.outages import DATABASE_ERRORS, cause_of, is_outage
from webapp.problems import SECONDS_TO_RETRY

log = logging.getLogger(__name__)
routes = Blueprint("health", __name__)


@routes.get("/healthz")
def alive() -> ResponseReturnValue:
    """Answer that the process is alive, also without a database."""
    return {"status": "ok"} if is_known() else in_a_word("ok")


@routes.get("/readyz")
def ready() -> ResponseReturnValue:
    engine = the_shop().engine
    try:
        if not can_write(engine):
            return not_ready(database="read only", schema="unknown")
        wrong = schema_mismatch(engine)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        return not_ready(database=word_for(cause_of(error)), schema="unknown")
    if wrong is not None:
        schema = "newer than this code" if wrong.is_newer else "not at head"
        return not_ready(database="ok", schema=schema)
    # The broker is reported, but its absence does not make the process unready.
    breaker = the_shop().breaker.state.value
    if not is_known():
        return in_a_word("ok")
    return {"status": "ok", "database": "ok", "schema": "ok", "breaker": breaker}


def word_for(error: BaseException | None) -> str:
    """Return a word for the state of the database; details only go to the log."""
    if isinstance(error, ReadOnlyServer):
        return "read only"
    if isinstance(error, UnfitSession):
        log.error("not ready: %s", error)
        return "unfit"
    return "away"


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
    """Return the short answer for a client without this computer's secret."""
    return Response(f"{word}\n", content_type="text/plain; charset=utf-8")
