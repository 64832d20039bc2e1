"""Whether this process answers, and whether it can do its work."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from tasks import publishing
from tasks.bootstrap import schema_mismatch
from webapp.away import DATABASE_ERRORS, is_outage
from webapp.problems import SECONDS_TO_RETRY
from webapp.wiring import the_shop

routes = Blueprint("health", __name__)


@routes.get("/healthz")
def alive() -> ResponseReturnValue:
    """Say that the process answers; a database that is away is no reason to kill it."""
    return {"status": "ok"}


@routes.get("/readyz")
def ready() -> ResponseReturnValue:
    try:
        wrong = schema_mismatch(the_shop().engine)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        return not_ready(database="away", schema="unknown")
    if wrong is not None:
        schema = "newer than this code" if wrong.is_newer else "not at head"
        return not_ready(database="ok", schema=schema)
    # The promise does not rest on the broker: it is told, and no reason to turn away.
    breaker = publishing.breaker.state.value
    return {"status": "ok", "database": "ok", "schema": "ok", "breaker": breaker}


def not_ready(*, database: str, schema: str) -> ResponseReturnValue:
    body = {"status": "not ready", "database": database, "schema": schema}
    return body, 503, {"Retry-After": str(SECONDS_TO_RETRY)}
