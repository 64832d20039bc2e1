"""What people do with a command of the journal: cancel, retry or abandon it."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.errors.unreadable import UnknownCommandType
from eventstore.journal.internal_commands import InternalRequest, send


class ActionResult(NamedTuple):
    """Whether it was done just now, and the status that the command has."""

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
    Take back a scheduled command whose time has not come.

    It can never be both run and cancelled. Returns None where there is no such command
    of *principal*, or of anybody.
    """
    return call_action(
        connection,
        "SELECT was_done, now_is FROM public.cancel_command(%s, %s, %s, %s)",
        (command_id, by, because, principal),
    )


def retry(
    connection: psycopg.Connection[Any], command_id: UUID, *, by: str, because: str
) -> ActionResult | None:
    """Let a failed command have its turn again; None where there is no such command."""
    return call_action(
        connection,
        "SELECT was_done, now_is FROM public.retry_command(%s, %s, %s)",
        (command_id, by, because),
    )


def abandon(
    connection: psycopg.Connection[Any], command_id: UUID, *, by: str, because: str
) -> ActionResult | None:
    """
    Give up a failed command for good, or one that waits in a stream that is stuck.

    A stream is stuck where an accepted command of it was tried in vain: it has an event
    that this code cannot read, say. Returns None where there is no such command. Waits
    for the runner that drains the stream, within the session's lock_timeout.
    The caller owns the transaction, and sends in it what tells others of it.
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
    Send what follows from an abandoned command, in the transaction that abandons it.

    Returns the id of the command that was sent, or None where none is needed: what a
    client has sent is answered by its status. *secret* is the one for `accept`.

    Raises the rejection of its decider where it must not be abandoned, and
    UnknownCommandType for one of a class that is gone: then roll back the transaction.
    Raises BadStreamId, NotANumber or KeyReused where the command to be sent cannot be
    stored.
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
