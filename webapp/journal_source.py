"""
Where the journal and the tokens are asked: the shop's own database, or else a replica.

A replica is asked in need alone: a command that was just accepted is not there yet, and
a token that was just revoked is still valid there.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from flask import g, request

from eventstore.connection import driver_connection
from eventstore.journal import entries
from eventstore.journal.entries import CausedEvent, Entry
from eventstore.journal.pruning import find_pruned_before
from tasks.stores.lending import asking_the_last
from tasks.stores.read_databases import PRIMARY, ReadDatabases
from tasks.stores.store_state import ReadStore
from webapp.answering_store import SAFE, note_away, note_store
from webapp.current_shop import the_shop
from webapp.outages import DATABASE_ERRORS, is_outage, not_accepted
from webapp.problems import Problem
from webapp.read_source import CutOff

T = TypeVar("T")

MAX_SECONDS_OLD_UNSAID = 900.0
"""How old a replica may be that says who may read: for so long others know a token."""


def ask_journal(question: Callable[[sa.Connection], T], *, notes: bool = True) -> T:
    """
    Return what *question* returns for a connection in autocommit.

    It is asked again of a replica if the shop's own database is away and the request
    changes nothing; with *notes* the answer then says that it is old. Raises the error
    of the shop's own.
    """
    reads = the_shop().reads
    if reads is None or request.method not in SAFE:
        with the_shop().autocommitting.connect() as connection:
            return question(connection)
    try:
        with reads.primary.lend() as connection:
            answer = question(connection)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        # What else this request asks would wait for it in vain, too.
        note_away(PRIMARY)
        return ask_replica(reads, question, error, notes=notes)
    if notes:
        note_store(PRIMARY, None)
    return answer


def ask_replica(
    reads: ReadDatabases,
    question: Callable[[sa.Connection], T],
    failure: BaseException,
    *,
    notes: bool,
) -> T:
    """
    Return what *question* returns for a replica, or raise *failure*.

    Nothing else can answer: one that did not answer soon is asked with patience.
    """
    attempts: list[tuple[ReadStore, bool]] = [
        (store, is_last) for is_last in (False, True) for store in reads.whole()
    ]
    for store, is_last in attempts:
        patience = asking_the_last() if is_last else nullcontext()
        try:
            with patience, store.lend() as connection:
                state = store.look(connection, [], 0, 0, reads.identity)
                age = state.seconds_old
                if not notes and (age is None or age > MAX_SECONDS_OLD_UNSAID):
                    continue
                answer = question(connection)
        except DATABASE_ERRORS as error:
            if not is_outage(error):
                raise
            continue
        if notes:
            g.cut_off = CutOff(state.as_of, state.seconds_old)
            note_store(store.name, None)
        return answer
    raise failure


def find_command(command_id: UUID) -> tuple[Entry | None, Sequence[CausedEvent]]:
    """Return a command with the events that it has caused, or None and no events."""

    def find(connection: sa.Connection) -> tuple[Entry | None, Sequence[CausedEvent]]:
        entry = entries.find(connection, command_id)
        events = [] if entry is None else entries.find_events(connection, entry)
        return entry, events

    return ask_journal(find)


def no_command(command_id: UUID) -> Problem:
    """Return the Problem that a command is missing, with the time of pruning."""
    if g.get("cut_off") is not None:
        # A replica may lack what was accepted a moment ago.
        return not_accepted()
    told = f"There is no command {command_id}."
    before = ask_journal(lambda c: find_pruned_before(driver_connection(c)))
    if before is not None:
        written = f"{before.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        told += f" What had finished before {written} is not kept."
    return Problem("not-found", told)
