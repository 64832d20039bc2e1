"""Encrypts unencrypted personal data in the commands of the journal."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.encryption.envelope import (
    FORGOTTEN,
    encrypt_fields,
    key_of,
    keys_in,
    redact_fields,
)
from eventstore.encryption.keys import new_key
from eventstore.encryption.personal_fields import personal_fields
from eventstore.errors import RewriteRefused
from eventstore.personal.keyring import Keyring, NewKey, new_key_row
from eventstore.personal.unencrypted_fields import has_unencrypted_fields
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
    """Yield the commands with unencrypted personal data, in batches."""
    kinds = {name: c for name, c in deciders.commands.items() if personal_fields(c)}
    if deciders.masters is None or not kinds:
        return
    with closing(connection.cursor(name="clear_commands")) as cursor:
        # Which of these fields are personal in which type is looked at below.
        cursor.execute(
            """
            SELECT id, stream_id, type, data::text FROM public.commands
            WHERE type = ANY (%s) AND data ?| %s::text[]
            ORDER BY seq
            """,
            (list(kinds), sorted(set().union(*map(personal_fields, kinds.values())))),
        )
        while rows := cursor.fetchmany(BATCH):
            commands = [Clear(*row) for row in rows]
            yield [
                c
                for c in commands
                if has_unencrypted_fields(decode(c.data), kinds[c.type])
            ]


def decode(data: str) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.json.decode(data)
    return message


def encrypt_commands(
    connection: psycopg.Connection[Any],
    commands: Sequence[Clear],
    deciders: Deciders,
) -> None:
    """
    Encrypt the personal data in *commands*, each with its own key, like accept.

    A command that already has an envelope, because a field was marked later, keeps its
    key; fields of forgotten subjects are removed. Raises RewriteRefused for a command
    that cannot be read, since its subject is unknown.
    """
    keyring = Keyring(connection, deciders.masters)
    keyring.learn(keys_in(command.data for command in commands))
    closed = [encrypt_one(command, deciders, keyring) for command in commands]
    keep_all(connection, [key for key, _ in closed if key])
    connection.execute(
        """
        UPDATE public.commands AS c
        SET data = n.data
        FROM unnest(%s::uuid[], %s::text[]::jsonb[]) AS n (id, data)
        WHERE c.id = n.id
        """,
        ([command.id for command in commands], [data for _, data in closed]),
    )


def encrypt_one(
    command: Clear, deciders: Deciders, keyring: Keyring
) -> tuple[NewKey | None, str]:
    """Return a command's data closed, and the key if one was made for it."""
    kind = deciders.commands[command.type]
    personal = personal_fields(kind)
    data = keyring.decrypt(command.data, command.id)
    if FORGOTTEN in decode(data):
        return None, redact_fields(data, personal)
    key_id = key_of(command.data)
    own = None if key_id is None else keyring.find(key_id)
    if own is not None:
        return None, encrypt_fields(data, personal, own, command.id)
    return encrypt_again(command, deciders)


def encrypt_again(command: Clear, deciders: Deciders) -> tuple[NewKey, str]:
    """Return the key that was made for a command, and its data closed with it."""
    kind, masters = deciders.commands[command.type], deciders.masters
    assert masters is not None
    decider = deciders.of_command(kind)
    try:
        body = decider.read_command(kind, decode(command.data))
    except decider.invalid as error:
        raise RewriteRefused(
            f"what is personal in command {command.id} cannot be encrypted, since it"
            f" cannot be read as a {command.type}: {error}"
        ) from error
    key = new_key()
    subject = decider.subject(command.stream_id, body)
    data = encrypt_fields(command.data, personal_fields(kind), key, command.id)
    return new_key_row(masters.wrap(key), subject, command.id), data
