"""What is wrong with the databases that queries are sent to."""

from collections.abc import Iterator
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.ailment import Ailment
from eventstore.connection import driver_connection
from eventstore.database.connection_limits import check_shared
from eventstore.stores.registry import find_copy_standings
from tasks.shop.connections import POOL
from tasks.shop.wiring import Shop
from tasks.stores.cache_checks import check_cache
from tasks.stores.replica import NAME as REPLICA
from tasks.stores.standings import OK, StoreStanding, find_store_standings
from tasks.stores.store_state import MAX_SECONDS_OLD, ReadStore

AT_LEAST_THE_PRIMARYS = (
    "max_connections",
    "max_prepared_transactions",
    "max_worker_processes",
    "max_wal_senders",
    "max_locks_per_transaction",
)
"""Settings of a standby that stops to replay where one is lower than the primary's."""


def check_stores(
    shop: Shop, primary: psycopg.Connection[Any], standings: list[StoreStanding]
) -> Iterator[Ailment]:
    """
    Yield what is wrong with the read databases; *primary* is the shop's own.

    *standings* is filled with how they stand.
    """
    settings = shop.settings
    if settings.cache_url:
        yield from check_cache(settings.cache_url, settings.broker_url)
    if settings.names_stores:
        yield from check_copies(primary)
    if shop.reads is None:
        return
    standings.extend(find_store_standings(shop.reads))
    by_name = {store.name: store for store in shop.reads.stores}
    for standing in standings:
        yield from check_standing(standing)
        if standing.state == OK:
            yield from check_server(shop, primary, by_name[standing.name])
    if REPLICA in by_name:
        yield from check_slots(primary)


def check_copies(primary: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield which copies in stores are not written, or lack rows."""
    for copy in find_copy_standings(primary):
        name = f"{copy.store} {copy.read_model}"
        if copy.error:
            yield Ailment(name, copy.error, "look at the store's server and its page")
        elif not copy.is_tended:
            yield Ailment(
                name,
                "nobody writes it, and PostgreSQL answers instead",
                "start a relay whose settings name the store",
            )
        elif copy.refused:
            yield Ailment(
                name,
                f"{copy.refused} rows were refused, and are not found there",
                "SELECT * FROM refused_rows tells why; mend the rows or the form",
            )


def check_standing(standing: StoreStanding) -> Iterator[Ailment]:
    name = standing.name
    if standing.state != OK:
        yield Ailment(
            name,
            f"it is {standing.state}, and the primary answers instead: {standing.what}",
            "look at its server and its variable; docs/stores has a page for it",
        )
    elif standing.seconds_old is None or standing.seconds_old > MAX_SECONDS_OLD:
        age = standing.seconds_old
        heard = "nothing" if age is None else f"nothing for {age:.1f} s"
        yield Ailment(
            name,
            f"it has heard {heard} of the shop, and the primary answers instead",
            "start the shop's processes, look whether it follows, and at both clocks",
        )


def check_server(
    shop: Shop, primary: psycopg.Connection[Any], store: ReadStore
) -> Iterator[Ailment]:
    needed = shop.settings.web_processes * POOL
    try:
        with store.lend() as connection:
            there = driver_connection(connection)
            for ailment in check_shared(there, needed, "the web's processes"):
                yield ailment._replace(check=store.name)
            if store.has_everything:
                yield from check_parameters(primary, there)
    except (sa.exc.SQLAlchemyError, psycopg.Error) as error:
        yield Ailment(
            store.name, f"it went away: {type(error).__name__}", "ask once more"
        )


def check_parameters(
    primary: psycopg.Connection[Any], standby: psycopg.Connection[Any]
) -> Iterator[Ailment]:
    """Yield the settings for which a standby stops to replay."""
    here, there = parameters_of(primary), parameters_of(standby)
    for name in AT_LEAST_THE_PRIMARYS:
        if there[name] < here[name]:
            yield Ailment(
                REPLICA,
                f"{name} is {there[name]} there and {here[name]} on the primary: it"
                " will not replay, or not start",
                f"set {name} = {here[name]} on the standby and restart it",
            )


def parameters_of(connection: psycopg.Connection[Any]) -> dict[str, int]:
    rows = connection.execute(
        "SELECT name, setting::int FROM pg_catalog.pg_settings WHERE name = ANY (%s)",
        (list(AT_LEAST_THE_PRIMARYS),),
    )
    return dict(rows.fetchall())


def check_slots(primary: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield the slots that keep write-ahead log without end while nobody takes it."""
    rows = primary.execute(
        """
        SELECT slot_name::text FROM pg_catalog.pg_replication_slots
        WHERE slot_type = 'physical' AND NOT active
            AND pg_catalog.current_setting('max_slot_wal_keep_size') = '-1'
        """
    ).fetchall()
    for (name,) in rows:
        yield Ailment(
            REPLICA,
            f"the slot {name} keeps write-ahead log without end, and nobody takes it:"
            " the disk of the primary fills up",
            f"start its standby, SELECT pg_drop_replication_slot('{name}'), or set"
            " max_slot_wal_keep_size",
        )
