"""Accepting many: a set of commands in one round trip and one commit."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

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
    autocommit: when this returns they are promised.
    """
    if not commands:
        return []
    try:
        return accepted(connection, commands)
    except psycopg.Error as error:
        if not is_of_the_data(error):
            raise
        if len(commands) == 1:
            return [Answered(commands[0].command_id, error=error)]
    half = len(commands) // 2
    return [
        *accept_many(connection, commands[:half]),
        *accept_many(connection, commands[half:]),
    ]


def accepted(
    connection: psycopg.Connection[Any], commands: Sequence[Prepared]
) -> list[Answered]:
    rows = connection.execute(
        """
        SELECT is_new, is_same, status, stream_id FROM public.accept_many(
            %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
            %s::text[]::jsonb[], %s::text[]::jsonb[], %s, %s::bytea[], %s::integer[],
            %s::timestamptz[], %s::text::jsonb
        )
        """,
        (
            [command.command_id for command in commands],
            [command.stream_id for command in commands],
            [command.category for command in commands],
            [command.numbered_by for command in commands],
            [command.type for command in commands],
            [command.data for command in commands],
            [command.metadata for command in commands],
            commands[0].principal,
            [command.fingerprint for command in commands],
            [command.expected_version for command in commands],
            [command.not_before for command in commands],
            keys_of(commands),
        ),
    ).fetchall()
    return [
        Answered(command.command_id, *row)
        for command, row in zip(commands, rows, strict=True)
    ]


def keys_of(commands: Sequence[Prepared]) -> str:
    """Return the keys of all as one JSON list; each command has a list of its own."""
    lists = (command.new_keys for command in commands)
    return "[" + ",".join(keys[1:-1] for keys in lists if keys) + "]"
