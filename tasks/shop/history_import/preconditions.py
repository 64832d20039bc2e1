"""Check an import: all refusals before the first append are here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from tasks.shop.currency import currency_of
from tasks.shop.history_import.comparing import PlanComparison, compare, waiting_for
from tasks.shop.history_import.errors import ImportRefused, StreamsUsedOtherwise
from tasks.shop.history_import.plan import Plan
from tasks.shop.wiring import Shop, schema_mismatch


def examine_shop(shop: Shop, currency: str) -> None:
    """Refuse a shop of another currency: amounts are never converted."""
    own = shop.settings.currency
    if currency != own:
        raise ImportRefused(
            f"the files are in {currency}, and CURRENCY is {own}: set it to {currency}"
            " for all processes of a new shop, or convert the files"
        )
    if wrong := schema_mismatch(shop.engine):
        raise ImportRefused(f"{wrong.what}; {wrong.remedy}")


def examine_log(
    connection: psycopg.Connection[Any],
    plan: Plan,
    currency: str,
    deciders: Deciders,
) -> PlanComparison:
    """
    Return which events of *plan* are in the log.

    Raises StreamsUsedOtherwise, or ImportRefused for a log of another currency.
    """
    refuse_other_currency(connection, currency)
    compared = compare(connection, plan, deciders)
    otherwise = compared.otherwise or waiting_for(
        connection, compared.new_streams(plan)
    )
    if otherwise:
        raise StreamsUsedOtherwise(otherwise)
    return compared


def refuse_other_currency(connection: psycopg.Connection[Any], currency: str) -> None:
    """Refuse amounts in another currency than the log's. Raises ImportRefused."""
    of_log = currency_of(connection)
    if of_log not in (currency, None):
        raise ImportRefused(
            f"the files are in {currency}, the log's amounts in {of_log}"
        )


# Keys of two integers are a space of their own, beside those that `lock_key` computes.
KEY = "hashtext('recount'), hashtext('import')"


def is_at_work(connection: psycopg.Connection[Any]) -> bool:
    """Return whether a session holds the lock on importing."""
    row = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 2 AND granted
                AND classid = hashtext('recount')::oid
                AND objid = hashtext('import')::oid
                AND database = (
                    SELECT oid FROM pg_database WHERE datname = current_database()
                )
        )
        """
    ).fetchone()
    return row == (True,)


@contextmanager
def alone(
    connection: psycopg.Connection[Any], *, tell: Callable[[str], None]
) -> Iterator[None]:
    """
    Hold the session lock on importing; if another session has it, call *tell* and wait.

    A killed import holds it until PostgreSQL has finished its last append: so the next
    import finds all its events in the log. After an exception, close the connection:
    that releases the lock.
    """
    row = connection.execute(f"SELECT pg_try_advisory_lock({KEY})").fetchone()
    if row != (True,):
        tell("another import is at work; waiting for its end")
        connection.execute(f"SELECT pg_advisory_lock({KEY})")
    yield
    connection.execute(f"SELECT pg_advisory_unlock({KEY})")
