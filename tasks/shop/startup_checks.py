"""Checks at the start of a process: that the database does not lose data."""

import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy.exc import OperationalError

from eventstore.ailment import Ailment
from eventstore.database.connection_limits import check_own_connections
from eventstore.database.doctor import FATAL_CHECKS, diagnose
from eventstore.session_errors import UnfitSession
from eventstore.subscriptions.process_manager import never_deployed
from tasks.shop.bad_setting import stop_for
from tasks.shop.connections import sessions_needed
from tasks.shop.currency import currency_of
from tasks.shop.migrations import MIGRATE
from tasks.shop.wiring import Shop, schema_mismatch

log = logging.getLogger(__name__)


def refuse_what_loses_data(shop: Shop) -> None:
    """
    End the process, with exit status 78 and the reason, if data would be lost.

    If the database is away, nothing is checked until the process starts again.
    """
    try:
        found = find_at_start(shop)
    except OperationalError as error:
        if isinstance(error.orig, UnfitSession):
            stop_if([session_ailment(error.orig)])
        log.warning("the database does not answer: it is not known to be sound")
        return
    finally:
        # A connection opened here must not be shared with a forked process.
        shop.engine.dispose()
    stop_if([ailment for ailment in found if ailment.is_fatal])
    for ailment in found:
        log.warning("%s: %s; %s", ailment.check, ailment.what, ailment.remedy)


def refuse_another_currency(shop: Shop) -> None:
    """End the process, with exit status 78, if CURRENCY is not the log's."""
    with shop.lent() as connection:
        wrong = other_currency(connection, shop.settings.currency)
    stop_if(wrong)


def stop_if(fatal: Sequence[Ailment]) -> None:
    if fatal:
        worst = fatal[0]
        stop_for(f"{worst.what}; {worst.remedy}. recount doctor tells more")


def find_at_start(shop: Shop) -> list[Ailment]:
    """Return what is wrong, by the checks that a process runs at its start."""
    if wrong := schema_ailments(shop):
        return wrong
    with shop.lent() as connection:
        missing = never_deployed(connection, shop.process_managers)
        if missing:
            return [deployment_ailment(missing)]
        if other := other_currency(connection, shop.settings.currency):
            return other
        needed = sessions_needed(shop.settings.web_processes)
        return [
            *diagnose(connection, FATAL_CHECKS),
            *check_own_connections(connection, needed.get(shop.settings.role, 1)),
        ]


def deployment_ailment(missing: Sequence[str]) -> Ailment:
    what = f"{', '.join(missing)} would not hear of what is accepted now"
    return Ailment("process managers", what, MIGRATE, is_fatal=True)


def session_ailment(unfit: UnfitSession) -> Ailment:
    return Ailment("session", unfit.what, unfit.remedy, is_fatal=True)


def schema_ailments(shop: Shop) -> list[Ailment]:
    """Return what is wrong with the schema; if so, nothing else can be checked."""
    wrong = schema_mismatch(shop.engine)
    if wrong is None:
        return []
    return [Ailment("schema", wrong.what, wrong.remedy, is_fatal=True)]


def other_currency(connection: psycopg.Connection[Any], own: str) -> list[Ailment]:
    """Return what is wrong with CURRENCY if it is not that of the log's amounts."""
    of_log = currency_of(connection)
    if of_log in (own, None):
        return []
    what = f"CURRENCY is {own}, and the amounts in the log are in {of_log}"
    remedy = f"set CURRENCY to {of_log}, or take a new database"
    return [Ailment("currency", what, remedy, is_fatal=True)]
