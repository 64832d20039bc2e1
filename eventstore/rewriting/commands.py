"""The journal's commands from before encryption: what is personal in them is closed."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.decider import Deciders
from eventstore.errors import RewriteRefused
from eventstore.personal.box import close
from eventstore.personal.keyring import Added, added
from eventstore.personal.keys import new_key
from eventstore.personal.marks import personal_fields
from eventstore.rewriting.keys import keep_all

BATCH = 1_000


class Clear(NamedTuple):
    """A command whose personal data are to be read without a key."""

    id: UUID
    stream_id: str
    type: str
    data: str


def read_clear(
    connection: psycopg.Connection[Any], deciders: Deciders
) -> Iterator[list[Clear]]:
    """Yield the commands with personal data in the clear, in batches."""
    types = [name for name, c in deciders.commands.items() if personal_fields(c)]
    if deciders.masters is None or not types:
        return
    with closing(connection.cursor(name="clear_commands")) as cursor:
        cursor.execute(
            """
            SELECT id, stream_id, type, data::text FROM public.commands
            WHERE type = ANY (%s) AND NOT data ?| '{$personal,$forgotten}'
            ORDER BY seq
            """,
            (types,),
        )
        while rows := cursor.fetchmany(BATCH):
            yield [Clear(*row) for row in rows]


def close_commands(
    connection: psycopg.Connection[Any],
    commands: Sequence[Clear],
    deciders: Deciders,
) -> None:
    """
    Close what is personal in *commands*, each by a key of its own, as accepting does.

    Raises RewriteRefused for one that cannot be read: nobody knows whom it is about.
    """
    closed = [close_one(command, deciders) for command in commands]
    keep_all(connection, [key for key, _ in closed])
    connection.execute(
        """
        UPDATE public.commands AS c
        SET data = n.data
        FROM unnest(%s::uuid[], %s::text[]::jsonb[]) AS n (id, data)
        WHERE c.id = n.id
        """,
        ([command.id for command in commands], [data for _, data in closed]),
    )


def close_one(command: Clear, deciders: Deciders) -> tuple[Added, str]:
    """Return the key that was made for a command, and its data closed with it."""
    kind, masters = deciders.commands[command.type], deciders.masters
    assert masters is not None
    decider = deciders.of_command(kind)
    try:
        body = decider.read_command(kind, msgspec.json.decode(command.data))
    except decider.invalid as error:
        raise RewriteRefused(
            f"what is personal in command {command.id} cannot be encrypted, since it"
            f" cannot be read as a {command.type}: {error}"
        ) from error
    key = new_key()
    subject = decider.subject(command.stream_id, body)
    data = close(command.data, personal_fields(kind), key, command.id)
    return added(masters.wrap(key), subject, command.id), data
