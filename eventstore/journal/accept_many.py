"""Accepting many: a set of commands in one round trip and one commit."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.errors import is_of_the_data
from eventstore.journal.accept import Prepared


class Answered(NamedTuple):
    """
    What one of many was answered.

    *is_new* is False where the same was accepted before; *is_same* is False where its
    key stands for another content, and it was not accepted. *error* is set where the
    database refused to store it, and the rest of it is of no use then.
    """

    command_id: UUID
    is_new: bool = False
    is_same: bool = False
    status: str = ""
    stream_id: str = ""
    error: Exception | None = None

    @property
    def is_promised(self) -> bool:
        """Whether it was accepted, now or before."""
        return self.is_same and self.error is None


def accept_many(
    connection: psycopg.Connection[Any], commands: Sequence[Prepared]
) -> list[Answered]:
    """
    Write *commands*, all of one principal, to the journal in their order.

    Each is answered by itself. Where the database takes one of them for no value that
    it could store, the set is halved until that one stands alone. Use a *connection* in
    autocommit: when this returns they are promised, and when it raises none of them is,
    unless the answer to the commit was lost.
    """
    if not commands:
        return []
    try:
        # In halves that are undone together this is a savepoint.
        with connection.transaction():
            return accepted(connection, commands)
    except psycopg.Error as error:
        if not is_of_the_data(error):
            raise
        if len(commands) == 1:
            return [Answered(commands[0].command_id, error=error)]
    half = len(commands) // 2
    with connection.transaction():
        return [
            *accept_many(connection, commands[:half]),
            *accept_many(connection, commands[half:]),
        ]


def accepted(
    connection: psycopg.Connection[Any], commands: Sequence[Prepared]
) -> list[Answered]:
    rows = connection.execute(
        """
        SELECT is_new, is_same, status, stream_id
        FROM public.accept_many(%s::text::jsonb, %s, %s::text::jsonb)
        """,
        (lines_of(commands), commands[0].principal, keys_of(commands)),
    ).fetchall()
    return [
        Answered(command.command_id, *row)
        for command, row in zip(commands, rows, strict=True)
    ]


def lines_of(commands: Sequence[Prepared]) -> str:
    """Return all as one JSON list, in which what is JSON already is not read again."""
    lines = [
        {
            "place": place,
            "command_id": command.command_id,
            "stream_id": command.stream_id,
            "category": command.category,
            "numbered_by": command.numbered_by,
            "type": command.type,
            "data": msgspec.Raw(command.data.encode()),
            "metadata": msgspec.Raw(command.metadata.encode()),
            "fingerprint": command.fingerprint.hex(),
            "expected_version": command.expected_version,
            "not_before": command.not_before,
        }
        for place, command in enumerate(commands)
    ]
    return msgspec.json.encode(lines).decode()


def keys_of(commands: Sequence[Prepared]) -> str:
    """Return the keys of all as one JSON list; each command has a list of its own."""
    lists = (command.new_keys for command in commands)
    return "[" + ",".join(keys[1:-1] for keys in lists if keys) + "]"
