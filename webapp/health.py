"""Endpoints for checking that this process is alive and ready."""

import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from flask import Blueprint, Response, make_response
from flask.typing import ResponseReturnValue

from eventstore.explaining.audit_records import count_wrong_rows
from eventstore.session_errors import ReadOnlyServer, UnfitSession
from eventstore.sessions.silence import at_most_silent
from eventstore.stores.registry import find_copy_standings
from eventstore.subscriptions.lag import SubscriptionLag
from eventstore.subscriptions.standstill import Standstill
from eventstore.subscriptions.stop_reasons import RIGHTS
from tasks.shop.connections import can_write
from tasks.shop.standings import find_all_standings
from tasks.shop.wiring import schema_mismatch
from tasks.stores.lending import MAX_SILENCE
from tasks.stores.standings import OK, StoreStanding, find_store_standings
from webapp.current_shop import the_shop
from webapp.local_login import is_known
from webapp.outages import DATABASE_ERRORS, cause_of, is_outage
from webapp.problems import SECONDS_TO_RETRY

log = logging.getLogger(__name__)
routes = Blueprint("health", __name__)

UNKNOWN = SubscriptionLag(
    name="all",
    checkpoint=0,
    lag=0,
    stopped_at_position=None,
    error=None,
    standstill=Standstill(None, RIGHTS),
)
"""Instead of the readers, where this login lacks the right to look at them."""


@routes.get("/healthz")
def alive() -> ResponseReturnValue:
    """Answer that the process is alive, also without a database."""
    return {"status": "ok"} if is_known() else in_a_word("ok")


@routes.get("/readyz")
def ready() -> ResponseReturnValue:
    engine, reads = the_shop().engine, the_shop().reads
    try:
        with at_most_silent(MAX_SILENCE if reads else None):
            if not can_write(engine):
                return unable_to_write("read only")
            wrong = schema_mismatch(engine)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        return unable_to_write(word_for(cause_of(error)))
    if wrong is not None:
        schema = "newer than this code" if wrong.is_newer else "not at head"
        return not_ready(database="ok", schema=schema)
    # An absent broker or rows that are old do not make the process unready: it would
    # be taken out of service, with all others, and pages would say nothing at all.
    standings = find_live_standings()
    still = [one for one in standings if one.standstill is not None]
    wrong_rows = count_wrong()
    status = "degraded" if still or wrong_rows else "ok"
    if not is_known():
        return in_a_word(status)
    return {
        "status": status,
        "database": "ok",
        "schema": "ok",
        "breaker": the_shop().breaker.state.value,
        "lag_seconds": longest_lag(standings),
        "standstills": [describe(one) for one in still],
        **({"wrong_rows": wrong_rows} if wrong_rows else {}),
        **described_stores(find_stores()),
        **described_copies(),
    }


def unable_to_write(database: str) -> ResponseReturnValue:
    """
    Answer that nothing can be sent; *database* is a word for why.

    The process stays in service, degraded, if it can still be read by it.
    """
    stores = find_stores()
    if not any(store.state == OK for store in stores):
        return not_ready(database=database, schema="unknown")
    if not is_known():
        return in_a_word("degraded")
    return {
        "status": "degraded",
        "database": database,
        "schema": "unknown",
        **described_stores(stores),
    }


def find_stores() -> list[StoreStanding]:
    reads = the_shop().reads
    return [] if reads is None else list(find_store_standings(reads))


def described_stores(stores: Sequence[StoreStanding]) -> dict[str, Any]:
    """Return how the stores stand as a field, or nothing where there are none."""
    if not stores:
        return {}
    return {
        "stores": [
            {"store": one.name, "state": one.state, "seconds_old": one.seconds_old}
            for one in stores
        ]
    }


def described_copies() -> dict[str, Any]:
    """Return which copies in stores are not written as a field, if there are any."""
    if not the_shop().settings.names_stores:
        return {}
    try:
        with the_shop().lent() as connection:
            standings = find_copy_standings(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        log.error("copies cannot be looked at error=%s", type(error).__name__)
        return {}
    return {
        "copies": [
            {
                "store": one.store,
                "read_model": one.read_model,
                "seconds_behind": one.seconds_behind,
                "is_failing": bool(one.error) or not one.is_tended,
            }
            for one in standings
        ]
    }


def longest_lag(standings: Sequence[SubscriptionLag]) -> float | None:
    """Return the age of the oldest unread event; None if nobody knows it."""
    if any(one.standstill and one.seconds is None for one in standings):
        return None
    return max((one.seconds or 0.0 for one in standings), default=0.0)


def find_live_standings() -> list[SubscriptionLag]:
    """Return where all readers stand; none if this login may not look."""
    try:
        with the_shop().lent() as connection:
            return find_all_standings(connection, the_shop().projections)
    except psycopg.errors.InsufficientPrivilege as error:
        log.error("readers cannot be looked at error=%s", type(error).__name__)
        return [UNKNOWN]


def count_wrong() -> int:
    """Return how many rows are known to be wrong; 0 if this login may not look."""
    try:
        with the_shop().lent() as connection:
            return sum(count_wrong_rows(connection).values())
    except psycopg.errors.InsufficientPrivilege as error:
        log.error("wrong rows cannot be looked at error=%s", type(error).__name__)
        return 0


def describe(standing: SubscriptionLag) -> dict[str, Any]:
    """Return what programs are told of a reader that stands still."""
    still = standing.standstill
    assert still is not None
    return {
        "subscription": standing.name,
        "because": still.because,
        "since": None if still.since is None else still.since.isoformat(),
        "lag_seconds": standing.seconds,
    }


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
