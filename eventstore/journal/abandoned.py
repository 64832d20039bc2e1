"""Telling those who wait for a command that an operator has given it up."""

from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.decider import Deciders
from eventstore.errors import UnknownCommandType
from eventstore.journal.sending import Outgoing, send

PRINCIPAL = "process:abandoning"


def tell_abandoned(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    deciders: Deciders,
    secret: bytes,
) -> UUID | None:
    """
    Send what tells of an abandoned command, in the transaction that abandons it.

    Returns the id of that follow-up, or None where nobody need hear of it: what a
    client has sent is answered by its status. Raises the rejection of its decider where
    it must not be given up: then nothing of the transaction may hold.
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
    sent = Outgoing(
        command=follow_up,
        key=str(command_id),
        correlation_id=UUID(msgspec.json.decode(written_metadata)["correlation_id"]),
        causation_id=command_id,
    )
    (sent_id,) = send(
        connection, [sent], deciders=deciders, principal=PRINCIPAL, secret=secret
    )
    return sent_id
