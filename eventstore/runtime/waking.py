"""Waking the programs on a database: there may be something to do. Never the data."""

from datetime import datetime
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.connection import Connection, psycopg_connection
from eventstore.journal.accept import AcceptedCommand, accept

CHANNEL = "eventstore"
"""Of NOTIFY; a channel belongs to one database."""


def wake(connection: Connection) -> None:
    """
    Wake the programs that `run` keeps running, when the caller's transaction commits.

    Without it they find by themselves what was appended or accepted, within 50 ms.
    Where many writers commit at once leave it out: PostgreSQL lets those that notify
    commit one after the other.
    """
    psycopg_connection(connection).execute("SELECT pg_notify(%s, '')", (CHANNEL,))


def send(
    connection: Connection,
    command: Any,
    *,
    deciders: Deciders,
    principal: str,
    key: str,
    secret: bytes,
    expected_version: int | None = None,
    not_before: datetime | None = None,
) -> AcceptedCommand:
    """
    Write *command* to the journal under *key*, and wake the programs that run it.

    It does what `accept` does, which tells of each argument: *key* is the text of the
    idempotency key, *expected_version* the version that the sender has seen of the
    stream, and before *not_before* the command is not run.

    Raises KeyReused for the same key with other content, BadStreamId or NotANumber for
    what could never take effect as it was sent, and InternalCommand for what only
    process managers send.
    """
    driver = psycopg_connection(connection)
    accepted = accept(
        driver,
        command,
        decider=deciders.of_command(type(command)),
        principal=principal,
        key=key,
        secret=secret,
        expected_version=expected_version,
        not_before=not_before,
        masters=deciders.masters,
    )
    wake(driver)
    return accepted


def listen(connection: psycopg.Connection[Any], seconds: float) -> bool:
    """Return whether somebody woke this session within so many *seconds*."""
    return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))
