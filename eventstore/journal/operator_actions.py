"""Actions of operators on a command of the journal: cancel, retry or abandon it."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.errors.unreadable import UnknownCommandType
from eventstore.journal.internal_commands import InternalRequest, send


class ActionResult(NamedTuple):
    """Whether the action was done now, and the command's status."""

    was_done: bool
    status: str


def cancel(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    by: str,
    because: str = "",
    principal: str | None = None,
) -> ActionResult | None:
    """
    Cancel a scheduled command before its time.

    It can never be both run and cancelled. Returns None if there is no such command,
    or not of *principal*.
    """
    return call_action(
        connection,
        "SELECT was_done, now_is FROM public.cancel_command(%s, %s, %s, %s)",
        (command_id, by, because, principal),
    )


def retry(
    connection: psycopg.Connection[Any], command_id: UUID, *, by: str, because: str
) -> ActionResult | None:
    """Put a failed command back to waiting; return None if there is no such command."""
    return call_action(
        connection,
        "SELECT was_done, now_is FROM public.retry_command(%s, %s, %s)",
        (command_id, by, because),
    )


def abandon(
    connection: psycopg.Connection[Any], command_id: UUID, *, by: str, because: str
) -> ActionResult | None:
    """
    Abandon a failed command, or one that waits in a stuck stream.

    A stream is stuck if one of its accepted commands could not be decided: for example,
    this code cannot read an event. Returns None if there is no such command. Waits for
    the runner that drains the stream, within the session's lock_timeout. The caller
    owns the transaction, and calls `tell_abandoned` in it.
    """
    return call_action(
        connection,
        "SELECT was_done, now_is FROM public.abandon_command(%s, %s, %s)",
        (command_id, by, because),
    )


def call_action(
    connection: psycopg.Connection[Any], statement: str, values: tuple[object, ...]
) -> ActionResult | None:
    row = connection.execute(statement.encode(), values).fetchone()
    return None if row is None else ActionResult(*row)


PRINCIPAL = "process:abandoning"


def tell_abandoned(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    deciders: Deciders,
    secret: bytes,
) -> UUID | None:
    """
    Send the command that follows from an abandoned one, in the same transaction.

    Returns the id of the sent command, or None if none is needed: a client reads the
    status of its command. *secret* is the one for `accept`.

    Raises the rejection of its decider if it must not be abandoned, and
    UnknownCommandType if its class is gone: then roll back the transaction. Raises
    BadStreamId, NotANumber or KeyReused if the command to be sent cannot be stored.
    """
    row = connection.execute(
        "SELECT type, data::text, metadata::text FROM public.commands WHERE id = %s",
        (command_id,),
    ).fetchone()
    assert row is not None
    type_, data, written_metadata = row
    kind = deciders.commands.get(type_)
    if kind is None:
        raise UnknownCommandType(type_)
    decider = deciders.of_command(kind)
    if kind not in decider.internal:
        return None
    follow_up = decider.abandoned(decider.read_command(kind, msgspec.json.decode(data)))
    if follow_up is None:
        return None
    sent = InternalRequest(
        command=follow_up,
        key=str(command_id),
        correlation_id=UUID(msgspec.json.decode(written_metadata)["correlation_id"]),
        causation_id=command_id,
    )
    (sent_id,) = send(
        connection, [sent], deciders=deciders, principal=PRINCIPAL, secret=secret
    )
    return sent_id
