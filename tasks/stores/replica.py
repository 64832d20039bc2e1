"""A streaming replica of the shop's database: a standby that queries are sent to."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.projections.freshness import wait_for
from eventstore.projections.projection import Projection
from eventstore.session_errors import UnfitSession
from tasks.shop.identity import identity_of
from tasks.stores.lending import LendingDatabase, answering_within, reading_pool
from tasks.stores.store_state import SECONDS_TO_ANSWER, StoreState

NAME = "replica"
PAUSE = 0.01

# Positions of the write-ahead log are not compared: of another timeline they mean
# nothing. Every process of the shop beats: something is committed each half second.
_STATE = """
    SELECT
        pg_catalog.pg_is_in_recovery(),
        greatest(
            pg_catalog.pg_last_xact_replay_timestamp(),
            (SELECT max(h.beat_at) FROM public.heartbeats AS h)
        ),
        clock_timestamp()
"""


@dataclass
class Replica(LendingDatabase):
    """
    The replica, and what it says of its rows.

    It has every table of the shop: commands, tokens, and what is parked, too.
    """

    has_everything: ClassVar[bool] = True

    def look(
        self,
        connection: sa.Connection,
        projections: Sequence[Projection],
        position: int,
        seconds: float,
        identity: str | None,
    ) -> StoreState:
        """
        Return the state of *projections* at *position*, or after *seconds*.

        Raises UnfitSession if the server is no standby any more, or of a shop with
        another *identity*, if that is known.
        """
        driver = driver_connection(connection)
        as_of, now = find_age(driver)
        refuse_another(connection, identity)
        until = time.monotonic() + seconds
        while True:
            # Never longer in one call: on a standby the end of the log is not known.
            reached = [
                wait_for(driver, projection, position, seconds=0)
                for projection in projections
            ]
            lacks = any(
                place.reached < position
                and place.passed_over is None
                and place.standstill is None
                for place in reached
            )
            if not lacks or time.monotonic() >= until:
                break
            time.sleep(PAUSE)
        return StoreState(reached, as_of, now, lacks)


def find_age(driver: psycopg.Connection[Any]) -> tuple[datetime | None, datetime]:
    """
    Return when the last change was made that a standby has, and its present time.

    Raises UnfitSession if it is no standby.
    """
    with answering_within(driver, SECONDS_TO_ANSWER):
        row = driver.execute(_STATE).fetchone()
    assert row is not None
    is_standby, as_of, now = row
    if not is_standby:
        raise UnfitSession(
            "the server of REPLICA_DATABASE_URL is no standby: it was promoted, or"
            " never was one",
            "name a standby of the shop's database, or take the variable away",
        )
    return as_of, now


def refuse_another(connection: sa.Connection, identity: str | None) -> None:
    """Raise UnfitSession for a standby of another shop; ask once for a session."""
    if "identity" not in connection.info:
        connection.info["identity"] = identity_of(driver_connection(connection))
    if identity not in (None, connection.info["identity"]):
        raise UnfitSession(
            "the server of REPLICA_DATABASE_URL is a standby of another database",
            "name a standby of the shop's own, made by pg_basebackup",
        )


def replica_at(url: str) -> Replica:
    """Return the replica at *url*; nothing is opened yet."""
    return Replica(NAME, partial(reading_pool, url))
