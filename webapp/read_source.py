"""
Where a query is asked: a read database that is new enough, or else the shop's own.

If the shop's own is away, the read database answers however old it is, and says so.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from flask import g

from eventstore.connection import driver_connection
from eventstore.projections.freshness import Freshness, wait_for
from eventstore.projections.projection import Projection
from eventstore.subscriptions.standstill import IDLE, Standstill
from tasks.stores.lending import asking_the_last
from tasks.stores.read_databases import PRIMARY, ReadDatabases
from tasks.stores.store_state import ReadStore
from webapp.answering_store import is_avoided, note_asking
from webapp.current_shop import the_shop
from webapp.outages import DATABASE_ERRORS, DatabaseError, is_outage, not_accepted
from webapp.position_asked import ReadRequest, forget_other_logs, position_asked

SECONDS_FOR_STORE = 0.1
"""Seconds that a read database is waited for, before the shop's own is asked."""
MAX_LAST_LOOKS = 4
"""How often one request asks with patience where nothing else can answer."""
CUT_OFF = "cut off"
"""Why rows stand still: the shop's database is away, and another one answers."""


class CutOff(NamedTuple):
    """The shop's database is away; what answers has the shop *as_of* a moment."""

    as_of: datetime | None
    seconds_old: float | None


class ReadSource(NamedTuple):
    """
    A connection for queries, with the freshness of each read model.

    *name* is that of its database. *has_everything* says that it has all tables of the
    shop, not its read models alone.
    """

    connection: sa.Connection
    reached: Sequence[Freshness]
    name: str
    has_everything: bool = True
    cut_off: CutOff | None = None


@contextmanager
def lend_source(projections: Sequence[Projection]) -> Iterator[ReadSource]:
    """
    Lend the source for a query of these read models, for a GET.

    Raises the error of the shop's own database if nothing can answer.
    """
    reads = the_shop().reads
    with ExitStack() as chosen:
        if reads is None:
            pooled = the_shop().autocommitting.connect()
            found = ask_primary(chosen.enter_context(pooled), projections)
        else:
            found = choose(chosen, reads, projections)
            note_asking(found.name)
        yield found


@contextmanager
def lend_primary(projections: Sequence[Projection]) -> Iterator[ReadSource]:
    """Lend the shop's own database, for what goes with a command."""
    with the_shop().autocommitting.connect() as connection:
        yield ask_primary(connection, projections)


def ask_primary(
    connection: sa.Connection, projections: Sequence[Projection]
) -> ReadSource:
    """Return the shop's own database as the source, once it has the position."""
    # Wait and read on the same connection: two could be to different servers.
    driver = driver_connection(connection)
    # Only here the end of the log is known.
    forget_other_logs(driver)
    asked = position_asked()
    until = time.monotonic() + asked.seconds
    reached = [
        wait_for(
            driver,
            projection,
            asked.position,
            seconds=max(until - time.monotonic(), 0),
        )
        for projection in projections
    ]
    return ReadSource(connection, reached, PRIMARY)


def choose(
    chosen: ExitStack, reads: ReadDatabases, projections: Sequence[Projection]
) -> ReadSource:
    """Return the source, which *chosen* closes."""
    asked = position_asked()
    spare, spare_stack = None, ExitStack()
    for store in reads.stores:
        if is_avoided(store.name):
            continue
        answered = try_store(store, reads, projections, asked)
        if answered is None:
            continue
        found, is_enough, opened = answered
        if is_enough:
            spare_stack.close()
            chosen.push(opened)
            return found._replace(cut_off=None)
        if spare is None:
            spare, spare_stack = found, opened
        else:
            opened.close()
    # Not inside of the other's context: it would take this one's failure for its own.
    failure: DatabaseError | None = None
    try:
        if not is_avoided(PRIMARY):
            with ExitStack() as trying:
                connection = trying.enter_context(reads.primary.lend())
                found = ask_primary(connection, projections)
                spare_stack.close()
                chosen.push(trying.pop_all())
                return found
    except DATABASE_ERRORS as error:
        if spare is None or not is_outage(error):
            spare_stack.close()
            g.pop("asking", None)
            raise
        failure = error
    if spare is None:
        spare, spare_stack = ask_last(reads, projections, asked)
    if spare is None:
        raise not_accepted() from failure
    chosen.push(spare_stack)
    return cut_off(spare)


def ask_last(
    reads: ReadDatabases, projections: Sequence[Projection], asked: ReadRequest
) -> tuple[ReadSource | None, ExitStack]:
    """Return a store, asked with patience: nothing else can answer; what closes it."""
    g.last_looks = g.get("last_looks", 0) + 1
    if g.last_looks <= MAX_LAST_LOOKS:
        for store in reads.stores:
            with asking_the_last():
                answered = try_store(store, reads, projections, asked)
            if answered is not None:
                found, _, opened = answered
                return found, opened
    return None, ExitStack()


def try_store(
    store: ReadStore,
    reads: ReadDatabases,
    projections: Sequence[Projection],
    asked: ReadRequest,
) -> tuple[ReadSource, bool, ExitStack] | None:
    """Return what `ask_store` returns and what closes it; None if it is away."""
    try:
        with ExitStack() as trying:
            found, is_enough = ask_store(trying, store, reads, projections, asked)
            return found, is_enough, trying.pop_all()
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        return None


def ask_store(
    trying: ExitStack,
    store: ReadStore,
    reads: ReadDatabases,
    projections: Sequence[Projection],
    asked: ReadRequest,
) -> tuple[ReadSource, bool]:
    """Return a store as the source, and whether it is new enough to answer."""
    identity = reads.find_identity()
    connection = trying.enter_context(store.lend())
    seconds = min(SECONDS_FOR_STORE, asked.seconds)
    state = store.look(connection, projections, asked.position, seconds, identity)
    source = ReadSource(
        connection,
        state.reached,
        store.name,
        store.has_everything,
        CutOff(state.as_of, state.seconds_old),
    )
    return source, state.is_enough


def cut_off(source: ReadSource) -> ReadSource:
    """Return *source* with the freshness of rows that nobody brings up to date."""
    assert source.cut_off is not None
    still = Standstill(source.cut_off.as_of, CUT_OFF)
    reached = [
        # Who has read all that came here is not idle; who met an error still stands.
        place._replace(standstill=still, seconds_behind=0.0)
        if place.standstill is None or place.standstill.because == IDLE
        else place
        for place in source.reached
    ]
    return source._replace(reached=reached)
