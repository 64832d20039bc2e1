"""A second PostgreSQL with copies of the read models, as queries are sent to it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Projection
from eventstore.session_errors import UnfitSession
from readmodels.stores.postgres.freshness import (
    ServingCopy,
    find_owner,
    find_serving,
)
from readmodels.stores.postgres.store import NAME, shape_of
from tasks.stores.lending import LendingDatabase, answering_within, reading_pool
from tasks.stores.store_state import SECONDS_TO_ANSWER, StoreState

PAUSE = 0.01
NOT_FILLED = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)


@dataclass
class SecondPostgres(LendingDatabase):
    """
    The second database, and what it says of its copies.

    It has the read models alone: no commands, no tokens, and nothing of what is parked.
    """

    has_everything: ClassVar[bool] = False

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

        Raises UnfitSession if it has not got them, or those of another shop.
        """
        driver = driver_connection(connection)
        now = find_time(driver, identity)
        until = time.monotonic() + seconds
        while True:
            copies = find_copies(driver, projections)
            reached = [copy.position for copy in copies]
            behind = bool(reached) and min(reached) < position
            if not behind or time.monotonic() >= until:
                break
            time.sleep(PAUSE)
        places = [
            Freshness(copy.position, max(position - copy.position, 0))
            for copy in copies
        ]
        # Without any, that of all is of interest.
        shown = copies if projections else find_serving(driver, None).values()
        certified = [copy.certified_at for copy in shown]
        moments = [moment for moment in certified if moment is not None]
        as_of = None
        if moments and len(moments) == len(certified):
            as_of = datetime.fromtimestamp(min(moments), UTC)
        # What is parked for a row, and since when and why rows stand still, only the
        # primary can tell. The feeder counts both.
        is_old = any(copy.parked for copy in copies)
        return StoreState(places, as_of, now, behind or is_old)


def find_time(driver: psycopg.Connection[object], identity: str | None) -> datetime:
    """Return the time there. Raises UnfitSession for another shop's copies."""
    try:
        with answering_within(driver, SECONDS_TO_ANSWER):
            owner = find_owner(driver)
    except NOT_FILLED as error:
        raise not_filled() from error
    if owner is None:
        raise not_filled()
    if identity not in (None, owner[0]):
        raise UnfitSession(
            "the database of READ_DATABASE_URL has the rows of another shop",
            "name another one, or drop its schemas: docs/stores/second-postgres.md",
        )
    return datetime.fromtimestamp(owner[1], UTC)


def find_copies(
    driver: psycopg.Connection[object], projections: Sequence[Projection]
) -> list[ServingCopy]:
    """Return the copies that serve, in that order. Raises UnfitSession without one."""
    found = find_serving(driver, [projection.name for projection in projections])
    copies = []
    for projection in projections:
        copy = found.get(projection.name)
        if copy is None or copy.shape != shape_of(projection):
            raise not_filled(projection.name)
        copies.append(copy)
    return copies


def not_filled(read_model: str = "the read models") -> UnfitSession:
    return UnfitSession(
        f"the second database has not got {read_model} of this version yet",
        "wait until the relay has filled it; recount stores list tells how far it is",
    )


def second_postgres_at(url: str) -> SecondPostgres:
    """Return the database at *url*; nothing is opened yet."""
    return SecondPostgres(NAME, partial(reading_pool, url))
